/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include "describe.h"
#include "facts.h"
#include "html.h"
#include "value.h"

/* Opens a section; says "none" in it where there is nothing to list. */
static gboolean
begin_section (GString *out, const char *anchor, const char *heading, guint count)
{
  dn_html_put (out, "<section id=\"%s\"><h2>%s</h2>\n", anchor, heading);
  if (count == 0)
    g_string_append (out, "<p>None.</p></section>\n");
  return count > 0;
}

static void
put_context_link (GString *out, const DnView *view, const char *name)
{
  gint index = dn_view_find_context (view, name);

  if (index >= 0)
    dn_html_put (out, "<a href=\"#c%d\">%s</a>", index, name);
  else
    dn_html_put (out, "%s", name);
}

static void
put_finding (DnHtmlTable *table, const DnView *view, guint index)
{
  JsonObject *finding = view->findings->pdata[index];
  DnReportSeverity severity = dn_report_severity_parse (dn_facts_text (finding, "severity"));
  const char *context = dn_facts_text (finding, "context");
  const char *subject = dn_facts_text (finding, "subject");
  GString *out = table->out;

  dn_html_table_row (table, dn_report_severity_to_verdict (severity));
  dn_html_table_open (table);
  dn_html_put (out, "<span id=\"n%u\"></span>", index);
  dn_html_verdict (out, dn_report_severity_to_verdict (severity),
                   dn_report_severity_words[severity]);
  dn_html_table_close (table);
  dn_html_table_open (table);
  put_context_link (out, view, context);
  if (!g_str_equal (subject, context))
    dn_html_put (out, "%s%s", *context != '\0' ? ": " : "", subject);
  dn_html_table_close (table);
  dn_html_table_open (table);
  dn_html_put (out, "%s<br><code class=\"id\">%s</code>", dn_facts_text (finding, "text"),
               dn_facts_text (finding, "id"));
  dn_html_table_close (table);
  dn_html_table_text (table, dn_facts_text (finding, "remedy"));
  dn_html_table_text (table, dn_facts_text (finding, "demand"));
}

void
dn_page_findings (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Severity", "Subject", "Finding", "What to do", "Demand", NULL };
  g_autofree char *caption = dn_view_count_findings (view);
  DnHtmlTable table;

  if (!begin_section (out, "findings", "Findings", view->findings->len))
    return;
  dn_html_table_begin (&table, out, caption, headings);
  for (guint i = 0; i < view->findings->len; i++)
    put_finding (&table, view, i);
  dn_html_table_end (&table);
  g_string_append (out, "</section>\n");
}

void
dn_page_machines (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Machine", "Whose", "Hypervisor", "Process", "uid", "Known from", NULL };
  JsonArray *machines = dn_facts_array (view->document, "machines");
  DnHtmlTable table;

  if (!begin_section (out, "machines", "Virtual machines", dn_facts_length (machines)))
    return;
  dn_html_table_begin (&table, out, "Every virtual machine of this host", headings);
  for (guint i = 0; i < dn_facts_length (machines); i++)
    {
      JsonObject *machine = dn_facts_nth (machines, i);
      const char *context = dn_facts_text (machine, "context");
      gboolean is_ours = dn_facts_is (machine, "is_danchi");
      g_autofree char *pid = dn_facts_number (machine, "pid");
      g_autofree char *uid = dn_facts_number (machine, "uid");

      dn_html_table_row (&table, is_ours ? DN_REPORT_GOOD : DN_REPORT_ATTENTION);
      dn_html_table_code (&table, dn_facts_text (machine, "name"));
      dn_html_table_open (&table);
      if (!is_ours)
        dn_html_verdict (out, DN_REPORT_ATTENTION, "foreign");
      else if (*context != '\0')
        put_context_link (out, view, context);
      else
        g_string_append (out, "danchi");
      dn_html_table_close (&table);
      dn_html_table_text (&table, dn_facts_text (machine, "hypervisor"));
      dn_html_table_text (&table, pid);
      dn_html_table_text (&table, uid);
      dn_html_table_text (&table, dn_facts_text (machine, "source"));
    }
  dn_html_table_end (&table);
  g_string_append (out, "</section>\n");
}

