/* SPDX-License-Identifier: Apache-2.0 */
/* The audit's document (format "danchi-audit/1") as a person reads it: text for a terminal, or one
 * page of HTML.
 *
 * Pure: no files, no clock, no network.  The document may come from anywhere: members that are
 * missing, null or of another type read as "unknown", every string is cleaned of what a terminal
 * would obey (cli/escape.h) and escaped for where it goes, so that the name of a context or of a
 * process can neither run in a page nor move a cursor.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_REPORT_WIDTH_MIN 40
#define DN_REPORT_WIDTH_MAX 400

/* For a terminal of @width columns (bounded by the two above): summary, findings by severity, then
 * host, contexts, machines, runtimes, listeners, chain.  @use_color adds SGR sequences; words and
 * order say the same without.  No line is longer than @width. (transfer full) */
char *dn_report_text (JsonObject *document, gboolean use_color, guint width);

/* A page that needs nothing besides itself: its policy forbids scripts and every request.  Drawn
 * map, tables, light and dark, printable. (transfer full) */
char *dn_report_html (JsonObject *document);
