/* SPDX-License-Identifier: Apache-2.0 */
/* danchi stop and restart: the two that give a container time to end. */
#include <string.h>

#include "../common/signal-name.h"
#include "commands.h"
#include "each.h"
#include "options.h"
#include "units.h"
#include "volume-keys.h"

typedef struct
{
  char *timeout; /* owned, as both; as given */
  char *signal;
} EndOptions;

static void
clear_end (EndOptions *options)
{
  g_free (options->timeout);
  g_free (options->signal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EndOptions, clear_end)

#define END_ROWS 3

static void
fill_end (EndOptions *options, GOptionEntry *ret_rows)
{
  const GOptionEntry rows[END_ROWS] = {
    { "time", 't', 0, G_OPTION_ARG_FILENAME, &options->timeout,
      "How long it may take until it is killed; -1: as long as it takes", "SECONDS" },
    { "timeout", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &options->timeout, NULL, NULL },
    { "signal", 's', 0, G_OPTION_ARG_FILENAME, &options->signal,
      "What it is sent, in place of its own stop signal", "SIGNAL" },
  };

  memcpy (ret_rows, rows, sizeof rows);
}

/* Without --time it is the container's own.  FALSE with @ret_status: it was printed */
static gboolean
read_end (DnCli *cli, const EndOptions *options, JsonObject *args, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  gint64 seconds;
  guint number;

  if (options->timeout != NULL)
    {
      if (!dn_units_parse_int (options->timeout, -1, DN_EACH_PATIENT_S, &seconds, &error))
        {
          *ret_status = dn_cli_fail_usage (cli, "--time: %s", error->message);
          return FALSE;
        }
      json_object_set_int_member (args, "timeout_s", seconds < 0 ? DN_EACH_PATIENT_S : seconds);
    }
  if (options->signal != NULL)
    {
      if (!dn_signal_parse (options->signal, &number, &error))
        {
          *ret_status = dn_cli_fail_usage (cli, "--signal: %s", error->message);
          return FALSE;
        }
      json_object_set_string_member (args, "signal", options->signal);
    }
  return TRUE;
}

int
dn_cmd_stop (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_auto (EndOptions) options = { 0 };
  g_auto (GStrv) names = NULL;
  GOptionEntry entries[END_ROWS + 1] = { 0 };
  int status;

  fill_end (&options, entries);
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status)
      || !read_end (cli, &options, args, &status))
    return status;
  return dn_each_call (cli, "container-stop", "container", names, args, NULL);
}

static int
restart (DnCli *cli, char **texts, char **names, JsonObject *args)
{
  g_autoptr (GError) error = NULL;
  DnFdList keys = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &keys };
  int status;

  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  if (dn_volume_keys_open (texts, args, &keys, &error))
    status = dn_each_call_with (cli, "container-restart", "container", names, args, &call);
  else
    status = dn_cli_fail (cli, error);
  dn_fd_list_clear (&keys);
  return status;
}

int
dn_cmd_restart (DnCli *cli, char **words)
{
  g_autoptr (JsonObject) args = json_object_new ();
  g_auto (EndOptions) options = { 0 };
  g_auto (GStrv) names = NULL, keys = NULL;
  int status;

  GOptionEntry entries[END_ROWS + 2] = {
    [END_ROWS] = { "volume-key", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keys,
                   "The key of an encrypted volume, where its guest is gone", "NAME=FILE" },
  };

  fill_end (&options, entries);
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status)
      || !read_end (cli, &options, args, &status))
    return status;
  return restart (cli, keys, names, args);
}
