/* SPDX-License-Identifier: Apache-2.0 */
/* danchi context size: what a guest's size comes to, for its containers and for the host. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "limit-options.h"
#include "options.h"
#include "print.h"
#include "units.h"

static const struct
{
  const char *member;
  const char *what;
  gboolean is_shown_always;
} rows[] = {
  { "memory_bytes", "guest: memory", TRUE },
  { "system_bytes", "guest: kernel and agent", TRUE },
  { "container_bytes", "guest: left to containers", TRUE },
  { "table_bytes", "host: page tables", TRUE },
  { "qemu_bytes", "host: QEMU", TRUE },
  { "vcpu_bytes", "host: processors", TRUE },
  { "disk_bytes", "host: disks", TRUE },
  { "network_bytes", "host: network", FALSE },
  { "bind_bytes", "host: binds", FALSE },
  { "emulation_bytes", "host: emulation", FALSE },
  { "host_limit_bytes", "host: limit, with the guest's memory", TRUE },
};

static void
add_bytes (DnTable *table, const char *what, gint64 bytes)
{
  g_autofree char *text = dn_units_format_size (bytes);

  dn_table_add (table, what, text, NULL);
}

static void
print_size (JsonObject *ok)
{
  g_autoptr (DnTable) table = dn_table_new ("WHAT", "BYTES", NULL);
  JsonObject *size = dn_answer_object (ok, "size");
  JsonArray *formula = size != NULL ? dn_answer_array (size, "formula") : NULL;

  if (size == NULL)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].is_shown_always || dn_answer_int (size, rows[i].member, 0) != 0)
      add_bytes (table, rows[i].what, dn_answer_int (size, rows[i].member, 0));
  if (json_object_has_member (ok, "container_limits_bytes"))
    add_bytes (table, "limits of its containers together",
               dn_answer_int (ok, "container_limits_bytes", 0));
  if (dn_answer_int (ok, "balloon_bytes", 0) != 0)
    add_bytes (table, "asked to keep to, by its balloon", dn_answer_int (ok, "balloon_bytes", 0));
  if (json_object_has_member (ok, "least_memory_bytes"))
    add_bytes (table, "least memory of a guest for that container",
               dn_answer_int (ok, "least_memory_bytes", 0));
  dn_print_table (table);
  printf ("\n");
  for (guint i = 0; i < dn_answer_length (formula); i++)
    dn_print_line (json_array_get_string_element (formula, i));
}

int
dn_cmd_context_size (DnCli *cli, char **words)
{
  g_autofree char *memory = NULL, *cpus = NULL, *container = NULL;
  const GOptionEntry entries[] = {
    { "memory", 'm', 0, G_OPTION_ARG_FILENAME, &memory, "Memory of the guest", "SIZE" },
    { "cpus", 0, 0, G_OPTION_ARG_FILENAME, &cpus, "Its processors", "NUMBER" },
    { "container-memory", 0, 0, G_OPTION_ARG_FILENAME, &container,
      "The memory limit of a container that is to fit", "SIZE" },
    DN_OPTION_END,
  };
  g_autoptr (JsonObject) args = json_object_new ();
  g_autoptr (JsonObject) ok = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = NULL;
  int status;

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 1, &names, &status))
    return status;
  if (!dn_limit_set_size (args, "memory_bytes", "--memory", memory, FALSE, &error)
      || !dn_limit_set_int (args, "vcpus", "--cpus", cpus, 1, 1024, &error)
      || !dn_limit_set_size (args, "container_bytes", "--container-memory", container, FALSE,
                             &error))
    return dn_cli_fail_usage_error (cli, error);
  dn_args_set_text (args, "context", names[0]);
  ok = dn_cli_call (cli, "context-size", g_steal_pointer (&args), NULL, &error);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_size (ok);
  return DN_EXIT_DONE;
}
