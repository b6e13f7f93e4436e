/* SPDX-License-Identifier: Apache-2.0 */
/* danchi cp: files in or out of a container, placed as docker cp places them. */
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "copy-in.h"
#include "copy-out.h"
#include "options.h"
#include "print.h"
#include "units.h"

/* A guest could send for ever: what is over this needs --max-size. */
#define OUT_MAX_BYTES ((gint64) 16 << 30)

typedef struct
{
  DnCopySpec source;
  DnCopySpec destination;
  gint64 max_bytes;
  DnCopyReader reader;
  const char *name; /* in: what the source is called there; borrowed */
  GError *error;    /* owned; of the copy itself, until danchid has had its say */
  gboolean was_ready;
} Copy;

/* Takes the stream out of a "ready" event; -1: it is something else. */
static int
take_stream (JsonObject *event, DnFdList *fds)
{
  if (!dn_answer_is (event, "ready") || fds->count != 1)
    return -1;
  fds->count = 0;
  return fds->fds[0];
}

static gboolean
receive (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  Copy *copy = data;
  dn_autofd int fd = take_stream (event, fds);

  if (fd < 0 || copy->was_ready)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: no stream to copy from");
  copy->was_ready = TRUE;
  copy->reader = (DnCopyReader){ .fd = fd, .bytes_left = (guint64) copy->max_bytes };
  /* What failed here ends it; a stream that just stopped has its reason in danchid's answer. */
  return dn_copy_out_receive (&copy->reader, &copy->source, &copy->destination, error);
}

static int
copy_out (DnCli *cli, Copy *copy)
{
  DnClientCall call = { .event = receive, .data = copy };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args = dn_args_new ("container", copy->source.container);

  json_object_set_string_member (args, "path", copy->source.path);
  ok = dn_cli_call (cli, "container-copy-out", args, &call, &error);
  dn_fd_list_clear (&call.ret_fds);
  if (ok != NULL && !copy->reader.has_ended)
    dn_throw (&error, DN_ERROR_PROTOCOL, "copy: the guest's data is not complete");
  return error == NULL ? DN_EXIT_DONE : dn_cli_fail (cli, error);
}

static gboolean
look (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  DnCopyKind *kind = data;
  dn_autofd int fd = take_stream (event, fds);
  DnCopyReader reader = { .fd = fd, .bytes_left = G_MAXUINT64 };
  g_autofree DnCopyItem *item = g_new0 (DnCopyItem, 1);
  int r;

  if (fd < 0)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: no stream to copy from");
  r = dn_copy_reader_next (&reader, item, error);
  if (r > 0)
    *kind = item->entry.kind;
  return r >= 0;
}

/* What is at @path in the container: the first entry of a copy out tells; the rest is not wanted.
 * DN_COPY_END: nothing. A connection of its own, which is closed before the copy is through. */
static gboolean
find_kind (DnCli *cli, const char *container, const char *path, DnCopyKind *ret_kind,
           GError **error)
{
  DnCopyKind kind = DN_COPY_END;
  DnClientCall call = { .event = look, .data = &kind };
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args = dn_args_new ("container", container);

  json_object_set_string_member (args, "path", path);
  ok = dn_cli_call (cli, "container-copy-out", args, &call, &local);
  dn_fd_list_clear (&call.ret_fds);
  g_clear_pointer (&cli->client, dn_client_free);
  /* Once an entry has come, how the rest ended does not matter: its reader was closed. */
  if (ok == NULL && kind == DN_COPY_END && !g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND)
      && !g_error_matches (local, DN_ERROR, DN_ERROR_GUEST))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  *ret_kind = kind;
  return TRUE;
}

