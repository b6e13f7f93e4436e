/* SPDX-License-Identifier: Apache-2.0 */
#include "admission.h"

#include <string.h>

#include "../common/error.h"
#include "capability.h"

#define GROUP "[confinement]"

guint64
dn_admission_capabilities (const DnProfile *profile, char **cap_add, char **cap_drop,
                           guint64 *ret_ambient)
{
  guint64 added = dn_capability_set (cap_add);

  *ret_ambient = added;
  return (profile->capabilities & ~dn_capability_set (cap_drop)) | added;
}

static gboolean
check_own_name (const DnAdmissionRequest *request, GError **error)
{
  const char *name = request->profile->name;
  gboolean is_permitted = FALSE;

  for (guint i = 0; i < request->permitted->len; i++)
    {
      const DnProfile *other = request->permitted->pdata[i];

      if (!g_str_equal (other->name, name))
        continue;
      if (!g_str_equal (other->sha256, request->profile->sha256))
        return dn_throw (error, DN_ERROR_DENIED,
                         "--profile: calls itself '%s' and is another\n"
                         "give it a name of its own: [profile] name",
                         name);
      is_permitted = TRUE;
    }
  if (is_permitted || !g_strv_contains ((const char *const *) request->operators, name))
    return TRUE;
  return dn_throw (
      error, DN_ERROR_DENIED,
      "--profile: calls itself '%s', as one of the operator's that is not permitted in "
      "this context\ngive it a name of its own: [profile] name",
      name);
}

static gboolean
check_name (const DnAdmissionRequest *request, const DnPolicy *policy, GError **error)
{
  g_autofree char *all = NULL;

  if (request->is_own)
    return check_own_name (request, error);
  if (g_strv_contains ((const char *const *) policy->profiles, request->profile->name))
    return TRUE;
  all = g_strjoinv (", ", policy->profiles);
  return dn_throw (error, DN_ERROR_DENIED,
                   "--profile '%s': not permitted in this context\n"
                   "its file permits %s: " GROUP " profiles",
                   request->profile->name, all);
}

/* What the caller's own profile leaves more open than the one of the operator's it is closest to.
 * Capabilities and seccomp are compared with all else that asks for them. */
static GPtrArray *
compare_own (const DnAdmissionRequest *request)
{
  GPtrArray *least = NULL;

  for (guint i = 0; i < request->permitted->len; i++)
    {
      GPtrArray *list = dn_profile_relaxations (request->profile, request->permitted->pdata[i]);

      if (least == NULL || list->len < least->len)
        {
          g_clear_pointer (&least, g_ptr_array_unref);
          least = list;
        }
      else
        g_ptr_array_unref (list);
    }
  return least != NULL ? least : g_ptr_array_new_with_free_func (g_free);
}

/* The key that permits a relaxation, by its first word. */
static const char *
key_of (const char *relaxation)
{
  if (g_str_has_prefix (relaxation, "capability "))
    return "capabilities";
  return g_str_has_prefix (relaxation, "seccomp ") ? "seccomp" : "profile_files";
}

static gboolean
is_permitted (const char *relaxation, const DnPolicy *policy)
{
  const char *word = strchr (relaxation, ' ') + 1;
  guint64 bit = 0;

  if (g_str_has_prefix (relaxation, "capability "))
    return dn_capability_bit (word, &bit) && (dn_capability_set (policy->capabilities) & bit) != 0;
  if (g_str_has_prefix (relaxation, "seccomp "))
    {
      for (int base = 0; base <= policy->seccomp; base++)
        if (g_str_equal (word, dn_seccomp_base_words[base]))
          return TRUE;
      return FALSE;
    }
  return policy->profile_files;
}

static void
add_text (GPtrArray *list, const char *kind, const char *word)
{
  g_autofree char *text = g_strdup_printf ("%s %s", kind, word);

  if (!g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL))
    g_ptr_array_add (list, g_steal_pointer (&text));
}

/* A filter of the caller's may reach as far as the policy lets it: it can only take away from
 * where it begins. */
static int
settle_seccomp (const DnAdmissionRequest *request, const DnPolicy *policy, GPtrArray *list)
{
  int base = request->profile->seccomp;

  if (request->seccomp_json == NULL)
    return base;
  if (g_str_equal (request->seccomp_json, DN_SECCOMP_NO_FILTER))
    base = DN_SECCOMP_UNCONFINED;
  else
    base = MAX (base, MIN (policy->seccomp, DN_SECCOMP_RELAXED)); /* a file is no word for none */
  if (base > request->profile->seccomp)
    add_text (list, "seccomp", dn_seccomp_base_words[base]);
  return base;
}

static gboolean
check_all (GPtrArray *relaxations, const DnPolicy *policy, GError **error)
{
  g_autoptr (GString) refused = g_string_new (NULL);
  g_autoptr (GString) keys = g_string_new (NULL);

  for (guint i = 0; i < relaxations->len; i++)
    {
      const char *relaxation = relaxations->pdata[i], *key = key_of (relaxation);

      if (is_permitted (relaxation, policy))
        continue;
      g_string_append_printf (refused, "%s%s", refused->len > 0 ? ", " : "", relaxation);
      if (strstr (keys->str, key) == NULL)
        g_string_append_printf (keys, "%s%s", keys->len > 0 ? ", " : "", key);
    }
  if (refused->len == 0)
    return TRUE;
  return dn_throw (error, DN_ERROR_DENIED,
                   "confinement: not permitted in this context: %s\n"
                   "leave it out, or have the operator permit it in the context's file: " GROUP
                   " %s",
                   refused->str, keys->str);
}

gboolean
dn_admission_decide (const DnAdmissionRequest *request, const DnPolicy *policy, int *ret_seccomp,
                     char ***ret_relaxations, GError **error)
{
  g_autoptr (GPtrArray) relaxations = NULL;
  g_auto (GStrv) more = NULL;
  guint64 ambient;

  if (!check_name (request, policy, error))
    return FALSE;
  relaxations = request->is_own ? compare_own (request) : g_ptr_array_new_with_free_func (g_free);
  more = dn_capability_names (
      dn_admission_capabilities (request->profile, request->cap_add, request->cap_drop, &ambient)
      & ~request->profile->capabilities);
  for (char **name = more; *name != NULL; name++)
    add_text (relaxations, "capability", *name);
  *ret_seccomp = settle_seccomp (request, policy, relaxations);
  if (!check_all (relaxations, policy, error))
    return FALSE;
  g_ptr_array_add (relaxations, NULL);
  *ret_relaxations = (char **) (void *) g_ptr_array_free (g_steal_pointer (&relaxations), FALSE);
  return TRUE;
}
