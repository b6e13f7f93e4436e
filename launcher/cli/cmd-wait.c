/* SPDX-License-Identifier: Apache-2.0 */
/* danchi wait: for the end of containers, and their exit statuses. */
#include <stdio.h>

#include "answer.h"
#include "commands.h"
#include "each.h"
#include "options.h"

static void
print_exit_code (const char *name, JsonObject *ok)
{
  (void) name;
  printf ("%" G_GINT64_FORMAT "\n", dn_answer_int (ok, "exit_code", 0));
  fflush (stdout);
}

int
dn_cmd_wait (DnCli *cli, char **words)
{
  const GOptionEntry none[] = { DN_OPTION_END };
  g_auto (GStrv) names = NULL;
  int status;

  if (!dn_options_parse (cli, none, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return dn_each_call (cli, "container-wait", "container", names, NULL, print_exit_code);
}
