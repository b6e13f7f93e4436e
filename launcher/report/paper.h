/* SPDX-License-Identifier: Apache-2.0 */
/* What the text report is written on: so many columns, with or without colours.
 *
 * All texts must be clean (clean.h): nothing is escaped here.
 */
#pragma once

#include "columns.h"
#include "verdict.h"

typedef struct
{
  GString *out;
  gboolean use_color;
  guint width;
  guint name_columns; /* what the names of facts take */
} DnPaper;

/* SGR sequences, or "" without colours.  Constants. */
const char *dn_paper_bold (const DnPaper *paper);
const char *dn_paper_faint (const DnPaper *paper);
const char *dn_paper_verdict (const DnPaper *paper, DnReportVerdict verdict);

/* An empty line, then "HEADING". */
void dn_paper_heading (DnPaper *paper, const char *heading);

/* @text in the style, wrapped, each line behind @indent blanks. */
void dn_paper_text (DnPaper *paper, guint indent, const char *style, const char *text);

/* @text behind @lead, its further lines as far in. */
void dn_paper_item (DnPaper *paper, guint indent, const char *lead, const char *text);

/* "  name:          value", the value wrapped behind its name; "unknown" for an empty one. */
void dn_paper_fact (DnPaper *paper, guint indent, const char *name, const char *value);

/* The table, or "none" when it has no rows. */
void dn_paper_table (DnPaper *paper, guint indent, const DnColumns *columns);
