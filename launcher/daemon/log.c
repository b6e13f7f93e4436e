/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/names.h"

#define MESSAGE_MAX_BYTES 4096

static GMutex lock;
static char *log_path; /* NULL: standard error */
static int log_fd = STDERR_FILENO;
static gint64 log_bytes;
static gboolean shows_debug;

static const char *
level_word (GLogLevelFlags level)
{
  if ((level & G_LOG_LEVEL_ERROR) != 0 || (level & G_LOG_LEVEL_CRITICAL) != 0)
    return "error";
  if ((level & G_LOG_LEVEL_WARNING) != 0)
    return "warning";
  if ((level & G_LOG_LEVEL_DEBUG) != 0)
    return "debug";
  return "info";
}

static gboolean
open_file (GError **error)
{
  struct stat status;
  int fd = open (log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "log '%s'", log_path);
  if (log_fd > STDERR_FILENO)
    (void) close (log_fd);
  log_fd = fd;
  log_bytes = (gint64) status.st_size;
  return TRUE;
}

static GLogWriterOutput
write_message (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  g_autofree char *message = NULL, *line = NULL;
  ssize_t n;

  (void) data;
  if ((level & G_LOG_LEVEL_DEBUG) != 0 && !shows_debug)
    return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < count && message == NULL; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      message = dn_text_clean (fields[i].value, MESSAGE_MAX_BYTES);
  line = g_strdup_printf ("%s %s: %s\n", time, level_word (level), message != NULL ? message : "");
  g_mutex_lock (&lock);
  if (log_path != NULL && log_bytes > DN_LOG_FILE_MAX_BYTES)
    {
      g_autofree char *old = g_strconcat (log_path, ".1", NULL);

      (void) rename (log_path, old);
      (void) open_file (NULL);
    }
  n = write (log_fd, line, strlen (line));
  log_bytes += MAX (n, 0);
  g_mutex_unlock (&lock);
  return G_LOG_WRITER_HANDLED;
}

gboolean
dn_log_start (const char *path, gboolean is_verbose, GError **error)
{
  shows_debug = is_verbose;
  log_path = g_strdup (path);
  if (path != NULL && !open_file (error))
    return FALSE;
  g_log_set_writer_func (write_message, NULL, NULL);
  return TRUE;
}
