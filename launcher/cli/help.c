/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#define FLAG_COLUMNS 26
#define NAME_COLUMNS 12

static void
append_commands (GString *out, const DnCommand *commands)
{
  for (; commands->name != NULL; commands++)
    if (commands->summary != NULL)
      g_string_append_printf (out, "  %-*s%s\n", NAME_COLUMNS, commands->name, commands->summary);
}

/* Whether it holds commands that this version has. */
static gboolean
has_commands (const DnCommand *command)
{
  for (const DnCommand *child = command->children; child != NULL && child->name != NULL; child++)
    if (child->summary != NULL)
      return TRUE;
  return FALSE;
}

char *
dn_help_overview (const DnCommand *commands)
{
  GString *out = g_string_new (
      "danchi runs containers, each security context in a virtual machine of its own.\n\n"
      "usage: danchi [GLOBAL FLAGS] COMMAND [FLAGS] [WORDS]\n\n"
      "Commands:\n");

  append_commands (out, commands);
  g_string_append (
      out, "\nGlobal flags, before or after the command:\n"
           "      --format text|json    how to print; JSON is stable, text may change (audit: html "
           "too)\n"
           "      --socket PATH         where danchid listens (or DANCHI_SOCKET)\n"
           "      --session             use a danchid of your own, without root (or "
           "DANCHI_SESSION=1)\n"
           "      --allow-emulation     let a guest run without KVM: slow, and no security "
           "boundary\n"
           "  -v, --verbose             say each step on stderr (before the command; alone: "
           "the version)\n"
           "      --version             print the version\n"
           "  -h, --help                this page; after a command, the command's\n\n"
           "A first try:\n"
           "  danchi load -i nginx.tar --name nginx:demo\n"
           "  danchi run --rm -it nginx:demo sh\n\n"
           "See danchi(1).\n");
  return g_string_free (out, FALSE);
}

char *
dn_help_group (const DnCommand *command)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "usage: danchi %s COMMAND [FLAGS] [WORDS]\n\n%s\n\nCommands:\n",
                          command->name, command->summary);
  append_commands (out, command->children);
  g_string_append_printf (out, "\nSee danchi %s COMMAND --help.\n", command->name);
  return g_string_free (out, FALSE);
}

static void
append_flag (GString *out, const GOptionEntry *entry)
{
  g_autofree char *left = NULL;
  g_autofree char *value = entry->arg_description != NULL
                               ? g_strconcat (entry->arg_description[0] == '[' ? "" : " ",
                                              entry->arg_description, NULL)
                               : g_strdup ("");

  if (entry->short_name != '\0')
    left = g_strdup_printf ("-%c, --%s%s", entry->short_name, entry->long_name, value);
  else
    left = g_strdup_printf ("    --%s%s", entry->long_name, value);
  if (strlen (left) >= FLAG_COLUMNS)
    g_string_append_printf (out, "  %s\n  %*s%s\n", left, FLAG_COLUMNS, "", entry->description);
  else
    g_string_append_printf (out, "  %-*s%s\n", FLAG_COLUMNS, left, entry->description);
}

char *
dn_help_page (const DnCommand *command, const char *words, const GOptionEntry *entries)
{
  GString *out = g_string_new (NULL);
  gboolean has_flags = FALSE;

  g_string_append_printf (out, "usage: danchi %s%s%s\n", words, *command->usage != '\0' ? " " : "",
                          command->usage);
  if (has_commands (command))
    g_string_append_printf (out, "       danchi %s COMMAND [FLAGS] [WORDS]\n", words);
  g_string_append_printf (out, "\n%s\n", command->summary);
  for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++)
    if (!(entry->flags & G_OPTION_FLAG_HIDDEN))
      {
        g_string_append (out, has_flags ? "" : "\nFlags:\n");
        has_flags = TRUE;
        append_flag (out, entry);
      }
  if (has_commands (command))
    {
      g_string_append (out, "\nCommands:\n");
      append_commands (out, command->children);
    }
  if (command->examples != NULL)
    {
      g_auto (GStrv) lines = g_strsplit (command->examples, "\n", -1);

      g_string_append (out, "\nExamples:\n");
      for (char **line = lines; *line != NULL; line++)
        g_string_append_printf (out, "  %s\n", *line);
    }
  g_string_append (out, "\nGlobal flags: see danchi --help.\n");
  return g_string_free (out, FALSE);
}

const char *
dn_help_word (const DnCommand *command, guint index)
{
  g_auto (GStrv) words = g_strsplit (command->usage, " ", -1);

  for (char **word = words; *word != NULL; word++)
    {
      char *name = *word;

      if (*name == '[' || *name == '\0')
        continue;
      if (index-- > 0 && word[1] != NULL)
        continue;
      name[strcspn (name, ".]")] = '\0';
      return g_intern_string (name);
    }
  return "a word";
}
