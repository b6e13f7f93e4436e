/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest may take of its host beside memory: keys of [guest] in a context's file, and in
 * danchi.conf for those that say nothing.
 *
 *     cpu_shares = 2048             its weight against other guests when processors are short; 0:
 *                                   1024 for each of its processors
 *     cpu_quota_percent = 150       of one processor, in every tenth of a second, for all of its
 *                                   threads together; 0: no limit
 *     io_read_kib_per_s = 20480     of all its disks together but the guest's own root, which is in
 *     io_write_kib_per_s = 10240    the host's memory; 0: no limit
 *     io_read_per_s = 500           likewise, how often
 *     io_write_per_s = 500
 *     balloon = auto                yes, no, or auto: for the guest of a named context, which stays
 *
 * Pure.
 */
#pragma once

#include "../common/key-file.h"

typedef enum
{
  DN_BALLOON_AUTO,
  DN_BALLOON_YES,
  DN_BALLOON_NO,
} DnBalloon;

extern const char *const dn_balloon_words[]; /* by DnBalloon, ends with NULL */

typedef struct
{
  guint64 cpu_shares;
  guint64 cpu_quota_percent;
  guint64 read_bytes_per_s;
  guint64 write_bytes_per_s;
  guint64 reads_per_s;
  guint64 writes_per_s;
  int balloon; /* DnBalloon */
} DnGuestLimits;

#define DN_GUEST_LIMITS_KEYS 7

#define DN_GUEST_CPU_SHARES_MIN 2
#define DN_GUEST_CPU_SHARES_MAX 262144
#define DN_GUEST_CPU_SHARES_OF_VCPU 1024
/* Of a period of a tenth of a second; less would let the guest's own timers starve. */
#define DN_GUEST_CPU_QUOTA_MIN_PERCENT 5
#define DN_GUEST_CPU_PERIOD_US 100000

/* The keys that read @limits, for a table of dn_key_file_parse(). */
void dn_guest_limits_fill_keys (DnGuestLimits *limits, DnKey *ret_keys);

/* What the table cannot say; after parsing.  As dn_terms_check(). */
gboolean dn_guest_limits_check (const DnGuestLimits *limits, const char *what,
                                const DnKeyPlaces *places, GError **error);

/* As the kernel gets them: a weight, and microseconds of each period, 0 for no limit. */
guint64 dn_guest_limits_shares (const DnGuestLimits *limits, guint vcpus);
guint64 dn_guest_limits_quota_us (const DnGuestLimits *limits);

gboolean dn_guest_limits_have_io (const DnGuestLimits *limits);
