/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the host can hold one more guest.
 *
 * Two things have to be true, each with a sense of its own:
 *
 *   - all guests' memory together, this one's too, is at most `percent` of the host's: they may all
 *     use what they were promised at one time.  [host] memory_overcommit_percent, 100 unless it is
 *     set; more is a bet that they do not, and 0 asks for neither of the two;
 *   - the host has as much free now (MemAvailable) as this guest was promised: else its first
 * minutes would have the kernel look for a process to end, which may be another tenant's.
 *
 * Pure, but for dn_host_memory_read().
 * Source: proc(5), /proc/meminfo.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 total_bytes;
  guint64 available_bytes;
} DnHostMemory;

/* FALSE where the kernel does not say.  Reads /proc/meminfo. */
gboolean dn_host_memory_read (DnHostMemory *ret_memory);
gboolean dn_host_memory_parse (const char *meminfo, DnHostMemory *ret_memory);

/**
 * dn_host_memory_check:
 * @promised_bytes: to the guests that are there
 * @wanted_bytes: of one more
 *
 * FALSE with DN_ERROR_LIMIT, all numbers and the remedy.
 */
gboolean dn_host_memory_check (const DnHostMemory *memory, guint64 promised_bytes,
                               guint64 wanted_bytes, guint64 percent, GError **error);
