/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks of danchi-intake: what runs in a jail, and what it needs there.
 *
 * A task is a function that runs as process 1 of its jail (jail.h), with nothing but its staging
 * directory as working directory, an order to read, files that danchid opened for it, and a report
 * to write.  Whatever it reads is hostile; whatever it reports is to danchid as hostile again.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "../base/intake-order.h"

#define DN_TASK_ORDER_LINES_MAX 64
#define DN_TASK_LINE_MAX_BYTES 1024

struct DnTaskRun;

typedef struct DnTask
{
  const char *name;
  bool has_network;
  guint64 memory_bytes;        /* of each of its processes */
  const char *const *programs; /* of /usr/bin, for its root; ends with NULL */
  int (*run) (struct DnTaskRun *run);
} DnTask;

/* One run.  Descriptors are this process's. */
typedef struct DnTaskRun
{
  const DnTask *task;
  int input;
  int report;
  int files[DN_INTAKE_FILES_MAX];
  guint file_count;
  GHashTable *order; /* KEY → VALUE; owned */
} DnTaskRun;

/* By its name, or NULL. */
const DnTask *dn_task_find (const char *name);

/* Reads the order; then runs the task.  Returns: the exit status */
int dn_task_run (DnTaskRun *run);

/* A line from danchid, without its end. (transfer full): NULL when it has nothing more to say */
char *dn_task_read_line (DnTaskRun *run);

/* The order's values.  A missing one ends the run: danchid and this program are of one version. */
const char *dn_task_text (DnTaskRun *run, const char *key);
guint64 dn_task_number (DnTaskRun *run, const char *key);
gboolean dn_task_has (DnTaskRun *run, const char *key);

/* One line of the report: a word, then what it is about.  What is no printable ASCII in it becomes
 * '?', and what is too long is cut. */
void dn_task_say (DnTaskRun *run, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The last line: "failed CODE DETAIL", with a code of the task's own list.  Returns the exit status
 * of a failure. */
int dn_task_fail (DnTaskRun *run, const char *code, const char *detail);

/* "done".  Returns the exit status of a success. */
int dn_task_done (DnTaskRun *run);

/* One function for each task; the table is in task.c. */
int dn_task_pull (DnTaskRun *run);
int dn_task_verdict (DnTaskRun *run);
int dn_task_signature (DnTaskRun *run);
