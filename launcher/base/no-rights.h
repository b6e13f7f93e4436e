/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process that has given up its rights really has none: read back from the kernel, by the
 * process itself, as the last thing before it meets a stranger's bytes.
 *
 * Source: proc(5), /proc/PID/status.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

typedef struct
{
  uid_t uid;            /* all four of its user ids */
  gid_t gid;            /* likewise */
  bool may_have_groups; /* an ordinary user cannot give them up */
} DnNoRights;

/**
 * dn_no_rights_check:
 * @status_fd: /proc/self/status, opened while /proc could be reached; stays the caller's
 *
 * Those ids, no capability in any set, no new privileges, a seccomp filter, and no other thread
 * (ids and capabilities belong to threads).
 *
 * Privilege: none.
 * Returns: 0, -EPERM where something is otherwise, or -errno
 */
int dn_no_rights_check (int status_fd, const DnNoRights *promised);
