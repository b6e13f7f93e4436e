/* SPDX-License-Identifier: Apache-2.0 */
/* danchi help, and the words that later versions bring. */
#include <stdio.h>

#include "../common/error.h"
#include "commands.h"
#include "help.h"
#include "options.h"

int
dn_cmd_help (DnCli *cli, char **words)
{
  const DnCommand *command;
  g_autofree char *page = NULL;
  char *ask_help[] = { (char *) "--help", NULL };

  if (words[0] == NULL || words[0][0] == '-')
    {
      page = dn_help_overview (dn_commands);
      fputs (page, stdout);
      return DN_EXIT_DONE;
    }
  command = dn_command_find (dn_commands, words[0]);
  if (command == NULL)
    return dn_cli_fail_usage (cli, "'%s': no such command", words[0]);
  if (command->run == NULL && words[1] == NULL)
    {
      page = dn_help_group (command);
      fputs (page, stdout);
      return DN_EXIT_DONE;
    }
  g_free (cli->command_words);
  if (command->children != NULL && words[1] != NULL)
    {
      const DnCommand *child = dn_command_find (command->children, words[1]);

      cli->command_words = g_strdup_printf ("%s %s", words[0], words[1]);
      if (child == NULL)
        return dn_cli_fail_usage (cli, "no such command");
      command = child;
    }
  else
    cli->command_words = g_strdup (command->name);
  cli->command = command;
  return command->run (cli, ask_help);
}

int
dn_cmd_commit (DnCli *cli, char **words)
{
  g_autoptr (GError) error = NULL;

  (void) words;
  dn_throw (&error, DN_ERROR_USAGE,
            "commit: there is none on purpose: an image is what was built, signed and scanned\n"
            "build the image and load it; danchi cp copies files out");
  return dn_cli_fail (cli, error);
}

int
dn_cmd_unbuilt (DnCli *cli, char **words)
{
  g_autoptr (GError) error = NULL;

  (void) words;
  dn_throw (&error, DN_ERROR_USAGE, "%s: not built yet in this version\nsee danchi --help",
            cli->command_words);
  return dn_cli_fail (cli, error);
}
