/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../common/error.h"
#include "../spec/capability.h"
#include "oci-spec.h"

#define SYSCTL_BYTES 128

/* The same as guest-agent/agent/config.h: what is in nobody else's namespaces. */
static gboolean
is_namespaced (const char *name)
{
  static const char *const whole[] = { "kernel.sem",    "kernel.shm_rmid_forced", "kernel.shmall",
                                       "kernel.shmmax", "kernel.shmmni",          "kernel.msgmax",
                                       "kernel.msgmnb", "kernel.msgmni",          NULL };

  if (strlen (name) > SYSCTL_BYTES || strstr (name, "..") != NULL
      || strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
             != strlen (name))
    return FALSE;
  return g_str_has_prefix (name, "net.") || g_str_has_prefix (name, "fs.mqueue.")
         || g_strv_contains (whole, name);
}

gboolean
dn_oci_check_sysctls (GPtrArray *sysctls, const char *what, GError **error)
{
  for (guint i = 0; i < sysctls->len; i += 2)
    if (!is_namespaced (sysctls->pdata[i]))
      return dn_throw (error, DN_ERROR_DENIED,
                       "%s: sysctl '%.80s' is not the pod's own\n"
                       "net.*, fs.mqueue.*, kernel.shm*, kernel.msg* and kernel.sem are",
                       what, (const char *) sysctls->pdata[i]);
  return TRUE;
}

gboolean
dn_oci_is_privileged (const DnOciConfig *config)
{
  guint64 bit = 0;

  /* Nobody is given this one by name. */
  return dn_capability_bit ("SYS_RAWIO", &bit) && dn_capability_bit ("SYS_ADMIN", &bit)
         && __builtin_popcountll (config->capabilities) >= 37 && (config->capabilities & bit) != 0;
}

static gboolean
admit_capabilities (const DnOciConfig *config, const DnPodSettings *settings, const char *file,
                    const char *what, GError **error)
{
  g_auto (GStrv) beyond
      = dn_capability_names (config->capabilities & ~dn_capability_set (settings->capabilities));
  g_autofree char *words = g_strjoinv (";", beyond);

  if (beyond[0] == NULL || (dn_oci_is_privileged (config) && settings->is_privileged_granted))
    return TRUE;
  if (dn_oci_is_privileged (config))
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: privileged: is not granted on this node\n"
                     "it would hold within the pod's guest alone: [pods] privileged = yes in '%s'",
                     what, file);
  return dn_throw (error, DN_ERROR_DENIED,
                   "%s: capabilities %s: are not granted on this node\nadd them to [pods] "
                   "capabilities in '%s', or take them out of the pod",
                   what, words, file);
}

gboolean
dn_oci_admit (const DnOciConfig *config, const DnPodSettings *settings, const DnProfile *profile,
              const char *file, const char *what, char ***ret_relaxations, GError **error)
{
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();
  g_auto (GStrv) more = dn_capability_names (config->capabilities & ~profile->capabilities);

  if (!admit_capabilities (config, settings, file, what, error)
      || !dn_oci_check_sysctls (config->sysctls, what, error))
    return FALSE;
  for (char **name = more; *name != NULL; name++)
    {
      g_autofree char *word = g_strconcat ("capability ", *name, NULL);

      g_strv_builder_add (words, word);
    }
  if (dn_oci_is_privileged (config))
    g_strv_builder_add (words, "privileged");
  if (settings->seccomp != DN_SECCOMP_DEFAULT)
    g_strv_builder_add (words, "seccomp of danchi.conf");
  *ret_relaxations = g_strv_builder_end (words);
  return TRUE;
}
