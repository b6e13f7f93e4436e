/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for what must not leave memory: whole pages that are not swapped (mlock), not in a core
 * file (MADV_DONTDUMP), and zero in a child (MADV_WIPEONFORK).
 *
 * An ordinary user may lock little (RLIMIT_MEMLOCK, 64 KiB on older hosts), so secrets pass through
 * a page or two at a time, and are never gathered.
 *
 * Source: mlock(2), madvise(2).
 */
#pragma once

#include <stddef.h>

#define DN_LOCKED_PAGE_BYTES 4096

/* @size is rounded up to pages; zeroed.  NULL with errno, EPERM, ENOMEM or EAGAIN where so much may
 * not be locked. */
void *dn_locked_new (size_t size);

/* Zeroes it first.  NULL is fine; keeps errno. */
void dn_locked_free (void *memory, size_t size);

/* Locks and marks the pages in which @size bytes at @at lie, which are somebody else's: a part of
 * the environment, say.  0, or -errno. */
int dn_locked_pin (void *at, size_t size);

/* No core file, and not to be looked into by processes of the same user. */
void dn_locked_hide_process (void);
