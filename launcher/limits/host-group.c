/* SPDX-License-Identifier: Apache-2.0 */
#include "host-group.h"

#include <string.h>

#define GROUPS "/sys/fs/cgroup"
/* What version 1 says for no limit: the largest number of whole pages. */
#define MEMORY_NONE (G_GUINT64_CONSTANT (1) << 62)
#define WEIGHT_MAX 10000
#define WEIGHT_DEFAULT 100
#define SHARES_DEFAULT 1024
#define DEPTH_MAX 16

gboolean
dn_host_group_is_unified (const char *root)
{
  g_autofree char *path = g_strconcat (root, GROUPS "/cgroup.controllers", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  words = g_strsplit_set (text, " \n", -1);
  return g_strv_contains ((const char *const *) words, "cpu");
}

static gboolean
has_hierarchy (const char *root, const char *controllers)
{
  g_autofree char *path = g_strdup_printf ("%s" GROUPS "/%s/cgroup.procs", root, controllers);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

guint
dn_host_group_version (const char *root)
{
  g_autofree char *path = g_strconcat (root, GROUPS "/cgroup.controllers", NULL);
  g_autofree char *text = NULL;

  if (g_file_get_contents (path, &text, NULL, NULL))
    return strstr (text, "memory") != NULL && dn_host_group_is_unified (root) ? 2 : 0;
  return has_hierarchy (root, "memory")
                 && (has_hierarchy (root, "cpu") || has_hierarchy (root, "cpu,cpuacct"))
             ? 1
             : 0;
}

guint64
dn_host_group_weight (guint64 shares, gboolean is_unified)
{
  return is_unified ? CLAMP (shares * WEIGHT_DEFAULT / SHARES_DEFAULT, 1, WEIGHT_MAX) : shares;
}

/* A file of a group: its first line, or NULL. (transfer full) */
static char *
read_line (const char *directory, const char *file)
{
  g_autofree char *path = g_build_filename (directory, file, NULL);
  char *text = NULL;

  if (g_file_get_contents (path, &text, NULL, NULL))
    text[strcspn (text, "\n")] = '\0';
  return text;
}

/* 0: "max", "-1", no file. */
static guint64
read_number (const char *directory, const char *file)
{
  g_autofree char *text = read_line (directory, file);

  return text != NULL && g_ascii_isdigit (text[0]) ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static void
take_quota (DnHostGroup *group, guint64 quota_us, guint64 period_us)
{
  if (quota_us == 0 || period_us == 0)
    return;
  if (group->quota_us == 0
      || (double) quota_us / (double) period_us
             < (double) group->quota_us / (double) group->period_us)
    {
      group->quota_us = quota_us;
      group->period_us = period_us;
    }
}

static void
take_memory (DnHostGroup *group, guint64 bytes)
{
  if (bytes != 0 && bytes < MEMORY_NONE
      && (group->memory_bytes == 0 || bytes < group->memory_bytes))
    group->memory_bytes = bytes;
}

static void
read_one (DnHostGroup *group, const char *directory, gboolean is_machine)
{
  g_autofree char *maximum = read_line (directory, "cpu.max");

  if (maximum != NULL)
    {
      char *period = strchr (maximum, ' ');

      take_quota (group, g_ascii_isdigit (maximum[0]) ? g_ascii_strtoull (maximum, NULL, 10) : 0,
                  period != NULL ? g_ascii_strtoull (period + 1, NULL, 10) : 0);
    }
  take_quota (group, read_number (directory, "cpu.cfs_quota_us"),
              read_number (directory, "cpu.cfs_period_us"));
  take_memory (group, read_number (directory, "memory.max"));
  take_memory (group, read_number (directory, "memory.limit_in_bytes"));
  if (is_machine && group->weight == 0)
    group->weight
        = MAX (read_number (directory, "cpu.weight"), read_number (directory, "cpu.shares"));
}

static gboolean
is_machines (const char *name)
{
  return g_str_has_prefix (name, "qemu-") || g_str_has_prefix (name, "machine-qemu");
}

/* From the process's group up to the root of the hierarchy, which has no limits. */
static gboolean
read_upwards (DnHostGroup *group, const char *top, const char *path)
{
  g_autofree char *at = g_strdup (path);
  gboolean is_own = FALSE;

  for (guint depth = 0; depth < DEPTH_MAX && strlen (at) > 1; depth++)
    {
      g_autofree char *directory = g_build_filename (top, at, NULL);
      g_autofree char *name = g_path_get_basename (at);
      gboolean is_machine = is_machines (name);

      is_own = is_own || is_machine;
      read_one (group, directory, is_machine);
      *strrchr (at, '/') = '\0';
      if (at[0] == '\0')
        break;
    }
  return is_own;
}

static gboolean
has_word (const char *controllers, const char *word)
{
  g_auto (GStrv) words = g_strsplit (controllers, ",", -1);

  return g_strv_contains ((const char *const *) words, word);
}

static gboolean
group_has (const char *top, const char *path, const char *controller)
{
  g_autofree char *directory = g_build_filename (top, path, NULL);
  g_autofree char *text = read_line (directory, "cgroup.controllers");
  g_auto (GStrv) words = text != NULL ? g_strsplit (text, " ", -1) : NULL;

  return words != NULL && g_strv_contains ((const char *const *) words, controller);
}

/* A line of /proc/PID/cgroup: "1:cpu,cpuacct:/machine/..." or "0::/machine.slice/...". */
static void
take_line (DnHostGroup *group, const char *root, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, ":", 3);
  g_autofree char *top = NULL;
  gboolean is_unified, is_own;

  if (g_strv_length (fields) != 3 || fields[2][0] != '/' || strstr (fields[2], "/..") != NULL)
    return;
  is_unified = g_str_equal (fields[0], "0");
  if (!is_unified && !has_word (fields[1], "cpu") && !has_word (fields[1], "memory"))
    return;
  /* Beside version 1 the unified hierarchy has no controllers that matter here. */
  if (is_unified && !dn_host_group_is_unified (root))
    return;
  top = is_unified ? g_strconcat (root, GROUPS, NULL)
                   : g_strconcat (root, GROUPS "/", fields[1], NULL);
  is_own = read_upwards (group, top, fields[2]);
  if (!is_own)
    return;
  group->version = is_unified ? 2 : 1;
  group->has_cpu = group->has_cpu
                   || (is_unified ? group->weight != 0 || group_has (top, fields[2], "cpu")
                                  : has_word (fields[1], "cpu"));
  group->has_memory
      = group->has_memory
        || (is_unified ? group->memory_bytes != 0 || group_has (top, fields[2], "memory")
                       : has_word (fields[1], "memory"));
}

gboolean
dn_host_group_read (const char *root, gint pid, DnHostGroup *ret_group)
{
  g_autofree char *path = g_strdup_printf ("%s/proc/%d/cgroup", root, pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  DnHostGroup group = { 0 };

  if (pid <= 0 || !g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    take_line (&group, root, *line);
  *ret_group = group;
  return TRUE;
}

static char **
read_lines (const char *root, gint pid)
{
  g_autofree char *path = g_strdup_printf ("%s/proc/%d/cgroup", root, pid);
  g_autofree char *text = NULL;

  return pid > 0 && g_file_get_contents (path, &text, NULL, NULL) ? g_strsplit (text, "\n", -1)
                                                                  : g_new0 (char *, 1);
}

const char *
dn_host_group_holds (const char *root, gint qemu_pid, gint pid)
{
  g_auto (GStrv) theirs = read_lines (root, qemu_pid), its = read_lines (root, pid);
  gboolean has_any = FALSE, is_unified = dn_host_group_is_unified (root);

  for (char **line = theirs; *line != NULL; line++)
    {
      /* Named hierarchies, and version 2 beside version 1, limit nothing. */
      if ((strstr (*line, "/qemu-") == NULL && strstr (*line, "/machine-qemu") == NULL)
          || strstr (*line, ":name=") != NULL || (strstr (*line, "::") != NULL) != is_unified)
        continue;
      has_any = TRUE;
      if (!g_strv_contains ((const char *const *) its, *line))
        return "another";
    }
  return has_any ? "its guest's" : "absent";
}
