/* SPDX-License-Identifier: Apache-2.0 */
#include "paper.h"

#include "wrap.h"

#include <string.h>

#define END "\033[0m"

const char *
dn_paper_bold (const DnPaper *paper)
{
  return paper->use_color ? "\033[1m" : "";
}

const char *
dn_paper_faint (const DnPaper *paper)
{
  return paper->use_color ? "\033[2m" : "";
}

/* Blue and not green: green and red look alike to many. */
const char *
dn_paper_verdict (const DnPaper *paper, DnReportVerdict verdict)
{
  if (!paper->use_color)
    return "";
  switch (verdict)
    {
    case DN_REPORT_GOOD:
      return "\033[1;36m";
    case DN_REPORT_ATTENTION:
      return "\033[1;33m";
    case DN_REPORT_BAD:
      return "\033[1;31m";
    case DN_REPORT_NOTE:
      return "\033[1m";
    case DN_REPORT_UNKNOWN:
      break;
    }
  return "\033[1;35m";
}

static void
append_line (DnPaper *paper, guint indent, const char *style, const char *line)
{
  g_string_append_printf (paper->out, "%*s%s%s%s\n", (int) indent, "", style, line,
                          *style != '\0' ? END : "");
}

void
dn_paper_heading (DnPaper *paper, const char *heading)
{
  g_string_append_c (paper->out, '\n');
  append_line (paper, 0, dn_paper_bold (paper), heading);
}

void
dn_paper_text (DnPaper *paper, guint indent, const char *style, const char *text)
{
  g_autoptr (GPtrArray) lines = dn_wrap_text (text, paper->width - indent);

  for (guint i = 0; i < lines->len; i++)
    append_line (paper, indent, style, lines->pdata[i]);
}

void
dn_paper_item (DnPaper *paper, guint indent, const char *lead, const char *text)
{
  guint room = (guint) strlen (lead);
  g_autoptr (GPtrArray) lines = dn_wrap_text (text, paper->width - indent - room);

  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (paper->out, "%*s%-*s%s\n", (int) indent, "", (int) room,
                            i == 0 ? lead : "", (const char *) lines->pdata[i]);
}

void
dn_paper_fact (DnPaper *paper, guint indent, const char *name, const char *value)
{
  g_autoptr (GPtrArray) lines = dn_wrap_text (*value != '\0' ? value : "unknown",
                                              paper->width - indent - paper->name_columns);

  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (paper->out, "%*s%s%-*s%s%s\n", (int) indent, "",
                            i == 0 ? dn_paper_faint (paper) : "", (int) paper->name_columns,
                            i == 0 ? name : "", i == 0 && paper->use_color ? END : "",
                            (const char *) lines->pdata[i]);
}

void
dn_paper_table (DnPaper *paper, guint indent, const DnColumns *columns)
{
  g_autofree char *text = NULL;

  if (dn_columns_rows (columns) == 0)
    {
      dn_paper_text (paper, indent, dn_paper_faint (paper), "none");
      return;
    }
  text = dn_columns_to_text (columns, indent, paper->width);
  g_string_append (paper->out, text);
}
