/* SPDX-License-Identifier: Apache-2.0 */
/* danchi load: an image archive, from a file or standard input, into the store.
 *
 * Nothing of the archive is read here: danchid gets the descriptor, and a guest of its own unpacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"

typedef struct
{
  char *input;
  char *name;
  char *reference;
  char *signature;
  char *checksum;
  gboolean is_quiet;
} LoadOptions;

static int
open_archive (const char *path, GError **error)
{
  dn_autofd int fd = -1;
  struct stat status;

  if (path == NULL || g_str_equal (path, "-"))
    {
      if (isatty (STDIN_FILENO))
        {
          dn_throw (error, DN_ERROR_USAGE,
                    "standard input is a terminal, not an archive\n"
                    "danchi load -i FILE, or: ... | danchi load");
          return -1;
        }
      fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    }
  else
    fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &status) < 0)
    {
      dn_throw (error, DN_ERROR_FAILED, "'%s': %s", path != NULL ? path : "standard input",
                g_strerror (errno));
      return -1;
    }
  if (S_ISDIR (status.st_mode))
    {
      dn_throw (error, DN_ERROR_FAILED,
                "'%s': is a directory\n"
                "load takes a docker-archive or an OCI archive, both tar",
                path);
      return -1;
    }
  return g_steal_fd (&fd);
}

/* What goes with the archive; read by danchid's jail, not here. */
static gboolean
add_file (const char *path, DnFdList *fds, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status;

  if (fd < 0)
    return dn_throw (error, DN_ERROR_FAILED, "'%s': %s", path, g_strerror (errno));
  fds->fds[fds->count++] = fd;
  if (fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    return dn_throw (error, DN_ERROR_FAILED, "'%s': is no file", path);
  return TRUE;
}

static gboolean
add_files (const LoadOptions *options, DnFdList *fds, JsonObject *args, GError **error)
{
  if (options->checksum != NULL && options->signature == NULL)
    return dn_throw (error, DN_ERROR_USAGE,
                     "--checksum: is the file that --signature is over\n"
                     "danchi load --signature FILE --checksum FILE -i ARCHIVE");
  if (options->signature != NULL)
    {
      json_object_set_boolean_member (args, "signature", TRUE);
      if (!add_file (options->signature, fds, error))
        return FALSE;
    }
  if (options->checksum != NULL)
    {
      json_object_set_boolean_member (args, "checksum", TRUE);
      if (!add_file (options->checksum, fds, error))
        return FALSE;
    }
  return TRUE;
}

static void
print_signature (JsonObject *image)
{
  const char *words = dn_answer_text (image, "signature");
  g_autofree char *text = dn_escape_text (words, -1);

  if (*words != '\0')
    printf ("Signature: %s\n", text);
}

static void
print_loaded (const LoadOptions *options, JsonArray *images)
{
  for (guint i = 0; i < dn_answer_length (images); i++)
    {
      JsonObject *image = dn_answer_nth (images, i);
      JsonArray *names = image != NULL ? dn_answer_array (image, "names") : NULL;
      g_autofree char *id = NULL;

      if (image == NULL)
        continue;
      if (options->is_quiet)
        {
          dn_print_line (dn_answer_text (image, "id"));
          continue;
        }
      id = dn_escape_text (dn_answer_text (image, "id"), -1);
      if (dn_answer_length (names) == 0)
        printf ("Loaded image ID: %s\n", id);
      for (guint n = 0; n < dn_answer_length (names); n++)
        {
          JsonNode *node = json_array_get_element (names, n);
          g_autofree char *name = json_node_get_value_type (node) == G_TYPE_STRING
                                      ? dn_escape_text (json_node_get_string (node), -1)
                                      : NULL;

          printf ("Loaded image: %s\n", name != NULL ? name : "");
        }
      if (options->signature != NULL)
        print_signature (image);
    }
}

static int
load (DnCli *cli, const LoadOptions *options)
{
  DnFdList fds = DN_FD_LIST_INIT;
  DnClientCall call = { .fds = &fds };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  JsonObject *args;
  int fd = open_archive (options->input, &error);

  if (fd < 0)
    return dn_cli_fail_usage_error (cli, error);
  fds.fds[fds.count++] = fd;
  args = dn_args_new ("name", options->name);
  dn_args_set_text (args, "reference", options->reference);
  if (!add_files (options, &fds, args, &error))
    {
      dn_fd_list_clear (&fds);
      json_object_unref (args);
      return dn_cli_fail_usage_error (cli, error);
    }
  if (cli->allow_emulation)
    json_object_set_boolean_member (args, "allow_emulation", TRUE);
  ok = dn_cli_call (cli, "image-load", args, &call, &error);
  dn_fd_list_clear (&fds);
  dn_fd_list_clear (&call.ret_fds);
  if (ok == NULL)
    return dn_cli_fail (cli, error);
  if (cli->is_json)
    dn_print_array (dn_answer_array (ok, "images"));
  else
    print_loaded (options, dn_answer_array (ok, "images"));
  return DN_EXIT_DONE;
}

int
dn_cmd_load (DnCli *cli, char **words)
{
  LoadOptions options = { 0 };
  g_auto (GStrv) none = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME, &options.input,
      "The archive; without it standard input", "FILE" },
    { "name", 0, 0, G_OPTION_ARG_FILENAME, &options.name,
      "Give it this name in place of the archive's", "NAME" },
    { "reference", 0, 0, G_OPTION_ARG_FILENAME, &options.reference,
      "Which one, of an archive with several images", "REFERENCE" },
    { "signature", 0, 0, G_OPTION_ARG_FILENAME, &options.signature,
      "A detached signature over the archive, or over --checksum: GPG's or minisign's", "FILE" },
    { "checksum", 0, 0, G_OPTION_ARG_FILENAME, &options.checksum,
      "The file with the archive's SHA-256 that was signed in its place", "FILE" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &options.is_quiet, "Print the id only", NULL },
    DN_OPTION_END,
  };

  if (dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 0, 0, &none, &status))
    status = load (cli, &options);
  g_free (options.input);
  g_free (options.name);
  g_free (options.reference);
  g_free (options.signature);
  g_free (options.checksum);
  return status;
}
