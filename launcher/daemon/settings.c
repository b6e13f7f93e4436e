/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "../common/error.h"
#include "../common/paths.h"

#define KIB 1024
#define MIB (1024 * 1024)

#define SETTINGS_KEYS 18 /* in the table below, before the policy's */

const char *const dn_kernel_words[] = { "debian", "tuned", NULL };
const char *const dn_transport_words[] = { "auto", "vsock", "serial", NULL };

void
dn_settings_init (DnSettings *settings)
{
  *settings = (DnSettings){
    .guest_memory_bytes = 256 * MIB,
    .guest_vcpus = 1,
    .kernel = DN_KERNEL_DEBIAN,
    .transport = DN_TRANSPORT_AUTO,
    .guest_image_disks = 8,
    .guest_boot_timeout_s = DN_GUEST_BOOT_TIMEOUT_S,
    .archive_limit_bytes = G_GUINT64_CONSTANT (16384) * MIB,
    .files_limit = 1000000,
    .unpacked_limit_bytes = G_GUINT64_CONSTANT (8192) * MIB,
    .unpack_memory_bytes = 512 * MIB,
    .unpack_vcpus = 2,
    .unpack_timeout_s = 30 * 60,
    .log_bytes = 20 * MIB,
    .log_rate = 8 * MIB,
    .audit_file_bytes = 16 * MIB,
  };
  dn_host_access_init (&settings->access);
  dn_policy_init (&settings->policy);
}

void
dn_settings_clear (DnSettings *settings)
{
  g_clear_pointer (&settings->forensics_key, g_free);
  dn_host_access_clear (&settings->access);
  dn_policy_clear (&settings->policy);
  g_clear_pointer (&settings->audit_anchor, g_free);
}

gboolean
dn_settings_parse (DnSettings *settings, const char *text, gsize size, const char *what,
                   GError **error)
{
  DnKey keys[] = {
    { "guest", "memory_mib", DN_KEY_INTEGER, &settings->guest_memory_bytes, DN_GUEST_MEMORY_MIN_MIB,
      DN_GUEST_MEMORY_MAX_MIB, MIB, NULL },
    { "guest", "vcpus", DN_KEY_INTEGER, &settings->guest_vcpus, 1, DN_GUEST_VCPUS_MAX, 1, NULL },
    { "guest", "kernel", DN_KEY_CHOICE, &settings->kernel, 0, 0, 0, dn_kernel_words },
    { "guest", "transport", DN_KEY_CHOICE, &settings->transport, 0, 0, 0, dn_transport_words },
    { "guest", "allow_emulation", DN_KEY_BOOLEAN, &settings->allow_emulation, 0, 0, 0, NULL },
    { "guest", "boot_timeout_s", DN_KEY_INTEGER, &settings->guest_boot_timeout_s, 4, 3600, 1,
      NULL },
    { "guest", "image_disks", DN_KEY_INTEGER, &settings->guest_image_disks, 1, 24, 1, NULL },
    { "images", "archive_limit_mib", DN_KEY_INTEGER, &settings->archive_limit_bytes, 1, 1048576,
      MIB, NULL },
    { "images", "files_limit", DN_KEY_INTEGER, &settings->files_limit, 1, 100000000, 1, NULL },
    { "images", "unpacked_limit_mib", DN_KEY_INTEGER, &settings->unpacked_limit_bytes, 1, 1048576,
      MIB, NULL },
    { "images", "unpack_memory_mib", DN_KEY_INTEGER, &settings->unpack_memory_bytes,
      DN_GUEST_MEMORY_MIN_MIB, 65536, MIB, NULL },
    { "images", "unpack_vcpus", DN_KEY_INTEGER, &settings->unpack_vcpus, 1, 16, 1, NULL },
    { "images", "unpack_timeout_s", DN_KEY_INTEGER, &settings->unpack_timeout_s, 10, 86400, 1,
      NULL },
    { "logs", "container_mib", DN_KEY_INTEGER, &settings->log_bytes, 1, 102400, MIB, NULL },
    { "logs", "rate_kib_per_s", DN_KEY_INTEGER, &settings->log_rate, 1, 1048576, KIB, NULL },
    { "forensics", "key", DN_KEY_PATH, &settings->forensics_key, 0, 0, 0, NULL },
    { "audit", "anchor", DN_KEY_PATH, &settings->audit_anchor, 0, 0, 0, NULL },
    { "audit", "file_mib", DN_KEY_INTEGER, &settings->audit_file_bytes, 1, 1024, MIB, NULL },
    [SETTINGS_KEYS + DN_POLICY_KEYS + DN_HOST_ACCESS_KEYS]
    = { NULL, NULL, DN_KEY_INTEGER, NULL, 0, 0, 0, NULL },
  };

  g_assert (keys[SETTINGS_KEYS - 1].group != NULL && keys[SETTINGS_KEYS].group == NULL);
  dn_policy_fill_keys (&settings->policy, keys + SETTINGS_KEYS);
  dn_host_access_fill_keys (&settings->access, keys + SETTINGS_KEYS + DN_POLICY_KEYS);
  return dn_key_file_parse (text, size, what, keys, error)
         && dn_policy_check (&settings->policy, what, error);
}

gboolean
dn_settings_read (DnSettings *settings, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize size;

  dn_settings_init (settings);
  if (g_file_get_contents (path, &text, &size, &local))
    return dn_settings_parse (settings, text, size, path, error);
  if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  return dn_throw (error, DN_ERROR_FAILED, "%s", local->message);
}
