/* SPDX-License-Identifier: Apache-2.0 */
/* What a child that is becoming a container's process and the agent say to each other, over a
 * SOCK_SEQPACKET pair that execve(2) closes.
 *
 *   agent → child   one byte: DN_SYNC_PREPARE (a container's with its root mount), then for each
 *                   mount of type disk or volume, in the config's order, DN_SYNC_DISK with its
 *                   tree; where it has secrets, DN_SYNC_SECRETS with their mount; after a USER
 * DN_SYNC_BOUND; DN_SYNC_RUN child → agent   DnSyncReport: FILE (with a file of /etc that the agent
 * writes anew later), TERMINAL (with the terminal's master), USER where there are mounts of type
 *                   share, READY, FAULT
 *
 * The child is still the agent's own code when it speaks, but it lives in the container: the agent
 * checks lengths and kinds, and never waits for it longer than its deadline.
 */
#pragma once

#include <stdbool.h>

#include "config.h"

#define DN_SYNC_PREPARE 'p'
#define DN_SYNC_DISK 'd'
#define DN_SYNC_BOUND 'b'
#define DN_SYNC_SECRETS 's'
#define DN_SYNC_RUN 'r'

enum
{
  DN_SYNC_TERMINAL = 1,
  DN_SYNC_READY = 2,
  DN_SYNC_FAULT = 3,
  DN_SYNC_FILE = 4,
  DN_SYNC_USER = 5,
};

/* Of the container's range. */
typedef struct
{
  uint32_t uid;
  uint32_t gid;
  uint32_t groups[DN_CONFIG_GROUPS_MAX];
  uint32_t group_count;
} DnSyncIds;

typedef struct
{
  int kind;
  bool is_exec;  /* FAULT: execve(2) itself failed */
  uint8_t file;  /* FILE: a DnCardFile */
  DnSyncIds ids; /* READY and USER: who it is to become, by the config and the image's files */
  DnFault fault;
} DnSyncReport;

int dn_sync_make (int ret_fds[2]); /* [0] the agent's, non-blocking; [1] the child's; 0 or -errno */

/* With @passed a descriptor that stays the caller's, or -1.  Returns 0 or -errno. */
int dn_sync_order (int fd, char order, int passed);
int dn_sync_report (int fd, const DnSyncReport *report, int passed);

/* Returns: 0, -EPIPE when the other end is gone, -EPROTO, -EAGAIN or another -errno.
 * @ret_passed is -1 or a descriptor the caller now owns. */
int dn_sync_await_order (int fd, char order, int *ret_passed);
int dn_sync_take_report (int fd, DnSyncReport *ret_report, int *ret_passed);
