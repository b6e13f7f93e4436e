/* SPDX-License-Identifier: Apache-2.0 */
/* What is happening, for somebody who waits at a terminal.
 *
 * Nothing is drawn in the first second, and nothing at all where stderr is no terminal.  Then one
 * line is redrawn in place: a step with the time it took so far, or a bar where things are counted
 * (bytes: a "total" of more than a few).  dn_progress_hide() wipes it before anything else is
 * printed.
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct DnProgress DnProgress;

/* @is_verbose: each step becomes a line on stderr, at once and wherever that goes. */
DnProgress *dn_progress_new (gboolean is_verbose);
void dn_progress_free (DnProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnProgress, dn_progress_free)

/* A "progress" object of docs/api.md. */
void dn_progress_show (DnProgress *progress, JsonObject *object);

/* Time has passed. */
void dn_progress_tick (DnProgress *progress);

/* Wipes the line, if one is drawn; the next tick draws again. */
void dn_progress_hide (DnProgress *progress);

/* The line for @columns columns: pure. @total 0: not counted. (transfer full) */
char *dn_progress_format (const char *step, gint64 done, gint64 total, gint64 elapsed_us,
                          guint columns);
