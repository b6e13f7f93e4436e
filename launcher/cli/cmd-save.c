/* SPDX-License-Identifier: Apache-2.0 */
/* danchi save: images as an archive, into a file or standard output.
 *
 * danchid opens the blobs for reading; the archive is written here, with the caller's own rights.
 * A file gets its name when it is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "answer.h"
#include "commands.h"
#include "escape.h"
#include "options.h"
#include "print.h"
#include "save-archive.h"
#include "units.h"

#define DIGEST_DIGITS 64

/* Where the archive goes. */
typedef struct
{
  int fd;               /* owned */
  const char *path;     /* the file that it becomes, or NULL: it is written as it is */
  gboolean has_no_name; /* the file has none yet (O_TMPFILE) */
} Output;

/* A file that is no plain one, a pipe or a device, is written as it is. */
static gboolean
open_output (const char *path, Output *output, GError **error)
{
  g_autofree char *directory = path != NULL ? g_path_get_dirname (path) : NULL;
  struct stat status;

  *output = (Output){ .fd = -1 };
  if (path == NULL || g_str_equal (path, "-"))
    {
      if (isatty (STDOUT_FILENO))
        return dn_throw (error, DN_ERROR_USAGE,
                         "standard output is a terminal, which an archive would garble\n"
                         "danchi save -o FILE, or: danchi save ... | ...");
      output->fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
      return output->fd >= 0 || dn_throw_errno (error, "standard output");
    }
  if (stat (path, &status) == 0 && !S_ISREG (status.st_mode))
    {
      if (S_ISDIR (status.st_mode))
        return dn_throw (error, DN_ERROR_USAGE, "'%s': is a directory", path);
      output->fd = open (path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
      return output->fd >= 0 || dn_throw_errno (error, "'%s'", path);
    }
  output->path = path;
  output->fd = open (directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  output->has_no_name = output->fd >= 0;
  if (output->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
    output->fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  return output->fd >= 0 || dn_throw_errno (error, "'%s'", path);
}

/* From here on the file has its name; one that was there before is replaced. */
static gboolean
name_output (const Output *output, GError **error)
{
  char id[DN_ID_BYTES + 1];
  g_autofree char *self = g_strdup_printf ("/proc/self/fd/%d", output->fd);
  g_autofree char *beside = NULL;
  int saved;

  if (output->path == NULL)
    return TRUE;
  if (fsync (output->fd) < 0)
    return dn_throw_errno (error, "'%s'", output->path);
  if (!output->has_no_name)
    return TRUE;
  dn_id_new (id);
  beside = g_strdup_printf ("%s.%.8s", output->path, id);
  if (linkat (AT_FDCWD, self, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) < 0)
    return dn_throw_errno (error, "'%s'", output->path);
  if (rename (beside, output->path) == 0)
    return TRUE;
  saved = errno;
  (void) unlink (beside);
  errno = saved;
  return dn_throw_errno (error, "'%s'", output->path);
}

/* What was written of a file that had its name from the start. */
static void
drop_output (const Output *output)
{
  if (output->path != NULL && !output->has_no_name)
    (void) unlink (output->path);
}

static gboolean
take_blob (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  JsonObject *blob = dn_answer_object (event, "blob");
  gint64 bytes = blob != NULL ? dn_answer_int (blob, "size_bytes", -1) : -1;
  const char *sha256 = blob != NULL ? dn_answer_text (blob, "sha256") : "";

  if (fds->count != 1 || bytes < 0 || !dn_id_is_hex (sha256, DIGEST_DIGITS))
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: a blob that cannot be read");
  dn_save_archive_add_blob (data, sha256, (guint64) bytes, fds->fds[0]);
  fds->count = 0;
  return TRUE;
}

static gboolean
take_image (DnSaveArchive *archive, JsonObject *object, GError **error)
{
  JsonArray *layers = object != NULL ? dn_answer_array (object, "layers") : NULL;
  const char *id = object != NULL ? dn_answer_text (object, "id") : "";
  GPtrArray *digests;
  DnSaveImage *image;

  if (layers == NULL || !dn_id_is_hex (id, DIGEST_DIGITS))
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: an image that cannot be read");
  digests = g_ptr_array_new ();
  for (guint i = 0; i < dn_answer_length (layers); i++)
    if (json_node_get_value_type (json_array_get_element (layers, i)) == G_TYPE_STRING)
      g_ptr_array_add (digests, g_strdup (json_array_get_string_element (layers, i)));
  g_ptr_array_add (digests, NULL);
  image = g_new0 (DnSaveImage, 1);
  image->id = g_strdup (id);
  image->layers = (char **) g_ptr_array_free (digests, FALSE);
  if (*dn_answer_text (object, "name") != '\0')
    image->name = g_strdup (dn_answer_text (object, "name"));
  if (*dn_answer_text (object, "manifest") != '\0')
    image->manifest = g_strdup (dn_answer_text (object, "manifest"));
  dn_save_archive_add_image (archive, image);
  return TRUE;
}

/* A descriptor for each layer comes along. */
static void
allow_many_files (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  (void) setrlimit (RLIMIT_NOFILE, &limit);
}

static JsonObject *
ask (DnCli *cli, DnSaveArchive *archive, char **names, GError **error)
{
  DnClientCall call = { .event = take_blob, .data = archive };
  JsonObject *args = json_object_new ();
  JsonArray *images;
  g_autoptr (JsonObject) ok = NULL;

  allow_many_files ();
  dn_args_set_list (args, "images", names);
  ok = dn_cli_call (cli, "image-save", args, &call, error);
  dn_fd_list_clear (&call.ret_fds);
  images = ok != NULL ? dn_answer_array (ok, "images") : NULL;
  for (guint i = 0; i < dn_answer_length (images); i++)
    if (!take_image (archive, dn_answer_nth (images, i), error))
      return NULL;
  return g_steal_pointer (&ok);
}

static int
save (DnCli *cli, const char *path, char **names)
{
  gboolean is_oci = g_strcmp0 (cli->format, "oci") == 0;
  g_autoptr (DnSaveArchive) archive = dn_save_archive_new (is_oci);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) ok = NULL;
  Output output;
  gboolean is_fine;

  if (!open_output (path, &output, &error))
    return dn_cli_fail_usage_error (cli, error);
  ok = ask (cli, archive, names, &error);
  is_fine = ok != NULL && dn_save_archive_write (archive, output.fd, &error)
            && name_output (&output, &error);
  if (!is_fine)
    drop_output (&output);
  dn_fd_clear (&output.fd);
  return is_fine ? DN_EXIT_DONE : dn_cli_fail (cli, error);
}

int
dn_cmd_save (DnCli *cli, char **words)
{
  g_autofree char *output = NULL;
  g_auto (GStrv) names = NULL;
  int status;

  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The archive; without it standard output",
      "FILE" },
    DN_OPTION_END,
  };

  cli->takes_archives = TRUE;
  if (!dn_options_parse (cli, entries, DN_OPTIONS_ANYWHERE, words, 1, G_MAXUINT, &names, &status))
    return status;
  return save (cli, output, names);
}
