/* SPDX-License-Identifier: Apache-2.0 */
/* What the children of share.c do; each may block on the host. */
#pragma once

#include "config.h"

typedef enum
{
  DN_SHARE_TASK_BIND, /* mounts one in a container */
  DN_SHARE_TASK_ROOT, /* opens one */
  DN_SHARE_TASK_END,  /* ends the share */
} DnShareTaskKind;

typedef struct
{
  DnShareTaskKind kind;
  const char *run_dir;
  const char *test_share; /* as DnAgentOptions has it */
  uint32_t number;        /* of a bind or root */
  /* Of a bind. */
  const DnConfig *config;
  const char *target;
  int mount_namespace; /* the container's; else -1 */
} DnShareTask;

/* 0 or a negative status with @fault; @ret_fd: of a root, a detached mount, the caller's; else as
 * it was. */
int dn_share_task_run (const DnShareTask *task, int *ret_fd, DnFault *fault);
