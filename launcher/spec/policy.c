/* SPDX-License-Identifier: Apache-2.0 */
#include "policy.h"

#include "capability.h"

#define GROUP "confinement"

void
dn_policy_init (DnPolicy *policy)
{
  static const char *const profiles[] = { "strict", "standard", NULL };

  *policy = (DnPolicy){ .profiles = g_strdupv ((char **) profiles),
                        .profile = g_strdup ("strict"),
                        .capabilities = g_new0 (char *, 1),
                        .seccomp = DN_SECCOMP_DEFAULT };
}

void
dn_policy_clear (DnPolicy *policy)
{
  g_clear_pointer (&policy->profiles, g_strfreev);
  g_clear_pointer (&policy->profile, g_free);
  g_clear_pointer (&policy->capabilities, g_strfreev);
}

void
dn_policy_copy (const DnPolicy *policy, DnPolicy *ret_copy)
{
  *ret_copy = (DnPolicy){ .profiles = g_strdupv (policy->profiles),
                          .profile = g_strdup (policy->profile),
                          .capabilities = g_strdupv (policy->capabilities),
                          .seccomp = policy->seccomp,
                          .profile_files = policy->profile_files };
}

void
dn_policy_fill_keys (DnPolicy *policy, DnKey *ret_keys)
{
  const DnKey keys[DN_POLICY_KEYS] = {
    { GROUP, "profiles", DN_KEY_WORDS, &policy->profiles, 0, 0, 0, NULL },
    { GROUP, "profile", DN_KEY_WORD, &policy->profile, 0, 0, 0, NULL },
    { GROUP, "capabilities", DN_KEY_WORDS, &policy->capabilities, 0, 0, 0, NULL },
    { GROUP, "seccomp", DN_KEY_CHOICE, &policy->seccomp, 0, 0, 0, dn_seccomp_base_words },
    { GROUP, "profile_files", DN_KEY_BOOLEAN, &policy->profile_files, 0, 0, 0, NULL },
  };

  for (guint i = 0; i < DN_POLICY_KEYS; i++)
    ret_keys[i] = keys[i];
}

gboolean
dn_policy_check (const DnPolicy *policy, const char *what, const DnKeyPlaces *places,
                 GError **error)
{
  /* Where `profile` is not in the file, it is `profiles` that is wrong. */
  gboolean has_profile = dn_key_places_find (places, GROUP, "profile") != 0;
  guint64 bit;

  if (policy->profiles[0] == NULL)
    return dn_key_file_throw (error, what, places, GROUP, "profiles", "names none");
  if (!g_strv_contains ((const char *const *) policy->profiles, policy->profile))
    return dn_key_file_throw (error, what, places, GROUP, has_profile ? "profile" : "profiles",
                              has_profile ? "'%s' is not one of profiles"
                                          : "lacks '%s', which holds where none is asked for",
                              policy->profile);
  for (char **name = policy->capabilities; *name != NULL; name++)
    if (!dn_capability_bit (*name, &bit))
      return dn_key_file_throw (error, what, places, GROUP, "capabilities",
                                "'%s': no such capability", *name);
  return TRUE;
}
