/* SPDX-License-Identifier: Apache-2.0 */
/* A program that is to run all the time: started again when it has ended, with pauses that grow.
 *
 * It ends with the process that keeps it.  Not for processes with threads.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *name;
  char **words; /* not owned */
  pid_t pid;    /* 0: does not run */
  gint64 next_us;
  gint64 started_us;
  guint pause_ms;
} DnChild;

/* Looks whether it still runs, and starts it where its time has come. */
void dn_child_keep (DnChild *child);

/* SIGTERM; does not wait. */
void dn_child_end (DnChild *child);
