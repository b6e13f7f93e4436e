/* SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024ull * 1024)

static const char *const pull_programs[] = { "skopeo", "gpg", "gpgconf", NULL };
static const char *const no_programs[] = { NULL };

/* Minisign reads a whole archive into memory for its old form of signatures. */
static const char *const signature_programs[] = { "gpgv", "minisign", NULL };

static const DnTask tasks[] = {
  { "pull", true, 1024 * MIB, pull_programs, dn_task_pull },
  { "verdict", false, 128 * MIB, no_programs, dn_task_verdict },
  { "signature", false, 1024 * MIB, signature_programs, dn_task_signature },
};

const DnTask *
dn_task_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tasks); i++)
    if (g_str_equal (tasks[i].name, name))
      return &tasks[i];
  return NULL;
}

char *
dn_task_read_line (DnTaskRun *run)
{
  char line[DN_TASK_LINE_MAX_BYTES];
  gsize used = 0;

  /* Byte by byte: what follows the line stays for the next reader; orders are short. */
  while (used < sizeof line - 1)
    {
      ssize_t n = read (run->input, line + used, 1);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return NULL;
      if (line[used] == '\n')
        return g_strndup (line, used);
      used++;
    }
  return NULL;
}

static gboolean
read_order (DnTaskRun *run)
{
  run->order = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < DN_TASK_ORDER_LINES_MAX; i++)
    {
      g_autofree char *line = dn_task_read_line (run);
      char *equals = line != NULL ? strchr (line, '=') : NULL;

      if (line != NULL && line[0] == '\0')
        return TRUE;
      if (equals == NULL)
        return FALSE;
      g_hash_table_insert (run->order, g_strndup (line, (gsize) (equals - line)),
                           g_strdup (equals + 1));
    }
  return FALSE;
}

int
dn_task_run (DnTaskRun *run)
{
  if (!read_order (run))
    return dn_task_fail (run, "order", "the order cannot be read");
  return run->task->run (run);
}

const char *
dn_task_text (DnTaskRun *run, const char *key)
{
  const char *value = g_hash_table_lookup (run->order, key);

  if (value == NULL)
    exit (dn_task_fail (run, "order", key));
  return value;
}

guint64
dn_task_number (DnTaskRun *run, const char *key)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (dn_task_text (run, key), 10, 0, G_MAXUINT64, &value, NULL))
    exit (dn_task_fail (run, "order", key));
  return value;
}

gboolean
dn_task_has (DnTaskRun *run, const char *key)
{
  return g_hash_table_contains (run->order, key);
}

static void
say (DnTaskRun *run, char *line)
{
  gsize length = MIN (strlen (line), DN_TASK_LINE_MAX_BYTES - 2);
  const char *at = line;

  for (gsize i = 0; i < length; i++)
    if (line[i] < ' ' || line[i] > '~')
      line[i] = '?';
  line[length] = '\n';
  for (gsize left = length + 1; left > 0;)
    {
      ssize_t n = write (run->report, at, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0) /* danchid has gone: so do we */
        exit (EXIT_FAILURE);
      at += n;
      left -= (gsize) n;
    }
}

void
dn_task_say (DnTaskRun *run, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  say (run, line);
}

int
dn_task_fail (DnTaskRun *run, const char *code, const char *detail)
{
  dn_task_say (run, "failed %s %s", code, detail);
  return EXIT_FAILURE;
}

int
dn_task_done (DnTaskRun *run)
{
  dn_task_say (run, "done");
  return EXIT_SUCCESS;
}
