/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>

#include <string.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "../spec/placement.h"
#include "../spec/signing-key.h"

#define KIB 1024
#define MIB (1024 * 1024)

const char *const dn_kernel_words[] = { "debian", "tuned", NULL };
const char *const dn_transport_words[] = { "auto", "vsock", "serial", NULL };

DnSettings *
dn_settings_new (const char *file)
{
  DnSettings *settings = g_new0 (DnSettings, 1);

  *settings = (DnSettings){
    .ref_count = 1,
    .file = g_strdup (file),
    .places = dn_key_places_new (),
    .accepts = g_new0 (char *, 1),
    .memory_percent = 100,
    .ipv4_pool = g_strsplit (DN_NETWORK_POOL4_DEFAULT, ";", -1),
    .ipv6_prefix = g_new0 (char *, 1),
    .network_connections = DN_GATEWAY_CONNECTIONS_DEFAULT,
    .networks = g_strsplit ("none;internal;egress;*", ";", -1),
    .guest_memory_bytes = 256 * MIB,
    .guest_vcpus = 1,
    .kernel = DN_KERNEL_DEBIAN,
    .transport = DN_TRANSPORT_AUTO,
    .guest_image_disks = 8,
    .scratch_bytes = G_GUINT64_CONSTANT (10240) * MIB,
    .guest_boot_timeout_s = DN_GUEST_BOOT_TIMEOUT_S,
    .volume_bytes = G_GUINT64_CONSTANT (1024) * MIB,
    .volume_largest_bytes = G_GUINT64_CONSTANT (16384) * MIB,
    .volume_total_bytes = G_GUINT64_CONSTANT (65536) * MIB,
    .load_keys = g_new0 (char *, 1),
    .archive_limit_bytes = G_GUINT64_CONSTANT (16384) * MIB,
    .files_limit = 1000000,
    .unpacked_limit_bytes = G_GUINT64_CONSTANT (8192) * MIB,
    .unpack_memory_bytes = 512 * MIB,
    .unpack_vcpus = 2,
    .unpack_timeout_s = 30 * 60,
    .pull_timeout_s = 60 * 60,
    .pull_stall_s = 60,
    .log_bytes = 20 * MIB,
    .log_rate = 8 * MIB,
    .audit_file_bytes = 16 * MIB,
  };
  dn_host_access_init (&settings->access);
  dn_scan_settings_init (&settings->scan);
  dn_policy_init (&settings->policy);
  dn_terms_init (&settings->terms);
  dn_network_policy_init (&settings->network);
  dn_pod_settings_init (&settings->pods);
  return settings;
}

DnSettings *
dn_settings_ref (DnSettings *settings)
{
  g_atomic_int_inc (&settings->ref_count);
  return settings;
}

void
dn_settings_unref (DnSettings *settings)
{
  if (settings == NULL || !g_atomic_int_dec_and_test (&settings->ref_count))
    return;
  g_free (settings->file);
  dn_key_places_free (settings->places);
  g_strfreev (settings->accepts);
  g_strfreev (settings->ipv4_pool);
  g_strfreev (settings->ipv6_prefix);
  g_strfreev (settings->networks);
  g_strfreev (settings->load_keys);
  g_free (settings->trust_policy);
  g_free (settings->audit_anchor);
  g_free (settings->forensics_key);
  g_free (settings->volume_key_directory);
  dn_host_access_clear (&settings->access);
  dn_scan_settings_clear (&settings->scan);
  dn_policy_clear (&settings->policy);
  dn_terms_clear (&settings->terms);
  dn_network_policy_clear (&settings->network);
  dn_pod_settings_clear (&settings->pods);
  g_free (settings);
}

