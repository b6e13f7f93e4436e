/* SPDX-License-Identifier: Apache-2.0 */
/* What the children of share.c do; each may block on the host. */
#pragma once

#include "config.h"

typedef struct
{
  const char *run_dir;
  /* To mount a bind; with `target` NULL: to end the share. */
  const DnConfig *config;
  const char *target;
  uint32_t number;
  int mount_namespace; /* the container's */
} DnShareTask;

/* 0 or a negative status with @fault. */
int dn_share_task_run (const DnShareTask *task, DnFault *fault);