/* Decides, as docker does, which directory gets what under which name. (transfer full) both */
static gboolean
place (DnCli *cli, const Copy *copy, gboolean is_directory, char **ret_directory, char **ret_name,
       GError **error)
{
  const DnCopySpec *there = &copy->destination;
  DnCopyKind kind;

  if (!find_kind (cli, there->container, there->path, &kind, error))
    return FALSE;
  if (kind == DN_COPY_DIRECTORY || kind == DN_COPY_LINK
      || (kind == DN_COPY_END && there->must_be_directory && !is_directory))
    {
      /* A link to a directory is one; a link to something else, and a directory that is not there,
       * the guest will refuse in its own words. */
      *ret_directory = g_strdup (there->path);
      *ret_name = is_directory && copy->source.is_contents
                      ? g_strdup ("")
                      : g_path_get_basename (copy->source.path);
      return TRUE;
    }
  if (kind == DN_COPY_FILE && (is_directory || there->must_be_directory))
    return dn_throw (error, DN_ERROR_USAGE, "copy: '%s:%s': is no directory", there->container,
                     there->path);
  *ret_directory = g_path_get_dirname (there->path);
  *ret_name = g_path_get_basename (there->path);
  return TRUE;
}

static gboolean
send_tree (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  Copy *copy = data;
  dn_autofd int fd = take_stream (event, fds);

  if (fd < 0 || copy->was_ready)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: no stream to copy to");
  copy->was_ready = TRUE;
  /* Kept, not returned: when the guest stopped reading, danchid's answer says why, and better. */
  (void) dn_copy_in_send (fd, copy->source.path, copy->name, &copy->error);
  return TRUE;
}

static int
copy_in (DnCli *cli, Copy *copy)
{
  DnClientCall call = { .event = send_tree, .data = copy };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  g_autofree char *directory = NULL;
  g_autofree char *name = NULL;
  JsonObject *args;
  struct stat status;

  if (stat (copy->source.path, &status) < 0)
    {
      dn_throw_errno (&error, "copy: '%s'", copy->source.path);
      return dn_cli_fail (cli, error);
    }
  if (!place (cli, copy, S_ISDIR (status.st_mode), &directory, &name, &error))
    return dn_cli_fail (cli, error);
  copy->name = name;
  args = dn_args_new ("container", copy->destination.container);
  json_object_set_string_member (args, "path", directory);
  ok = dn_cli_call (cli, "container-copy-in", args, &call, &error);
  dn_fd_list_clear (&call.ret_fds);
  /* That the guest took no more is the shadow of its reason, which danchid has; whatever else went
   * wrong while the tree was read is the reason itself. */
  if (copy->error != NULL
      && (ok != NULL || !g_error_matches (copy->error, DN_ERROR, DN_ERROR_GUEST)))
    return dn_cli_fail (cli, copy->error);
  return ok != NULL ? DN_EXIT_DONE : dn_cli_fail (cli, error);
}

static int
cp (DnCli *cli, const char *max_size, char **words)
{
  Copy copy = { .max_bytes = OUT_MAX_BYTES };
  g_autoptr (GError) error = NULL;
  int status;

  if ((max_size != NULL && !dn_units_parse_size (max_size, &copy.max_bytes, &error))
      || !dn_copy_spec_parse (words[0], &copy.source, &error)
      || !dn_copy_spec_parse (words[1], &copy.destination, &error))
    status = dn_cli_fail_usage_error (cli, error);
  else if ((copy.source.container != NULL) == (copy.destination.container != NULL))
    status = dn_cli_fail_usage (cli, "one of the two must be CONTAINER:PATH");
  else
    {
      /* The guest's end may close while we write: that is an error to report, not to die of. */
      (void) signal (SIGPIPE, SIG_IGN);
      status = copy.source.container != NULL ? copy_out (cli, &copy) : copy_in (cli, &copy);
    }
  dn_copy_spec_clear (&copy.source);
  dn_copy_spec_clear (&copy.destination);
  g_clear_error (&copy.error);
  return status;
}

int
dn_cmd_cp (DnCli *cli, char **words)
{
  g_autofree char *max_size = NULL;
  g_auto (GStrv) paths = NULL;
  gboolean is_archive = FALSE, is_quiet = FALSE;
  int status;

  const GOptionEntry entries[] = {
    { "max-size", 0, 0, G_OPTION_ARG_FILENAME, &max_size,
      "Refuse more bytes than this from a container (16g)", "SIZE" },
    { "archive", 'a', G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &is_archive, NULL, NULL },
    { "quiet", 'q', G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &is_quiet, NULL, NULL },
    DN_OPTION_END,
  };

  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 2, 2, &paths, &status))
    return status;
  if (is_archive)
    return dn_cli_fail_usage (cli, "--archive: not built yet in this version");
  return cp (cli, max_size, paths);
}
