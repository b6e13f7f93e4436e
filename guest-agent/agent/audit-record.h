/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's record of a system call that a filter did not let through, as text:
 *
 *   audit(1732262400.123:45): auid=4294967295 uid=131072 gid=131072 ses=4294967295 pid=312
 *   comm="mount" exe="/bin/busybox" sig=0 arch=c000003e syscall=165 compat=0 ip=0x4512fe
 * code=0x50000
 *
 * `comm` and `exe` are the tenant's, and written in hexadecimal as soon as they hold a blank, a
 * quote or a control character; so none of them can look like another field.
 *
 * Pure.
 * Source: audit_seccomp(), audit_log_task() and audit_log_n_untrustedstring() in Linux 6.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../protocol/protocol.h"

typedef struct
{
  uint32_t uid;                       /* the process's, as the guest counts */
  uint32_t arch;                      /* AUDIT_ARCH_* */
  uint32_t call;                      /* the call's number on that architecture */
  uint32_t action;                    /* SECCOMP_RET_*, without its data */
  char program[DN_PROGRAM_BYTES + 1]; /* raw bytes; cut; no NUL inside */
} DnAuditRecord;

/* @text: @size bytes, need not end with a NUL.  false, and nothing set, for anything else. */
bool dn_audit_record_read (const char *text, size_t size, DnAuditRecord *ret_record);
