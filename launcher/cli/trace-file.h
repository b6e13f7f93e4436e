/* SPDX-License-Identifier: Apache-2.0 */
/* `run --trace FILE`: danchid's phases of a start, and danchi's own beside them.
 *
 *     {"phases": [...danchid's, relative to the request...],
 *      "client": [{"name": "connect", "start_us": 0, "end_us": 812}, ...]}
 *
 * danchi's are relative to its own start: connect (danchid's start included, where it did not run),
 * request (until the process runs), attach (until it ended), exit (until all output was written),
 * with --rm also remove (until it was removed).
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct
{
  char *path;        /* owned; NULL: no trace is wanted */
  JsonArray *client; /* owned */
  gint64 start_us;   /* monotonic, as all below */
  gint64 phase_us;   /* where the next phase starts */
} DnTraceFile;

/* @path: (transfer full) (nullable) */
void dn_trace_file_init (DnTraceFile *trace, char *path);
void dn_trace_file_clear (DnTraceFile *trace);

/* Ends the phase called @name now, or at @end_us where that is not 0. */
void dn_trace_file_mark (DnTraceFile *trace, const char *name, gint64 end_us);

/* Writes it, with the trace of @answer (nullable).  DN_ERROR_FAILED naming the file. */
gboolean dn_trace_file_write (DnTraceFile *trace, JsonObject *answer, GError **error);
