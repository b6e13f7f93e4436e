/* SPDX-License-Identifier: Apache-2.0 */
#include "shim-log.h"

#include <string.h>
#include <unistd.h>

#include "../common/names.h"

#define MESSAGE_MAX_BYTES 2048

static char *log_id;
static gboolean shows_debug;

static const char *
level_word (GLogLevelFlags level)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    return "error";
  if ((level & G_LOG_LEVEL_WARNING) != 0)
    return "warning";
  return (level & G_LOG_LEVEL_DEBUG) != 0 ? "debug" : "info";
}

static GLogWriterOutput
write_message (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");
  g_autofree char *message = NULL, *quoted = NULL, *line = NULL;

  (void) data;
  if ((level & G_LOG_LEVEL_DEBUG) != 0 && !shows_debug)
    return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < count && message == NULL; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      message = dn_text_clean (fields[i].value, MESSAGE_MAX_BYTES);
  quoted = g_strescape (message != NULL ? message : "", NULL);
  line = g_strdup_printf ("time=\"%s\" level=%s msg=\"%s\" id=%s runtime=danchi\n", time,
                          level_word (level), quoted, log_id);
  /* One write, whole lines: the descriptor does not block, and what finds no room is lost. */
  if (write (STDERR_FILENO, line, strlen (line)) < 0)
    return G_LOG_WRITER_HANDLED;
  return G_LOG_WRITER_HANDLED;
}

void
dn_shim_log_start (const char *id, gboolean is_debug)
{
  g_free (log_id);
  log_id = g_strdup (id);
  shows_debug = is_debug;
  g_log_set_writer_func (write_message, NULL, NULL);
}
