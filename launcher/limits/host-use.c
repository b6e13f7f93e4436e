/* SPDX-License-Identifier: Apache-2.0 */
#include "host-use.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *
read_file (const char *root, gint pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/proc/%d/%s", root, pid, name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

/* Fields 14 and 15; the command before them may hold blanks and brackets itself. */
static gboolean
read_time (const char *root, gint pid, DnHostUse *use)
{
  g_autofree char *text = read_file (root, pid, "stat");
  const char *rest = text != NULL ? strrchr (text, ')') : NULL;
  const guint64 tick_us = G_USEC_PER_SEC / (guint64) sysconf (_SC_CLK_TCK);
  unsigned long user, system;

  if (rest == NULL
      || sscanf (rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system)
             != 2)
    return FALSE;
  use->cpu_user_us = user * tick_us;
  use->cpu_system_us = system * tick_us;
  return TRUE;
}

static gboolean
read_proportional (const char *root, gint pid, DnHostUse *use)
{
  g_autofree char *text = read_file (root, pid, "smaps_rollup");
  const char *line = text != NULL ? strstr (text, "\nPss:") : NULL;

  if (line == NULL)
    return FALSE;
  use->memory_bytes = g_ascii_strtoull (line + strlen ("\nPss:"), NULL, 10) * 1024;
  return TRUE;
}

static void
read_resident (const char *root, gint pid, DnHostUse *use)
{
  g_autofree char *text = read_file (root, pid, "statm");
  const char *resident = text != NULL ? strchr (text, ' ') : NULL;

  if (resident != NULL)
    use->memory_bytes
        = g_ascii_strtoull (resident + 1, NULL, 10) * (guint64) sysconf (_SC_PAGESIZE);
}

gboolean
dn_host_use_read (const char *root, gint pid, DnHostUse *ret_use)
{
  DnHostUse use = { 0 };

  if (pid <= 0 || !read_time (root, pid, &use))
    return FALSE;
  if (!read_proportional (root, pid, &use))
    read_resident (root, pid, &use);
  *ret_use = use;
  return TRUE;
}
