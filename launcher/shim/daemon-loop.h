/* SPDX-License-Identifier: Apache-2.0 */
/* The shim that stays: serves one pod until it is told to shut down. */
#pragma once

#include <glib.h>

typedef struct
{
  int socket; /* listening; taken over */
  const char *path;
  const char *name_space;
  const char *pod;
} DnDaemonLoopPlan;

/* Returns: the exit status */
int dn_daemon_loop_run (const DnDaemonLoopPlan *plan);
