/* SPDX-License-Identifier: Apache-2.0 */
/* One run of danchi-intake: a task in a jail of its own, watched until its end.
 *
 * The run has an identity of its own (guest/identity.h) and one directory, made below a staging
 * directory, that is its uid's.  What it reports is lines of printable ASCII, bounded in length and
 * number; they are class 2 data: the handler checks each, and derives nothing from them that
 * danchid has not computed or asked for itself.  It ends when it says so, when the handler refuses
 * a line, when the client goes, and when its time or room is used up; then every process of its uid
 * is ended, its files become root's, and the identity is free again.  Where danchid dies meanwhile
 * the jail ends by its lifeline, and dn_intake_sweep() removes the rest.
 *
 * Privilege: root.
 */
#pragma once

#include "../base/intake-order.h"
#include "../daemon/request.h"

#define DN_INTAKE_LINES_MAX 100000
#define DN_INTAKE_LINE_MAX_BYTES 1024
/* Entries of its directory; more, and it is ended. */
#define DN_INTAKE_ENTRIES_MAX 4096

typedef struct DnIntake DnIntake;

typedef struct
{
  const char *task;         /* of launcher/intake/task.c */
  const char *staging;      /* the run's directory is made in it, as %DN_INTAKE_DIRECTORY */
  const char *const *order; /* KEY=VALUE, ends with NULL; without line ends */
  const char *const
      *directories; /* made in its directory, parents first; NULL, or ends with NULL */
  int files[DN_INTAKE_FILES_MAX]; /* borrowed */
  guint file_count;
  guint64 disk_bytes; /* all its files together */
  guint timeout_s;    /* for all of it; the time in which danchid lets it wait does not count */

  /* Puts files into the run's directory, root's and 0444, before the run begins: nobody else can
   * have put anything there.  Or NULL. */
  gboolean (*prepare) (const char *directory, gpointer data, GError **error);

  /**
   * line:
   * @words: of one line, at least one
   *
   * A line that is neither "done" nor "failed ...".  FALSE with @error ends the run.
   */
  gboolean (*line) (DnIntake *intake, char **words, gpointer data, GError **error);

  /* The task has failed: the error to throw for its code and text.  Or NULL: one is made. */
  void (*failed) (const char *code, const char *text, gpointer data, GError **error);
  gpointer data;
} DnIntakePlan;

#define DN_INTAKE_DIRECTORY "jail"
#define DN_INTAKE_JAIL "/work" /* where the run finds it: launcher/intake/jail.h */

/* Returns: whether it said "done"; else DN_ERROR_FAILED, _LIMIT, _PROTOCOL, or the handlers' */
gboolean dn_intake_run (DnRequest *request, const DnIntakePlan *plan, GError **error);

/* For handlers: a line to the task. */
gboolean dn_intake_say (DnIntake *intake, const char *line, GError **error);

/* For handlers: the @number-th of the plan's directories, opened before the task had any right to
 * it: what is put there goes nowhere else, whatever the task did to the path.  Borrowed. */
int dn_intake_directory_fd (DnIntake *intake, guint number);

/* Removes what a danchid that died has left: identities and processes of runs.  At a start, before
 * the first run.  What was removed is added to @removed as texts. */
void dn_intake_sweep (GPtrArray *removed);
