/* SPDX-License-Identifier: Apache-2.0 */
#include "state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "autofd.h"
#include "error.h"
#include "json.h"

static gboolean
write_all (int fd, const char *text, gsize size)
{
  while (size > 0)
    {
      ssize_t n = write (fd, text, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      text += n;
      size -= (gsize) n;
    }
  return TRUE;
}

gboolean
dn_state_file_sync_directory (const char *directory, GError **error)
{
  dn_autofd int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0 || fsync (fd) < 0)
    return dn_throw_errno (error, "directory '%s': syncing", directory);
  return TRUE;
}

gboolean
dn_state_file_write_text (const char *path, const char *text, gsize size, guint mode,
                          GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  g_autofree char *temporary
      = g_strdup_printf ("%s/" DN_STATE_FILE_TEMPORARY_PREFIX "%s-XXXXXX", directory, base);
  dn_autofd int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0)
    return dn_throw_errno (error, "file '%s': creating", path);
  if (!write_all (fd, text, size) || fchmod (fd, mode) < 0 || fsync (fd) < 0
      || rename (temporary, path) < 0)
    {
      dn_throw_errno (error, "file '%s': writing", path);
      (void) unlink (temporary);
      return FALSE;
    }
  return dn_state_file_sync_directory (directory, error);
}

gboolean
dn_state_file_write (const char *path, JsonNode *node, GError **error)
{
  g_autofree char *text = dn_json_to_text (node, TRUE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return dn_state_file_write_text (path, line, strlen (line), 0600, error);
}

JsonNode *
dn_state_file_read (const char *path, GError **error)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  g_autofree char *text = NULL;
  gsize used = 0;
  struct stat status;
  JsonNode *node;

  if (fd < 0 && errno == ENOENT)
    {
      dn_throw (error, DN_ERROR_NOT_FOUND, "file '%s': there is none", path);
      return NULL;
    }
  if (fd < 0 || fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "file '%s': reading", path);
      return NULL;
    }
  if (!S_ISREG (status.st_mode) || status.st_size > DN_STATE_FILE_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_CONFIG, "file '%s': not a regular file of at most %d bytes", path,
                DN_STATE_FILE_MAX_BYTES);
      return NULL;
    }
  text = g_malloc ((gsize) status.st_size + 1);
  while (used < (gsize) status.st_size)
    {
      ssize_t n = read (fd, text + used, (gsize) status.st_size - used);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      used += (gsize) n;
    }
  node = dn_json_parse (text, used, DN_STATE_FILE_MAX_BYTES, path, error);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    {
      g_clear_pointer (&node, json_node_unref);
      dn_throw (error, DN_ERROR_CONFIG, "file '%s': not an object", path);
    }
  return node;
}
