/* SPDX-License-Identifier: Apache-2.0 */
/* How far a container may be confined otherwise than by its profile. */
#include <string.h>

#include "admission-private.h"
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
check_own_name (const DnAdmission *admission, DnVerdict *verdict, GError **error)
{
  const DnAdmissionRequest *request = admission->request;
  const char *name = request->profile->name;
  g_autofree char *message = NULL;
  gboolean is_permitted = FALSE, is_other = FALSE;

  for (guint i = 0; i < request->permitted->len; i++)
    {
      const DnProfile *other = request->permitted->pdata[i];

      if (!g_str_equal (other->name, name))
        continue;
      is_permitted = TRUE;
      is_other = is_other || !g_str_equal (other->sha256, request->profile->sha256);
    }
  if (!is_other
      && (is_permitted || !g_strv_contains ((const char *const *) request->operators, name)))
    return TRUE;
  verdict->rule = DN_RULE_PROFILE_NAME;
  message = is_other ? g_strdup_printf ("--profile: calls itself '%s' and is another", name)
                     : g_strdup_printf ("--profile: calls itself '%s', as one of the operator's "
                                        "that is not permitted in this context",
                                        name);
  return dn_admission_refuse (admission, verdict->rule, message,
                              "give it a name of its own: [profile] name", error);
}

static gboolean
check_name (const DnAdmission *admission, DnVerdict *verdict, GError **error)
{
  const DnAdmissionRequest *request = admission->request;
  const DnPolicy *policy = admission->context->policy;
  g_autofree char *all = NULL, *message = NULL, *hint = NULL;

  if (request->is_own)
    return check_own_name (admission, verdict, error);
  if (g_strv_contains ((const char *const *) policy->profiles, request->profile->name))
    return TRUE;
  verdict->rule = DN_RULE_PROFILE;
  all = g_strjoinv (", ", policy->profiles);
  message
      = g_strdup_printf ("--profile '%s': not permitted in this context", request->profile->name);
  hint = g_strdup_printf ("permitted are %s: " GROUP " profiles", all);
  return dn_admission_refuse (admission, verdict->rule, message, hint, error);
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

/* The rule that permits a relaxation, by its first word, and its key. */
static DnRule
rule_of (const char *relaxation, const char **ret_key)
{
  if (g_str_has_prefix (relaxation, "capability "))
    {
      *ret_key = "capabilities";
      return DN_RULE_CAPABILITIES;
    }
  if (g_str_has_prefix (relaxation, "seccomp "))
    {
      *ret_key = "seccomp";
      return DN_RULE_SECCOMP;
    }
  *ret_key = "profile_files";
  return DN_RULE_PROFILE_FILES;
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

/* All that is refused is named at once, so that nobody has to find it out piece by piece. */
static gboolean
check_all (const DnAdmission *admission, GPtrArray *relaxations, DnVerdict *verdict, GError **error)
{
  g_autoptr (GString) refused = g_string_new ("confinement: not permitted in this context: ");
  g_autoptr (GString) keys
      = g_string_new ("leave it out, or have the operator permit it: " GROUP " ");
  gboolean is_refused = FALSE;

  for (guint i = 0; i < relaxations->len; i++)
    {
      const char *relaxation = relaxations->pdata[i], *key;
      DnRule rule = rule_of (relaxation, &key);

      if (is_permitted (relaxation, admission->context->policy))
        continue;
      g_string_append_printf (refused, "%s%s", is_refused ? ", " : "", relaxation);
      if (strstr (keys->str, key) == NULL)
        g_string_append_printf (keys, "%s%s", is_refused ? ", " : "", key);
      if (!is_refused)
        verdict->rule = rule;
      is_refused = TRUE;
    }
  return !is_refused
         || dn_admission_refuse (admission, verdict->rule, refused->str, keys->str, error);
}

gboolean
dn_admission_decide_confinement (const DnAdmission *admission, DnVerdict *verdict, GError **error)
{
  const DnAdmissionRequest *request = admission->request;
  g_autoptr (GPtrArray) relaxations = NULL;
  g_auto (GStrv) more = NULL;
  guint64 ambient;

  if (!check_name (admission, verdict, error))
    return FALSE;
  relaxations = request->is_own ? compare_own (request) : g_ptr_array_new_with_free_func (g_free);
  more = dn_capability_names (
      dn_admission_capabilities (request->profile, request->cap_add, request->cap_drop, &ambient)
      & ~request->profile->capabilities);
  for (char **name = more; *name != NULL; name++)
    add_text (relaxations, "capability", *name);
  verdict->seccomp = settle_seccomp (request, admission->context->policy, relaxations);
  if (!check_all (admission, relaxations, verdict, error))
    return FALSE;
  g_ptr_array_add (relaxations, NULL);
  verdict->relaxations
      = (char **) (void *) g_ptr_array_free (g_steal_pointer (&relaxations), FALSE);
  return TRUE;
}