void
dn_settings_fill_keys (DnSettings *settings, DnKey *ret_keys)
{
  const DnKey keys[DN_SETTINGS_OWN_KEYS] = {
    { "host", "accepts", DN_KEY_LIST, &settings->accepts, 0, 0, 0, NULL },
    { "host", "memory_overcommit_percent", DN_KEY_INTEGER, &settings->memory_percent, 0, 10000, 1,
      NULL },
    { "guest", "memory_mib", DN_KEY_INTEGER, &settings->guest_memory_bytes, DN_GUEST_MEMORY_MIN_MIB,
      DN_GUEST_MEMORY_MAX_MIB, MIB, NULL },
    { "guest", "vcpus", DN_KEY_INTEGER, &settings->guest_vcpus, 1, DN_GUEST_VCPUS_MAX, 1, NULL },
    { "guest", "kernel", DN_KEY_CHOICE, &settings->kernel, 0, 0, 0, dn_kernel_words },
    { "guest", "transport", DN_KEY_CHOICE, &settings->transport, 0, 0, 0, dn_transport_words },
    { "guest", "allow_emulation", DN_KEY_BOOLEAN, &settings->allow_emulation, 0, 0, 0, NULL },
    { "guest", "boot_timeout_s", DN_KEY_INTEGER, &settings->guest_boot_timeout_s, 4, 3600, 1,
      NULL },
    { "guest", "image_disks", DN_KEY_INTEGER, &settings->guest_image_disks, 1, 24, 1, NULL },
    { "guest", "scratch_mib", DN_KEY_INTEGER, &settings->scratch_bytes, 0, 65536, MIB, NULL },
    { "volumes", "size_mib", DN_KEY_INTEGER, &settings->volume_bytes, 32, 1048576, MIB, NULL },
    { "volumes", "largest_mib", DN_KEY_INTEGER, &settings->volume_largest_bytes, 32, 1048576, MIB,
      NULL },
    { "volumes", "total_mib", DN_KEY_INTEGER, &settings->volume_total_bytes, 0, 1073741824, MIB,
      NULL },
    { "volumes", "key_directory", DN_KEY_PATH, &settings->volume_key_directory, 0, 0, 0, NULL },
    { "images", "load_keys", DN_KEY_LIST, &settings->load_keys, 0, 0, 0, NULL },
    { "images", "load_signature", DN_KEY_CHOICE, &settings->load_signature, 0, 0, 0,
      dn_need_words },
    { "images", "policy", DN_KEY_PATH, &settings->trust_policy, 0, 0, 0, NULL },
    { "images", "archive_limit_mib", DN_KEY_INTEGER, &settings->archive_limit_bytes, 1, 1048576,
      MIB, NULL },
    { "images", "files_limit", DN_KEY_INTEGER, &settings->files_limit, 1, 100000000, 1, NULL },
    { "images", "unpacked_limit_mib", DN_KEY_INTEGER, &settings->unpacked_limit_bytes, 1, 1048576,
      MIB, NULL },
    { "images", "unpack_memory_mib", DN_KEY_INTEGER, &settings->unpack_memory_bytes,
      DN_GUEST_MEMORY_MIN_MIB, 65536, MIB, NULL },
    { "images", "unpack_total_memory_mib", DN_KEY_INTEGER, &settings->unpack_total_memory_bytes, 0,
      1048576, MIB, NULL },
    { "images", "unpack_vcpus", DN_KEY_INTEGER, &settings->unpack_vcpus, 1, 16, 1, NULL },
    { "images", "unpack_timeout_s", DN_KEY_INTEGER, &settings->unpack_timeout_s, 10, 86400, 1,
      NULL },
    { "images", "pull_timeout_s", DN_KEY_INTEGER, &settings->pull_timeout_s, 10, 86400, 1, NULL },
    { "images", "pull_stall_s", DN_KEY_INTEGER, &settings->pull_stall_s, 2, 3600, 1, NULL },
    { "logs", "container_mib", DN_KEY_INTEGER, &settings->log_bytes, 1, 102400, MIB, NULL },
    { "logs", "rate_kib_per_s", DN_KEY_INTEGER, &settings->log_rate, 1, 1048576, KIB, NULL },
    { "forensics", "key", DN_KEY_PATH, &settings->forensics_key, 0, 0, 0, NULL },
    { "audit", "anchor", DN_KEY_PATH, &settings->audit_anchor, 0, 0, 0, NULL },
    { "network", "ipv4_pool", DN_KEY_LIST, &settings->ipv4_pool, 0, 0, 0, NULL },
    { "network", "ipv6_prefix", DN_KEY_LIST, &settings->ipv6_prefix, 0, 0, 0, NULL },
    { "network", "connections", DN_KEY_INTEGER, &settings->network_connections,
      DN_GATEWAY_CONNECTIONS_MIN, DN_GATEWAY_CONNECTIONS_MAX, 1, NULL },
    { "network", "ephemeral", DN_KEY_LIST, &settings->networks, 0, 0, 0, NULL },
    { "audit", "file_mib", DN_KEY_INTEGER, &settings->audit_file_bytes, 1, 1024, MIB, NULL },
  };
  DnKey *at = ret_keys;

  memcpy (at, keys, sizeof keys);
  at += DN_SETTINGS_OWN_KEYS;
  dn_guest_limits_fill_keys (&settings->guest_limits, at);
  at += DN_GUEST_LIMITS_KEYS;
  dn_host_access_fill_keys (&settings->access, at);
  at += DN_HOST_ACCESS_KEYS;
  dn_scan_settings_fill_keys (&settings->scan, at);
  at += DN_SCAN_KEYS;
  dn_policy_fill_keys (&settings->policy, at);
  at += DN_POLICY_KEYS;
  dn_terms_fill_keys (&settings->terms, at);
  at += DN_TERMS_KEYS;
  dn_network_policy_fill_keys (&settings->network, at);
  at += DN_NETWORK_POLICY_KEYS;
  dn_pod_settings_fill_keys (&settings->pods, at);
  ret_keys[DN_SETTINGS_KEYS] = (DnKey){ .group = NULL };
}

