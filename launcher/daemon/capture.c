/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../common/state-file.h"
#include "json-build.h"

/* What the client answers. */
#define ACK 'k'

void
dn_capture_init (DnCapture *capture, DnRequest *request, int ack_fd)
{
  *capture = (DnCapture){ .request = request, .ack_fd = ack_fd, .missing = json_array_new () };
}

void
dn_capture_clear (DnCapture *capture)
{
  g_clear_pointer (&capture->missing, json_array_unref);
}

void
dn_capture_miss (DnCapture *capture, const char *name, const char *reason)
{
  JsonObject *object = json_object_new ();
  g_autofree char *clean = dn_text_clean (reason, 600);

  json_object_set_string_member (object, "name", name);
  json_object_set_string_member (object, "reason", clean);
  json_array_add_object_element (capture->missing, object);
}

static void
miss_errno (DnCapture *capture, const char *name)
{
  dn_capture_miss (capture, name, g_strerror (errno));
}

gboolean
dn_capture_tell (DnCapture *capture, const char *kind, JsonObject *object, int fd, GError **error)
{
  JsonObject *outer = json_object_new ();
  g_autoptr (JsonNode) event = dn_json_node_take (outer);
  DnFdList fds = { .fds = { fd }, .count = fd >= 0 ? 1 : 0 };
  char answer = 0;

  json_object_set_object_member (outer, kind, object);
  if (!dn_request_event (capture->request, event, fds.count > 0 ? &fds : NULL, error)
      || !dn_request_wait_readable (capture->request, capture->ack_fd, error))
    return FALSE;
  if (read (capture->ack_fd, &answer, 1) != 1 || answer != ACK)
    return dn_throw (error, DN_ERROR_FAILED, "the client could not save it");
  return TRUE;
}

gboolean
dn_capture_descriptor (DnCapture *capture, const char *name, int fd, GError **error)
{
  JsonObject *object = json_object_new ();
  struct stat status = { 0 };

  (void) fstat (fd, &status);
  json_object_set_string_member (object, "name", name);
  /* What a file has now: one that is still being written would have no end. */
  json_object_set_int_member (object, "size_bytes", status.st_size);
  capture->files++;
  return dn_capture_tell (capture, "file", object, fd, error);
}

gboolean
dn_capture_file (DnCapture *capture, const char *name, const char *path, GError **error)
{
  /* Non-blocking: a FIFO in the place of a file holds nobody up. */
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0)
    miss_errno (capture, name);
  else if (!S_ISREG (status.st_mode))
    dn_capture_miss (capture, name, "it is no plain file");
  else
    return dn_capture_descriptor (capture, name, fd, error);
  return TRUE;
}

static gboolean
write_all (int fd, const char *bytes, gsize size)
{
  while (size > 0)
    {
      ssize_t n = write (fd, bytes, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      bytes += n;
      size -= (gsize) n;
    }
  return TRUE;
}

gboolean
dn_capture_text (DnCapture *capture, const char *name, const char *text, gsize size, GError **error)
{
  dn_autofd int fd = memfd_create ("evidence", MFD_CLOEXEC);

  if (fd < 0 || !write_all (fd, text, size) || lseek (fd, 0, SEEK_SET) < 0)
    {
      miss_errno (capture, name);
      return TRUE;
    }
  return dn_capture_descriptor (capture, name, fd, error);
}

gboolean
dn_capture_object (DnCapture *capture, const char *name, JsonObject *object, GError **error)
{
  g_autoptr (JsonNode) node = dn_json_node_take (object);
  g_autofree char *pretty = dn_json_to_text (node, TRUE);
  g_autofree char *text = g_strconcat (pretty, "\n", NULL);

  return dn_capture_text (capture, name, text, strlen (text), error);
}

gboolean
dn_capture_directory (DnCapture *capture, const char *prefix, const char *path, GError **error)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *entry;

  while (directory != NULL && (entry = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, entry, NULL);
      g_autofree char *name = g_build_filename (prefix, entry, NULL);
      struct stat status;

      if (g_str_has_prefix (entry, DN_STATE_FILE_TEMPORARY_PREFIX) || lstat (file, &status) < 0
          || !S_ISREG (status.st_mode))
        continue;
      if (!dn_capture_file (capture, name, file, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
dn_capture_lines (DnCapture *capture, const char *name, const char *path, const char *word,
                  GError **error)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", word);
  dn_autofd int fd = memfd_create ("evidence", MFD_CLOEXEC);
  FILE *file = fopen (path, "re");
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  gboolean is_fine = fd >= 0 && file != NULL;

  /* Names need no escaping in JSON, so the text can be compared. */
  while (is_fine && (length = getline (&line, &room, file)) > 0)
    if (strstr (line, quoted) != NULL)
      is_fine = write_all (fd, line, (gsize) length);
  if (!is_fine)
    miss_errno (capture, name);
  free (line);
  if (file != NULL)
    (void) fclose (file);
  if (!is_fine)
    return TRUE;
  (void) lseek (fd, 0, SEEK_SET);
  return dn_capture_descriptor (capture, name, fd, error);
}
