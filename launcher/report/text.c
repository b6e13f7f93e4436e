/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "facts.h"
#include "text.h"
#include "value.h"

static void
print_summary (DnPaper *paper, const DnView *view)
{
  JsonObject *document = view->document;
  const char *host = dn_facts_text (document, "host.hostname");
  DnReportVerdict verdict = dn_report_verdict_parse (dn_facts_text (document, "summary.verdict"));
  g_autofree char *time = dn_value_time (dn_facts_text (document, "generated"));
  g_autofree char *title
      = g_strdup_printf ("Danchi audit of %s", *host != '\0' ? host : "an unnamed host");
  g_autofree char *made = g_strdup_printf ("%s, danchi %s", *time != '\0' ? time : "time unknown",
                                           dn_facts_text (document, "danchi_version"));
  g_autofree char *findings = dn_view_count_findings (view);
  g_autofree char *inside = g_strdup_printf (
      "%u context%s with %u container%s", view->contexts->len, view->contexts->len == 1 ? "" : "s",
      view->containers, view->containers == 1 ? "" : "s");
  g_autofree char *outside = g_strdup_printf (
      "%u foreign machine%s, %u container runtime%s, %u reachable listener%s", view->outsiders->len,
      view->outsiders->len == 1 ? "" : "s", view->runtimes->len,
      view->runtimes->len == 1 ? "" : "s", view->doors->len, view->doors->len == 1 ? "" : "s");
  g_autofree char *word = g_ascii_strup (dn_report_verdict_words[verdict], -1);

  dn_paper_text (paper, 0, dn_paper_bold (paper), title);
  dn_paper_text (paper, 0, dn_paper_faint (paper), made);
  g_string_append_c (paper->out, '\n');
  dn_paper_text (paper, 2, dn_paper_verdict (paper, verdict), word);
  dn_paper_text (paper, 2, "", findings);
  dn_paper_text (paper, 2, "", inside);
  dn_paper_text (paper, 2, "", outside);
}

/* HIGH  R3.1  Debian 10, and below it what is wrong and what to do. */
static void
print_finding (DnPaper *paper, JsonObject *finding)
{
  DnReportSeverity severity = dn_report_severity_parse (dn_facts_text (finding, "severity"));
  const char *context = dn_facts_text (finding, "context");
  const char *subject = dn_facts_text (finding, "subject");
  const char *remedy = dn_facts_text (finding, "remedy");
  g_autofree char *word = g_ascii_strup (dn_report_severity_words[severity], -1);
  g_autofree char *where
      = *context != '\0' ? g_strdup_printf ("context %s", context) : g_strdup ("");
  g_autofree char *what
      = dn_value_join (": ", where, g_str_equal (subject, context) ? "" : subject, NULL);
  g_autofree char *source = dn_value_join (", ", dn_facts_text (finding, "id"),
                                           dn_facts_text (finding, "demand"), NULL);
  g_autofree char *heading = dn_value_join ("  ", word, what, NULL);

  dn_paper_text (paper, 2, dn_paper_verdict (paper, dn_report_severity_to_verdict (severity)),
                 heading);
  dn_paper_text (paper, 4, "", dn_facts_text (finding, "text"));
  if (*remedy != '\0')
    dn_paper_item (paper, 4, "-> ", remedy);
  dn_paper_text (paper, 4, dn_paper_faint (paper), source);
}

static void
print_findings (DnPaper *paper, const DnView *view)
{
  dn_paper_heading (paper, "FINDINGS");
  if (view->findings->len == 0)
    dn_paper_text (paper, 2, dn_paper_faint (paper), "none");
  for (guint i = 0; i < view->findings->len; i++)
    {
      if (i > 0)
        g_string_append_c (paper->out, '\n');
      print_finding (paper, view->findings->pdata[i]);
    }
}

char *
dn_report_text (JsonObject *document, gboolean use_color, guint width)
{
  g_autoptr (DnView) view = dn_view_new (document);
  DnPaper paper = {
    .out = g_string_new (NULL),
    .use_color = use_color,
    .width = CLAMP (width, DN_REPORT_WIDTH_MIN, DN_REPORT_WIDTH_MAX),
    .name_columns = 17,
  };

  print_summary (&paper, view);
  print_findings (&paper, view);
  dn_text_host (&paper, view);
  dn_text_contexts (&paper, view);
  dn_text_machines (&paper, view);
  dn_text_runtimes (&paper, view);
  dn_text_listeners (&paper, view);
  dn_text_chain (&paper, view);
  return g_string_free (paper.out, FALSE);
}
