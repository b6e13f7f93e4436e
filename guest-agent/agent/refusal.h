/* SPDX-License-Identifier: Apache-2.0 */
/* A container's refused system calls: counted for each call, told to the host now and then.
 *
 * A call that was answered with ENOSYS is left out: that is how a program asks whether there is a
 * call at all, and every thread of a C library's asks so for clone3.  All others are kept, the
 * first DN_REFUSALS_MAX kinds apart and the rest as one.
 *
 * Counts are what the kernel reported: in a flood it leaves records out (audit.h), so that a count
 * says "at least".
 */
#pragma once

#include <linux/filter.h>

#include "audit-record.h"
#include "loop.h"

#define DN_REFUSALS_MAX 32
#define DN_REFUSALS_PAUSE_MS 1000 /* between two batches of a container's */

typedef struct
{
  uint32_t call;
  uint32_t arch;
  uint32_t action;
  uint32_t error;
  uint64_t count;
  char program[DN_PROGRAM_BYTES + 1]; /* the last one */
  bool is_untold;
} DnRefusal;

typedef struct
{
  DnRefusal entries[DN_REFUSALS_MAX + 1]; /* the last: DN_REFUSED_OTHERS */
  unsigned count;
  int64_t told_ms; /* when the last batch went; 0: never */
} DnRefusals;

/* Counts @record.  @filter is the container's.  false: it is one that is left out.  Pure. */
bool dn_refusals_add (DnRefusals *refusals, const DnAuditRecord *record,
                      const struct sock_filter *filter, size_t filter_count);
