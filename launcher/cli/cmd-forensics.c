/* SPDX-License-Identifier: Apache-2.0 */
/* danchi forensics: a context's traces, into a directory with a manifest. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "each.h"
#include "escape.h"
#include "evidence.h"
#include "options.h"
#include "print.h"

typedef struct
{
  char *output;
  gboolean is_live;
  gboolean has_memory;
  gboolean is_frozen;
  gboolean is_resumed;
} Options;

typedef struct
{
  const char *context;
  const char *output;
  int ack_fd;
  DnEvidence *evidence; /* owned; NULL until danchid has agreed */
} Saving;

static gboolean
take_file (Saving *saving, JsonObject *file, const DnFdList *fds, GError **error)
{
  gint64 size = dn_answer_int (file, "size_bytes", -1);

  if (saving->evidence == NULL || fds->count != 1 || size < 0)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: evidence that cannot be read");
  return dn_evidence_add (saving->evidence, dn_answer_text (file, "name"), fds->fds[0],
                          (guint64) size, error);
}

static gboolean
begin (Saving *saving, JsonObject *object, GError **error)
{
  const char *key = dn_answer_text (object, "key");

  if (saving->evidence != NULL)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: began twice");
  saving->evidence
      = dn_evidence_open (saving->output, saving->context, *key != '\0' ? key : NULL, error);
  return saving->evidence != NULL;
}

static gboolean
take_event (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  Saving *saving = data;
  JsonObject *file = dn_answer_object (event, "file");
  JsonObject *object = dn_answer_object (event, "begin");

  if (file != NULL ? !take_file (saving, file, fds, error)
                   : object != NULL && !begin (saving, object, error))
    return FALSE;
  /* danchid waits for this before it goes on. */
  return send (saving->ack_fd, "k", 1, MSG_NOSIGNAL) == 1
         || dn_throw_errno (error, "danchid: the answer to a file");
}

static JsonObject *
make_args (const char *context, const Options *options)
{
  JsonObject *args = dn_args_new ("context", context);

  json_object_set_boolean_member (args, "live", options->is_live);
  json_object_set_boolean_member (args, "memory", options->has_memory);
  if (options->is_frozen || options->is_resumed)
    json_object_set_string_member (args, "after", options->is_frozen ? "freeze" : "resume");
  return args;
}

static void
print_summary (JsonObject *ok, const char *output)
{
  JsonArray *missing = dn_answer_array (ok, "missing");
  g_autofree char *context = dn_escape_text (dn_answer_text (ok, "context"), -1);
  g_autofree char *state = dn_escape_text (dn_answer_text (ok, "state"), -1);
  g_autofree char *directory = dn_escape_text (output, -1);

  printf ("%s: %d files; context '%s' is %s\n", directory, (int) dn_answer_int (ok, "files", 0),
          context, state);
  for (guint i = 0; i < dn_answer_length (missing); i++)
    {
      JsonObject *one = dn_answer_nth (missing, i);
      g_autofree char *name = dn_escape_text (dn_answer_text (one, "name"), -1);
      g_autofree char *reason = dn_escape_text (dn_answer_text (one, "reason"), -1);

      printf ("not saved: %s: %s\n", name, reason);
    }
}

/* What is there of it, said to be incomplete; where even that cannot be written, the first manifest
 * says so. */
static int
fail (DnCli *cli, Saving *saving, const GError *problem)
{
  if (saving->evidence != NULL)
    (void) dn_evidence_finish (saving->evidence, NULL, problem->message, NULL);
  return dn_cli_fail (cli, problem);
}

static int
save (DnCli *cli, Saving *saving, const Options *options)
{
  dn_autofd int mine = -1, danchids = -1;
  DnFdList fds = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &fds, .event = take_event, .data = saving };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  const char *problem;
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    {
      dn_throw_errno (&error, "socket");
      return dn_cli_fail (cli, error);
    }
  mine = pair[0];
  danchids = pair[1];
  saving->ack_fd = mine;
  fds.fds[fds.count++] = danchids;
  ok = dn_cli_call (cli, "forensics", make_args (saving->context, options), &call, &error);
  dn_fd_list_clear (&call.ret_fds);
  if (ok == NULL)
    return fail (cli, saving, error);
  if (saving->evidence == NULL)
    dn_throw (&error, DN_ERROR_PROTOCOL, "danchid: ended before it began");
  problem = dn_answer_text (ok, "problem");
  if (error != NULL
      || !dn_evidence_finish (saving->evidence, ok, *problem != '\0' ? problem : NULL, &error))
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_object (ok);
  else
    print_summary (ok, saving->output);
  if (*problem == '\0')
    return DN_EXIT_DONE;
  dn_throw (&error, DN_ERROR_FAILED, "context '%s': %s\nthe rest is saved in '%s'", saving->context,
            problem, saving->output);
  return dn_cli_fail (cli, error);
}

int
dn_cmd_forensics (DnCli *cli, char **words)
{
  Options options = { 0 };
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
      "Where to: a directory that is new, or empty", "DIR" },
    { "memory", 0, 0, G_OPTION_ARG_NONE, &options.has_memory, "The guest's memory, too", NULL },
    { "live", 0, 0, G_OPTION_ARG_NONE, &options.is_live, "Without freezing the guest", NULL },
    { "freeze", 0, 0, G_OPTION_ARG_NONE, &options.is_frozen,
      "Leave it frozen: danchi context thaw lets it go on", NULL },
    { "resume", 0, 0, G_OPTION_ARG_NONE, &options.is_resumed,
      "Let it go on, also where it was frozen before", NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, 1, &names, &status))
    return status;
  if (options.output == NULL)
    status = dn_cli_fail_usage (cli, "-o DIR is missing: where to save it");
  else if (options.is_frozen && (options.is_live || options.is_resumed))
    status = dn_cli_fail_usage (cli, "--freeze: not with --live or --resume");
  else
    {
      Saving saving = { .context = names[0], .output = options.output };

      status = save (cli, &saving, &options);
      dn_evidence_free (saving.evidence);
    }
  g_free (options.output);
  return status;
}

int
dn_cmd_context_thaw (DnCli *cli, char **words)
{
  return dn_each_run_plain (cli, "context-thaw", "context", words);
}