static gboolean
check_networks (const DnSettings *settings, GError **error)
{
  for (char **word = settings->networks; *word != NULL; word++)
    {
      g_autoptr (GError) local = NULL;

      if (!g_str_equal (*word, "*") && !dn_network_mode_check (*word, "network", &local))
        return dn_key_file_throw (error, settings->file, settings->places, "network", "ephemeral",
                                  "%s; * is for every NAME", local->message);
    }
  return TRUE;
}

/* Any prefix will do to check the pool alone. */
static gboolean
check_pool (const DnSettings *settings, GError **error)
{
  const char *ipv4 = settings->ipv4_pool[0], *ipv6 = settings->ipv6_prefix[0];
  DnNetworkPool pool;
  int r = dn_network_pool_parse (ipv4, ipv6 != NULL ? ipv6 : "fd00::/48", &pool);

  if (r == -EINVAL || (ipv4 != NULL && settings->ipv4_pool[1] != NULL))
    return dn_key_file_throw (
        error, settings->file, settings->places, "network", "ipv4_pool",
        "one private range of 12 to 22 bits, such as " DN_NETWORK_POOL4_DEFAULT);
  if (r == -ERANGE || (ipv6 != NULL && settings->ipv6_prefix[1] != NULL))
    return dn_key_file_throw (error, settings->file, settings->places, "network", "ipv6_prefix",
                              "one /48 below fd00::/8, such as fd12:3456:789a::/48");
  return TRUE;
}

gboolean
dn_settings_parse (DnSettings *settings, const char *text, gsize size, GError **error)
{
  const char *what = settings->file;
  DnKey keys[DN_SETTINGS_KEYS + 1];

  dn_settings_fill_keys (settings, keys);
  return dn_key_file_parse_places (text, size, what, keys, settings->places, error)
         && dn_guest_limits_check (&settings->guest_limits, what, settings->places, error)
         && dn_placement_check_accepts (settings->accepts, what, settings->places, error)
         && dn_scan_settings_check (&settings->scan, what, settings->places, error)
         && dn_signing_keys_check (settings->load_keys, what, settings->places, error)
         && dn_policy_check (&settings->policy, what, settings->places, error)
         && dn_terms_check (&settings->terms, what, settings->places, error)
         && dn_network_policy_check (&settings->network, what, settings->places, error)
         && check_networks (settings, error) && check_pool (settings, error);
}

DnSettings *
dn_settings_read (char **ret_text, gsize *ret_size, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);
  g_autoptr (DnSettings) settings = dn_settings_new (path);
  g_autoptr (GError) local = NULL;
  g_autofree char *text = NULL;
  gsize size = 0;

  if (g_file_get_contents (path, &text, &size, &local))
    {
      gboolean is_fine = dn_settings_parse (settings, text, size, error);

      if (ret_text != NULL)
        {
          *ret_text = g_steal_pointer (&text);
          *ret_size = size;
        }
      return is_fine ? g_steal_pointer (&settings) : NULL;
    }
  if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return g_steal_pointer (&settings);
  dn_throw (error, DN_ERROR_FAILED, "%s", local->message);
  return NULL;
}
