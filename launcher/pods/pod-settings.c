/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-settings.h"

#include <string.h>

#include "../common/guest-size.h"
#include "../spec/bind-policy.h"
#include "../spec/capability.h"

#define GROUP "pods"
#define MIB (1024 * 1024)
/* What containerd gives every container that does not say otherwise. */
#define DEFAULT_CAPABILITIES                                                                       \
  "AUDIT_WRITE;CHOWN;DAC_OVERRIDE;FOWNER;FSETID;KILL;MKNOD;NET_BIND_SERVICE;NET_RAW;SETFCAP;"      \
  "SETGID;SETPCAP;SETUID;SYS_CHROOT"

void
dn_pod_settings_init (DnPodSettings *settings)
{
  *settings = (DnPodSettings){ .memory_bytes = (guint64) 512 * MIB,
                               .vcpus = 1,
                               .annotations = g_new0 (char *, 1),
                               .capabilities = g_strsplit (DEFAULT_CAPABILITIES, ";", -1),
                               .seccomp = DN_SECCOMP_DEFAULT,
                               .binds = g_new0 (char *, 1),
                               .kubelet = g_strdup ("/var/lib/kubelet") };
}

void
dn_pod_settings_clear (DnPodSettings *settings)
{
  g_strfreev (settings->annotations);
  g_strfreev (settings->capabilities);
  g_strfreev (settings->binds);
  g_free (settings->kubelet);
  *settings = (DnPodSettings){ 0 };
}

void
dn_pod_settings_fill_keys (DnPodSettings *settings, DnKey *ret_keys)
{
  const DnKey keys[DN_POD_KEYS] = {
    { GROUP, "memory_mib", DN_KEY_INTEGER, &settings->memory_bytes, DN_GUEST_MEMORY_MIN_MIB,
      DN_GUEST_MEMORY_MAX_MIB, MIB, NULL },
    { GROUP, "vcpus", DN_KEY_INTEGER, &settings->vcpus, 1, DN_GUEST_VCPUS_MAX, 1, NULL },
    { GROUP, "annotations", DN_KEY_LIST, &settings->annotations, 0, 0, 0, NULL },
    { GROUP, "capabilities", DN_KEY_WORDS, &settings->capabilities, 0, 0, 0, NULL },
    { GROUP, "seccomp", DN_KEY_CHOICE, &settings->seccomp, 0, 0, 0, dn_seccomp_base_words },
    { GROUP, "privileged", DN_KEY_BOOLEAN, &settings->is_privileged_granted, 0, 0, 0, NULL },
    { GROUP, "binds", DN_KEY_LIST, &settings->binds, 0, 0, 0, NULL },
    { GROUP, "kubelet_directory", DN_KEY_PATH, &settings->kubelet, 0, 0, 0, NULL },
  };

  memcpy (ret_keys, keys, sizeof keys);
}

gboolean
dn_pod_settings_check (const DnPodSettings *settings, const char *what, const DnKeyPlaces *places,
                       GError **error)
{
  guint64 bit;

  for (char **name = settings->capabilities; *name != NULL; name++)
    if (!dn_capability_bit (*name, &bit))
      return dn_key_file_throw (error, what, places, GROUP, "capabilities", "'%s' is no capability",
                                *name);
  for (char **entry = settings->binds; *entry != NULL; entry++)
    {
      g_autofree char *fault = dn_bind_root_find_fault (*entry);

      if (fault != NULL)
        return dn_key_file_throw (error, what, places, GROUP, "binds", "'%s' %s", *entry, fault);
      if ((*entry)[0] == '~')
        return dn_key_file_throw (error, what, places, GROUP, "binds",
                                  "'%s': a pod has nobody's home", *entry);
    }
  return TRUE;
}
