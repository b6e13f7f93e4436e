/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include "describe.h"
#include "facts.h"
#include "html.h"
#include "value.h"

static void
put_fact (GString *out, const char *name, const char *value)
{
  dn_html_put (out, "<div><dt>%s</dt><dd>%s</dd></div>\n", name,
               *value != '\0' ? value : "unknown");
}

static char *
describe_swap (JsonObject *host)
{
  JsonArray *swaps = dn_facts_array (host, "memory.swaps");
  g_autofree char *size = dn_value_size (dn_facts_int (host, "memory.swap_bytes", -1));
  GString *out = g_string_new (size);

  for (guint i = 0; i < dn_facts_length (swaps); i++)
    {
      JsonObject *swap = dn_facts_nth (swaps, i);
      g_autofree char *bytes = dn_value_size (dn_facts_int (swap, "bytes", -1));

      g_string_append_printf (out, "; %s %s, encrypted: %s", dn_facts_text (swap, "name"), bytes,
                              dn_facts_yes_no (swap, "is_encrypted"));
    }
  return g_string_free (out, FALSE);
}

static void
put_facts (GString *out, JsonObject *host)
{
  g_autofree char *distribution = dn_describe_distribution (host);
  g_autofree char *kernel = dn_value_join (" ", dn_facts_text (host, "kernel.release"),
                                           dn_facts_text (host, "kernel.version"), NULL);
  g_autofree char *swap = describe_swap (host);
  const char *label = dn_facts_text (host, "lsm.danchid_label");
  g_autofree char *active = dn_facts_list (host, "lsm.active");

  g_string_append (out, "<dl>\n");
  put_fact (out, "Distribution", distribution);
  put_fact (out, "Kernel", kernel);
  put_fact (out, "Processor", dn_facts_text (host, "cpu.model"));
  put_fact (out, "SMT", dn_facts_text (host, "cpu.smt"));
  put_fact (out, "KSM on", dn_facts_yes_no (host, "memory.ksm"));
  put_fact (out, "Swap", swap);
  put_fact (out, "Security modules", active);
  put_fact (out, "AppArmor", dn_facts_text (host, "lsm.apparmor"));
  put_fact (out, "SELinux", dn_facts_text (host, "lsm.selinux"));
  put_fact (out, "Label of danchid",
            *label != '\0' || dn_facts_object (host, "lsm") == NULL ? label : "none");
  put_fact (out, "libvirt", dn_facts_text (host, "libvirt.version"));
  put_fact (out, "QEMU", dn_facts_text (host, "libvirt.qemu_version"));
  put_fact (out, "Connection", dn_facts_text (host, "libvirt.uri"));
  g_string_append (out, "</dl>\n");
}

static void
put_vulnerabilities (GString *out, JsonObject *host)
{
  static const char *const headings[] = { "Vulnerability", "Verdict", "State", NULL };
  JsonArray *vulnerabilities = dn_facts_array (host, "cpu.vulnerabilities");
  DnHtmlTable table;

  if (dn_facts_length (vulnerabilities) == 0)
    return;
  dn_html_table_begin (&table, out, "Vulnerabilities of the processor", headings);
  for (guint i = 0; i < dn_facts_length (vulnerabilities); i++)
    {
      JsonObject *one = dn_facts_nth (vulnerabilities, i);
      const char *is_vulnerable = dn_facts_yes_no (one, "is_vulnerable");
      DnReportVerdict verdict = g_str_equal (is_vulnerable, "no")    ? DN_REPORT_GOOD
                                : g_str_equal (is_vulnerable, "yes") ? DN_REPORT_BAD
                                                                     : DN_REPORT_UNKNOWN;

      dn_html_table_row (&table, verdict);
      dn_html_table_text (&table, dn_facts_text (one, "name"));
      dn_html_table_open (&table);
      dn_html_verdict (out, verdict,
                       verdict == DN_REPORT_GOOD  ? "not vulnerable"
                       : verdict == DN_REPORT_BAD ? "vulnerable"
                                                  : "unknown");
      dn_html_table_close (&table);
      dn_html_table_text (&table, dn_facts_text (one, "state"));
    }
  dn_html_table_end (&table);
}

static void
put_settings (GString *out, JsonObject *host)
{
  static const char *const headings[] = { "Setting", "Value", "File", NULL };
  JsonArray *settings = dn_facts_array (host, "libvirt.settings");
  DnHtmlTable table;

  if (dn_facts_length (settings) == 0)
    return;
  dn_html_table_begin (&table, out, "Settings of libvirt that matter", headings);
  for (guint i = 0; i < dn_facts_length (settings); i++)
    {
      JsonObject *setting = dn_facts_nth (settings, i);

      dn_html_table_row (&table, DN_REPORT_GOOD);
      dn_html_table_code (&table, dn_facts_text (setting, "key"));
      dn_html_table_code (&table, dn_facts_text (setting, "value"));
      dn_html_table_code (&table, dn_facts_text (setting, "file"));
    }
  dn_html_table_end (&table);
}

void
dn_page_host (GString *out, const DnView *view)
{
  JsonObject *host = dn_facts_object (view->document, "host");

  g_string_append (out, "<section id=\"host\"><h2>Host</h2>\n");
  put_facts (out, host);
  put_vulnerabilities (out, host);
  put_settings (out, host);
  g_string_append (out, "</section>\n");
}
