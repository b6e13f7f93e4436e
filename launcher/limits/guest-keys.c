/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a guest as keys of files. */
#include <string.h>

#include "../common/guest-size.h"
#include "guest-limits.h"

#define KIB 1024
/* As many KiB a second as nothing has, and QEMU still takes. */
#define RATE_MAX_KIB (G_GUINT64_CONSTANT (100) * 1024 * 1024)
#define OPERATIONS_MAX 100000000
/* A boot that waits for its image a minute is a failed boot. */
#define RATE_MIN_KIB 64
#define OPERATIONS_MIN 10

void
dn_guest_limits_fill_keys (DnGuestLimits *limits, DnKey *ret_keys)
{
  const DnKey keys[DN_GUEST_LIMITS_KEYS] = {
    { "guest", "cpu_shares", DN_KEY_INTEGER, &limits->cpu_shares, 0, DN_GUEST_CPU_SHARES_MAX, 1,
      NULL },
    { "guest", "cpu_quota_percent", DN_KEY_INTEGER, &limits->cpu_quota_percent, 0,
      100 * DN_GUEST_VCPUS_MAX, 1, NULL },
    { "guest", "io_read_kib_per_s", DN_KEY_INTEGER, &limits->read_bytes_per_s, 0, RATE_MAX_KIB, KIB,
      NULL },
    { "guest", "io_write_kib_per_s", DN_KEY_INTEGER, &limits->write_bytes_per_s, 0, RATE_MAX_KIB,
      KIB, NULL },
    { "guest", "io_read_per_s", DN_KEY_INTEGER, &limits->reads_per_s, 0, OPERATIONS_MAX, 1, NULL },
    { "guest", "io_write_per_s", DN_KEY_INTEGER, &limits->writes_per_s, 0, OPERATIONS_MAX, 1,
      NULL },
    { "guest", "balloon", DN_KEY_CHOICE, &limits->balloon, 0, 0, 0, dn_balloon_words },
  };

  memcpy (ret_keys, keys, sizeof keys);
}

gboolean
dn_guest_limits_check (const DnGuestLimits *limits, const char *what, const DnKeyPlaces *places,
                       GError **error)
{
  const struct
  {
    const char *key;
    guint64 value;
    guint64 least;
    guint64 scale;
    const char *why;
  } all[] = {
    { "cpu_shares", limits->cpu_shares, DN_GUEST_CPU_SHARES_MIN, 1, "the least weight there is" },
    { "cpu_quota_percent", limits->cpu_quota_percent, DN_GUEST_CPU_QUOTA_MIN_PERCENT, 1,
      "with less the guest does not start in time" },
    { "io_read_kib_per_s", limits->read_bytes_per_s, RATE_MIN_KIB * KIB, KIB,
      "with less no image can be read in time" },
    { "io_write_kib_per_s", limits->write_bytes_per_s, RATE_MIN_KIB * KIB, KIB,
      "with less no file system can be made in time" },
    { "io_read_per_s", limits->reads_per_s, OPERATIONS_MIN, 1,
      "with less no image can be read in time" },
    { "io_write_per_s", limits->writes_per_s, OPERATIONS_MIN, 1,
      "with less no file system can be made in time" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i].value != 0 && all[i].value < all[i].least)
      return dn_key_file_throw (error, what, places, "guest", all[i].key,
                                "must be at least %" G_GUINT64_FORMAT ": %s\n0 is no limit",
                                all[i].least / all[i].scale, all[i].why);
  return TRUE;
}
