/* SPDX-License-Identifier: Apache-2.0 */
#include "terms.h"

#include "reference-glob.h"

const char *const dn_need_words[] = { "optional", "required", NULL };
const char *const dn_network_words[] = { "none", NULL };

void
dn_terms_init (DnTerms *terms)
{
  static const char *const all[] = { "**", NULL };

  *terms = (DnTerms){ .allow = g_strdupv ((char **) all) };
}

void
dn_terms_clear (DnTerms *terms)
{
  g_clear_pointer (&terms->allow, g_strfreev);
}

void
dn_terms_copy (const DnTerms *terms, DnTerms *ret_copy)
{
  *ret_copy = *terms;
  ret_copy->allow = g_strdupv (terms->allow);
}

void
dn_terms_fill_keys (DnTerms *terms, DnKey *ret_keys)
{
  const DnKey keys[DN_TERMS_KEYS] = {
    { "images", "allow", DN_KEY_LIST, &terms->allow, 0, 0, 0, NULL },
    { "images", "digest", DN_KEY_CHOICE, &terms->digest, 0, 0, 0, dn_need_words },
    { "images", "signature", DN_KEY_CHOICE, &terms->signature, 0, 0, 0, dn_need_words },
    { "network", "mode", DN_KEY_CHOICE, &terms->network, 0, 0, 0, dn_network_words },
    { "lifetime", "idle_s", DN_KEY_INTEGER, &terms->idle_s, 0, DN_LIFETIME_MAX_S, 1, NULL },
    { "lifetime", "maximum_s", DN_KEY_INTEGER, &terms->maximum_s, 0, DN_LIFETIME_MAX_S, 1, NULL },
  };

  for (guint i = 0; i < DN_TERMS_KEYS; i++)
    ret_keys[i] = keys[i];
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
  return TRUE;
}
