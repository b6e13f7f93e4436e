/* SPDX-License-Identifier: Apache-2.0 */
#include "terms.h"

#include "../common/names.h"
#include "bind-policy.h"
#include "reference-glob.h"

const char *const dn_need_words[] = { "optional", "required", NULL };
const char *const dn_scan_need_words[] = { "optional", "required", "pass", NULL };

void
dn_terms_init (DnTerms *terms)
{
  static const char *const all[] = { "**", NULL };

  *terms = (DnTerms){ .allow = g_strdupv ((char **) all),
                      .signature = g_strsplit (dn_need_words[DN_NEED_OPTIONAL], ";", -1),
                      .binds = g_new0 (char *, 1) };
}

void
dn_terms_clear (DnTerms *terms)
{
  g_clear_pointer (&terms->allow, g_strfreev);
  g_clear_pointer (&terms->signature, g_strfreev);
  g_clear_pointer (&terms->binds, g_strfreev);
}

void
dn_terms_copy (const DnTerms *terms, DnTerms *ret_copy)
{
  *ret_copy = *terms;
  ret_copy->allow = g_strdupv (terms->allow);
  ret_copy->signature = g_strdupv (terms->signature);
  ret_copy->binds = g_strdupv (terms->binds);
}

/* "optional" or "required", which stand alone. */
static gboolean
is_need (char **signature)
{
  return signature[0] != NULL && signature[1] == NULL
         && g_strv_contains (dn_need_words, signature[0]);
}

gboolean
dn_terms_want_signature (const DnTerms *terms, char ***ret_keys)
{
  gboolean is_by_need = is_need (terms->signature);

  if (ret_keys != NULL)
    *ret_keys = is_by_need ? NULL : terms->signature;
  return !is_by_need || g_str_equal (terms->signature[0], dn_need_words[DN_NEED_REQUIRED]);
}

void
dn_terms_fill_keys (DnTerms *terms, DnKey *ret_keys)
{
  const DnKey keys[DN_TERMS_KEYS] = {
    { "images", "allow", DN_KEY_LIST, &terms->allow, 0, 0, 0, NULL },
    { "images", "digest", DN_KEY_CHOICE, &terms->digest, 0, 0, 0, dn_need_words },
    { "images", "signature", DN_KEY_LIST, &terms->signature, 0, 0, 0, NULL },
    { "images", "scan", DN_KEY_CHOICE, &terms->scan, 0, 0, 0, dn_scan_need_words },
    { "volumes", "binds", DN_KEY_LIST, &terms->binds, 0, 0, 0, NULL },
    { "lifetime", "idle_s", DN_KEY_INTEGER, &terms->idle_s, 0, DN_LIFETIME_MAX_S, 1, NULL },
    { "lifetime", "maximum_s", DN_KEY_INTEGER, &terms->maximum_s, 0, DN_LIFETIME_MAX_S, 1, NULL },
  };

  for (guint i = 0; i < DN_TERMS_KEYS; i++)
    ret_keys[i] = keys[i];
}

static gboolean
check_signature (const DnTerms *terms, const char *what, const DnKeyPlaces *places, GError **error)
{
  if (is_need (terms->signature))
    return TRUE;
  if (terms->signature[0] == NULL)
    return dn_key_file_throw (error, what, places, "images", "signature",
                              "names none: optional, required, or names of keys");
  for (char **key = terms->signature; *key != NULL; key++)
    {
      if (g_strv_contains (dn_need_words, *key))
        return dn_key_file_throw (error, what, places, "images", "signature",
                                  "'%s' stands alone, without names of keys", *key);
      if (*key[0] != '/' && !dn_name_is_valid (*key))
        return dn_key_file_throw (error, what, places, "images", "signature",
                                  "'%s' is neither a key's name nor an absolute path", *key);
    }
  return TRUE;
}

static gboolean
check_binds (const DnTerms *terms, const char *what, const DnKeyPlaces *places, GError **error)
{
  if (g_strv_length (terms->binds) > DN_BIND_ROOTS_MAX)
    return dn_key_file_throw (error, what, places, "volumes", "binds", "has more than %d entries",
                              DN_BIND_ROOTS_MAX);
  for (char **entry = terms->binds; *entry != NULL; entry++)
    {
      g_autofree char *fault = dn_bind_root_find_fault (*entry);

      if (fault != NULL)
        return dn_key_file_throw (error, what, places, "volumes", "binds", "'%s' %s", *entry,
                                  fault);
    }
  return TRUE;
}

gboolean
dn_terms_check (const DnTerms *terms, const char *what, const DnKeyPlaces *places, GError **error)
{
  if (terms->allow[0] == NULL)
    return dn_key_file_throw (error, what, places, "images", "allow",
                              "names none; ** is for all images");
  for (char **pattern = terms->allow; *pattern != NULL; pattern++)
    {
      const char *fault = dn_reference_glob_find_fault (*pattern);

      if (fault != NULL)
        return dn_key_file_throw (error, what, places, "images", "allow", "'%s' %s", *pattern,
                                  fault);
    }
  return check_signature (terms, what, places, error) && check_binds (terms, what, places, error);
}