void
dn_page_runtimes (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Runtime", "Kind", "Path", "Process", "uid", "Mode", NULL };
  DnHtmlTable table;

  if (!begin_section (out, "runtimes", "Container runtimes outside of guests", view->runtimes->len))
    return;
  dn_html_table_begin (&table, out, "What shares the kernel of the host", headings);
  for (guint i = 0; i < view->runtimes->len; i++)
    {
      JsonObject *runtime = view->runtimes->pdata[i];
      g_autofree char *pid = dn_facts_number (runtime, "pid");
      g_autofree char *uid = dn_facts_number (runtime, "uid");

      dn_html_table_row (&table, DN_REPORT_ATTENTION);
      dn_html_table_text (&table, dn_facts_text (runtime, "name"));
      dn_html_table_text (&table, dn_facts_text (runtime, "kind"));
      dn_html_table_code (&table, dn_facts_text (runtime, "path"));
      dn_html_table_text (&table, pid);
      dn_html_table_text (&table, uid);
      dn_html_table_text (&table, dn_facts_text (runtime, "mode"));
    }
  dn_html_table_end (&table);
  g_string_append (out, "</section>\n");
}

static void
put_listener (DnHtmlTable *table, JsonObject *listener)
{
  DnReportVerdict verdict = dn_view_is_open (listener) ? DN_REPORT_ATTENTION : DN_REPORT_GOOD;
  const char *exposure = dn_facts_text (listener, "exposure");
  g_autofree char *port = dn_view_port (listener);
  g_autofree char *address = dn_value_address (dn_facts_text (listener, "address"), port);
  g_autofree char *pid = dn_facts_number (listener, "pid");
  g_autofree char *uid = dn_facts_number (listener, "uid");
  g_autofree char *process = dn_value_join (" ", dn_facts_text (listener, "process"), pid, NULL);

  dn_html_table_row (table, verdict);
  dn_html_table_open (table);
  dn_html_verdict (table->out, verdict, *exposure != '\0' ? exposure : "unknown");
  dn_html_table_close (table);
  dn_html_table_text (table, dn_facts_text (listener, "protocol"));
  dn_html_table_code (table, address);
  dn_html_table_text (table, process);
  dn_html_table_text (table, uid);
  dn_html_table_text (table, dn_facts_text (listener, "service"));
}

void
dn_page_listeners (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Exposure", "Protocol", "Address", "Process", "uid", "Service", NULL };
  JsonArray *listeners = dn_facts_array (view->document, "listeners");
  DnHtmlTable table;

  if (!begin_section (out, "listeners", "Listeners of the host", dn_facts_length (listeners)))
    return;
  dn_html_table_begin (&table, out, "Sockets that accept connections", headings);
  for (guint i = 0; i < dn_facts_length (listeners); i++)
    put_listener (&table, dn_facts_nth (listeners, i));
  dn_html_table_end (&table);
  g_string_append (out, "</section>\n");
}

static void
put_program (DnHtmlTable *table, const DnView *view, JsonObject *program)
{
  const char *context = dn_facts_text (program, "context");
  g_autofree char *uid = dn_facts_number (program, "uid");
  g_autofree char *pid = dn_facts_number (program, "pid");
  g_autofree char *confinement = dn_describe_confinement (program);

  dn_html_table_row (table, DN_REPORT_GOOD);
  dn_html_table_open (table);
  dn_html_put (table->out, "<b>%s</b> %s<br>%s", dn_facts_text (program, "program"),
               dn_facts_text (program, "version"), dn_facts_text (program, "role"));
  if (*context != '\0')
    {
      g_string_append (table->out, ", ");
      put_context_link (table->out, view, context);
    }
  dn_html_table_close (table);
  dn_html_table_open (table);
  dn_html_put (table->out, "<code>%s</code><br><code class=\"digest\">%s</code>",
               dn_facts_text (program, "path"), dn_facts_text (program, "sha256"));
  dn_html_table_close (table);
  dn_html_table_text (table, uid);
  dn_html_table_text (table, pid);
  dn_html_table_text (table, confinement);
}

void
dn_page_chain (GString *out, const DnView *view)
{
  static const char *const headings[]
      = { "Program", "Path and SHA-256", "uid", "Process", "Confinement", NULL };
  JsonArray *chain = dn_facts_array (view->document, "chain");
  DnHtmlTable table;

  if (!begin_section (out, "chain", "Chain of programs", dn_facts_length (chain)))
    return;
  dn_html_table_begin (&table, out, "Each program that takes part", headings);
  for (guint i = 0; i < dn_facts_length (chain); i++)
    put_program (&table, view, dn_facts_nth (chain, i));
  dn_html_table_end (&table);
  g_string_append (out, "</section>\n");
}
