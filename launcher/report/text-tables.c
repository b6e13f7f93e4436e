/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"
#include "facts.h"
#include "text.h"
#include "value.h"

static const char *
style_if (const DnPaper *paper, gboolean is_marked)
{
  return is_marked && paper->use_color ? dn_paper_verdict (paper, DN_REPORT_ATTENTION) : NULL;
}

void
dn_text_machines (DnPaper *paper, const DnView *view)
{
  JsonArray *machines = dn_facts_array (view->document, "machines");
  g_autoptr (DnColumns) columns
      = dn_columns_new ("WHOSE", "MACHINE", "HYPERVISOR", "PID", "UID", "FROM", NULL);

  for (guint i = 0; i < dn_facts_length (machines); i++)
    {
      JsonObject *machine = dn_facts_nth (machines, i);
      const char *context = dn_facts_text (machine, "context");
      gboolean is_ours = dn_facts_is (machine, "is_danchi");
      g_autofree char *pid = dn_facts_number (machine, "pid");
      g_autofree char *uid = dn_facts_number (machine, "uid");

      dn_columns_add (columns, style_if (paper, !is_ours),
                      !is_ours           ? "foreign"
                      : *context != '\0' ? context
                                         : "danchi",
                      dn_facts_text (machine, "name"), dn_facts_text (machine, "hypervisor"), pid,
                      uid, dn_facts_text (machine, "source"), NULL);
    }
  dn_paper_heading (paper, "VIRTUAL MACHINES");
  dn_paper_table (paper, 2, columns);
}

void
dn_text_runtimes (DnPaper *paper, const DnView *view)
{
  g_autoptr (DnColumns) columns
      = dn_columns_new ("RUNTIME", "KIND", "PATH", "PID", "UID", "MODE", NULL);

  for (guint i = 0; i < view->runtimes->len; i++)
    {
      JsonObject *runtime = view->runtimes->pdata[i];
      g_autofree char *pid = dn_facts_number (runtime, "pid");
      g_autofree char *uid = dn_facts_number (runtime, "uid");

      dn_columns_add (columns, style_if (paper, TRUE), dn_facts_text (runtime, "name"),
                      dn_facts_text (runtime, "kind"), dn_facts_text (runtime, "path"), pid, uid,
                      dn_facts_text (runtime, "mode"), NULL);
    }
  dn_paper_heading (paper, "CONTAINER RUNTIMES OUTSIDE OF GUESTS");
  dn_paper_table (paper, 2, columns);
}

void
dn_text_listeners (DnPaper *paper, const DnView *view)
{
  JsonArray *listeners = dn_facts_array (view->document, "listeners");
  g_autoptr (DnColumns) columns
      = dn_columns_new ("EXPOSURE", "PROTO", "ADDRESS", "PROCESS", "UID", "SERVICE", NULL);

  for (guint i = 0; i < dn_facts_length (listeners); i++)
    {
      JsonObject *listener = dn_facts_nth (listeners, i);
      const char *exposure = dn_facts_text (listener, "exposure");
      g_autofree char *port = dn_view_port (listener);
      g_autofree char *address = dn_value_address (dn_facts_text (listener, "address"), port);
      g_autofree char *pid = dn_facts_number (listener, "pid");
      g_autofree char *uid = dn_facts_number (listener, "uid");
      g_autofree char *process
          = dn_value_join (" ", dn_facts_text (listener, "process"), pid, NULL);

      dn_columns_add (columns, style_if (paper, dn_view_is_open (listener)),
                      *exposure != '\0' ? exposure : "unknown",
                      dn_facts_text (listener, "protocol"), address, process, uid,
                      dn_facts_text (listener, "service"), NULL);
    }
  dn_paper_heading (paper, "LISTENERS OF THE HOST");
  dn_paper_table (paper, 2, columns);
}

void
dn_text_chain (DnPaper *paper, const DnView *view)
{
  JsonArray *chain = dn_facts_array (view->document, "chain");

  /* A digest fits into 80 columns. */
  paper->name_columns = 12;
  dn_paper_heading (paper, "CHAIN OF PROGRAMS");
  if (dn_facts_length (chain) == 0)
    dn_paper_text (paper, 2, dn_paper_faint (paper), "unknown");
  for (guint i = 0; i < dn_facts_length (chain); i++)
    {
      JsonObject *program = dn_facts_nth (chain, i);
      const char *context = dn_facts_text (program, "context");
      const char *role = dn_facts_text (program, "role");
      g_autofree char *uid = dn_facts_number (program, "uid");
      g_autofree char *pid = dn_facts_number (program, "pid");
      g_autofree char *as = *uid != '\0' ? g_strdup_printf ("uid %s", uid) : g_strdup ("");
      g_autofree char *number = *pid != '\0' ? g_strdup_printf ("pid %s", pid) : g_strdup ("");
      g_autofree char *whose
          = *context != '\0' ? g_strdup_printf ("context %s", context) : g_strdup ("");
      g_autofree char *named = dn_value_join (" ", dn_facts_text (program, "program"),
                                              dn_facts_text (program, "version"), NULL);
      g_autofree char *title = dn_value_join (", ", named, role, whose, as, number, NULL);
      g_autofree char *confinement = dn_describe_confinement (program);

      dn_paper_text (paper, 2, dn_paper_bold (paper), *title != '\0' ? title : "a program");
      dn_paper_fact (paper, 4, "path", dn_facts_text (program, "path"));
      dn_paper_fact (paper, 4, "sha256", dn_facts_text (program, "sha256"));
      dn_paper_fact (paper, 4, "confinement", confinement);
    }
}
