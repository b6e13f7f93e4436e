/* SPDX-License-Identifier: Apache-2.0 */
/* Writing HTML into a string: what is put in by %s is escaped, the format is ours.
 *
 * Texts must be clean (clean.h): UTF-8 without control characters.  Escaped are & < > " and ', so a
 * text is safe between tags and within quoted attributes, and belongs nowhere else.
 */
#pragma once

#include "verdict.h"

#include <glib.h>

void dn_html_put (GString *out, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The drawn mark of a verdict beside its word; @word NULL: the verdict's own. */
void dn_html_verdict (GString *out, DnReportVerdict verdict, const char *word);

/* <TAG>text</TAG>, kept on one line if it is short: a state or an id is not broken in two. */
void dn_html_word (GString *out, const char *tag, const char *text);

/* A table whose cells know their headings: on a narrow screen each row becomes a list. */
typedef struct
{
  GString *out;
  const char *const *headings; /* ends with NULL */
  guint column;
} DnHtmlTable;

void dn_html_table_begin (DnHtmlTable *table, GString *out, const char *caption,
                          const char *const *headings);
void dn_html_table_row (DnHtmlTable *table, DnReportVerdict verdict);
/* The next cell, with a dash for an empty text. */
void dn_html_table_text (DnHtmlTable *table, const char *text);
/* The next cell as code: digests, paths, names. */
void dn_html_table_code (DnHtmlTable *table, const char *text);
/* Opens the next cell for markup of the caller's, which ends it with dn_html_table_close(). */
void dn_html_table_open (DnHtmlTable *table);
void dn_html_table_close (DnHtmlTable *table);
void dn_html_table_end (DnHtmlTable *table);
