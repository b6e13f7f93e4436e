/* SPDX-License-Identifier: Apache-2.0 */
#include "html.h"

#define WORD_MAX 16

void
dn_html_put (GString *out, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list values;

  va_start (values, format);
  text = g_markup_vprintf_escaped (format, values);
  va_end (values);
  g_string_append (out, text);
}

void
dn_html_verdict (GString *out, DnReportVerdict verdict, const char *word)
{
  const char *own = dn_report_verdict_words[verdict];

  dn_html_put (
      out,
      "<span class=\"v %s\"><svg class=\"mark\" viewBox=\"0 0 20 20\" aria-hidden=\"true\">"
      "<use href=\"#m-%s\"/></svg>%s</span>",
      own, own, word != NULL ? word : own);
}

void
dn_html_word (GString *out, const char *tag, const char *text)
{
  gboolean is_short = g_utf8_strlen (text, -1) <= WORD_MAX;

  dn_html_put (out, is_short ? "<%s class=\"short\">%s</%s>" : "<%s>%s</%s>", tag, text, tag);
}

void
dn_html_table_begin (DnHtmlTable *table, GString *out, const char *caption,
                     const char *const *headings)
{
  table->out = out;
  table->headings = headings;
  table->column = 0;
  dn_html_put (out, "<table><caption>%s</caption><thead><tr>", caption);
  for (; *headings != NULL; headings++)
    dn_html_put (out, "<th scope=\"col\">%s</th>", *headings);
  g_string_append (out, "</tr></thead><tbody>\n");
}

void
dn_html_table_row (DnHtmlTable *table, DnReportVerdict verdict)
{
  if (table->column > 0)
    g_string_append (table->out, "</tr>\n");
  table->column = 0;
  dn_html_put (table->out, "<tr class=\"%s\">", dn_report_verdict_words[verdict]);
}

void
dn_html_table_open (DnHtmlTable *table)
{
  dn_html_put (table->out, "<td data-is=\"%s\"><div>", table->headings[table->column++]);
}

void
dn_html_table_close (DnHtmlTable *table)
{
  g_string_append (table->out, "</div></td>");
}

void
dn_html_table_text (DnHtmlTable *table, const char *text)
{
  dn_html_table_open (table);
  dn_html_word (table->out, "span", *text != '\0' ? text : "–");
  dn_html_table_close (table);
}

void
dn_html_table_code (DnHtmlTable *table, const char *text)
{
  dn_html_table_open (table);
  if (*text != '\0')
    dn_html_word (table->out, "code", text);
  else
    g_string_append (table->out, "–");
  dn_html_table_close (table);
}

void
dn_html_table_end (DnHtmlTable *table)
{
  if (table->column > 0)
    g_string_append (table->out, "</tr>\n");
  g_string_append (table->out, "</tbody></table>\n");
}
