/* SPDX-License-Identifier: Apache-2.0 */
/* A scanner's verdict, from its JSON to lines of fixed form; within the jail alone.
 *
 *     {"verdict": "pass" | "warn" | "fail",
 *      "summary": "TEXT",
 *      "findings": [{"id": "CVE-...", "severity": "low" | "medium" | "high" | "critical",
 *                    "package": "...", "installed": "...", "fixed": "...", "title": "..."}]}
 *
 * `verdict` is mandatory, and `id` and `severity` of each finding; all else may be missing or null,
 * and members of other names are passed over.  One document of at most DN_SCAN_VERDICT_MAX_BYTES,
 * as strict as ../common/json.h reads.  Texts over the limits of ../common/scan-words.h are cut,
 * control characters in them replaced; all findings are counted, the most severe ones kept, in the
 * order in which they came.  Source: ../images/scan-lines.h, the form of the lines.
 */
#pragma once

#include <glib.h>

/* One line, without its end. */
typedef void (*DnVerdictLine) (const char *line, gpointer data);

/**
 * dn_verdict_read:
 * @line: called for each line of ../images/scan-lines.h, in their order; not at all on failure
 *
 * Pure.  Returns: TRUE, or FALSE with an error that says why this is no verdict
 */
gboolean dn_verdict_read (const char *text, gsize size, DnVerdictLine line, gpointer data,
                          GError **error);
