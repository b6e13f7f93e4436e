/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"
#include "facts.h"
#include "text.h"
#include "value.h"

static void
print_memory (DnPaper *paper, JsonObject *host)
{
  JsonArray *swaps = dn_facts_array (host, "memory.swaps");
  g_autofree char *size = dn_value_size (dn_facts_int (host, "memory.swap_bytes", -1));

  dn_paper_fact (paper, 2, "KSM on", dn_facts_yes_no (host, "memory.ksm"));
  dn_paper_fact (paper, 2, "swap", size);
  for (guint i = 0; i < dn_facts_length (swaps); i++)
    {
      JsonObject *swap = dn_facts_nth (swaps, i);
      g_autofree char *bytes = dn_value_size (dn_facts_int (swap, "bytes", -1));
      g_autofree char *encrypted
          = g_strdup_printf ("encrypted: %s", dn_facts_yes_no (swap, "is_encrypted"));
      g_autofree char *text
          = dn_value_join (", ", dn_facts_text (swap, "name"), bytes, encrypted, NULL);

      dn_paper_fact (paper, 2, "", text);
    }
}

static void
print_security_modules (DnPaper *paper, JsonObject *host)
{
  const char *label = dn_facts_text (host, "lsm.danchid_label");
  g_autofree char *active = dn_facts_list (host, "lsm.active");

  dn_paper_fact (paper, 2, "LSMs active", active);
  dn_paper_fact (paper, 2, "AppArmor", dn_facts_text (host, "lsm.apparmor"));
  dn_paper_fact (paper, 2, "SELinux", dn_facts_text (host, "lsm.selinux"));
  dn_paper_fact (paper, 2, "danchid's label",
                 *label != '\0' || dn_facts_object (host, "lsm") == NULL ? label : "none");
}

static void
print_libvirt (DnPaper *paper, JsonObject *host)
{
  JsonArray *settings = dn_facts_array (host, "libvirt.settings");

  dn_paper_fact (paper, 2, "libvirt", dn_facts_text (host, "libvirt.version"));
  dn_paper_fact (paper, 2, "QEMU", dn_facts_text (host, "libvirt.qemu_version"));
  dn_paper_fact (paper, 2, "connection", dn_facts_text (host, "libvirt.uri"));
  for (guint i = 0; i < dn_facts_length (settings); i++)
    {
      JsonObject *setting = dn_facts_nth (settings, i);
      const char *file = dn_facts_text (setting, "file");
      g_autofree char *place = *file != '\0' ? g_strdup_printf ("(%s)", file) : g_strdup ("");
      g_autofree char *pair = dn_value_join (" = ", dn_facts_text (setting, "key"),
                                             dn_facts_text (setting, "value"), NULL);
      g_autofree char *text = dn_value_join (" ", pair, place, NULL);

      dn_paper_fact (paper, 2, i == 0 ? "settings" : "", text);
    }
}

static void
print_vulnerabilities (DnPaper *paper, JsonObject *host)
{
  JsonArray *vulnerabilities = dn_facts_array (host, "cpu.vulnerabilities");
  g_autoptr (DnColumns) columns = dn_columns_new ("VULNERABILITY", "STATE", NULL);

  for (guint i = 0; i < dn_facts_length (vulnerabilities); i++)
    {
      JsonObject *one = dn_facts_nth (vulnerabilities, i);

      dn_columns_add (columns,
                      dn_facts_is (one, "is_vulnerable") && paper->use_color
                          ? dn_paper_verdict (paper, DN_REPORT_BAD)
                          : NULL,
                      dn_facts_text (one, "name"), dn_facts_text (one, "state"), NULL);
    }
  if (dn_columns_rows (columns) == 0)
    return;
  g_string_append_c (paper->out, '\n');
  dn_paper_table (paper, 2, columns);
}

void
dn_text_host (DnPaper *paper, const DnView *view)
{
  JsonObject *host = dn_facts_object (view->document, "host");
  g_autofree char *distribution = dn_describe_distribution (host);
  g_autofree char *kernel = dn_value_join (" ", dn_facts_text (host, "kernel.release"),
                                           dn_facts_text (host, "kernel.version"), NULL);

  dn_paper_heading (paper, "HOST");
  dn_paper_fact (paper, 2, "distribution", distribution);
  dn_paper_fact (paper, 2, "kernel", kernel);
  dn_paper_fact (paper, 2, "processor", dn_facts_text (host, "cpu.model"));
  dn_paper_fact (paper, 2, "SMT", dn_facts_text (host, "cpu.smt"));
  print_memory (paper, host);
  print_security_modules (paper, host);
  print_libvirt (paper, host);
  print_vulnerabilities (paper, host);
}
