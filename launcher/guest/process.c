/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "identity.h"

/* Fields of /proc/PID/stat after the command, which may hold blanks and brackets itself: field 3 is
 * the first. */
#define STAT_STATE 0
#define STAT_START_TIME 19

guint64
dn_process_start_ticks (gint pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  const char *rest;

  if (pid <= 0 || !g_file_get_contents (path, &text, NULL, NULL)
      || (rest = strrchr (text, ')')) == NULL || rest[1] != ' ')
    return 0;
  fields = g_strsplit (rest + 2, " ", STAT_START_TIME + 2);
  if (g_strv_length (fields) < STAT_START_TIME + 1 || fields[STAT_STATE][0] == 'Z')
    return 0;
  return g_ascii_strtoull (fields[STAT_START_TIME], NULL, 10);
}

gboolean
dn_process_is_alive (gint pid, guint64 start_ticks)
{
  return start_ticks != 0 && dn_process_start_ticks (pid) == start_ticks;
}

static void
kill_through (int pidfd)
{
  (void) syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

gboolean
dn_process_kill (gint pid, guint64 start_ticks, guint wait_ms)
{
  dn_autofd int pidfd = pid > 0 ? (int) syscall (SYS_pidfd_open, pid, 0) : -1;
  struct pollfd ended = { .fd = pidfd, .events = POLLIN };

  /* The order is the argument: the pidfd holds on to whatever process has the number now; if that
   * one has the recorded start time, it is the recorded process. */
  if (pidfd < 0 || !dn_process_is_alive (pid, start_ticks))
    return TRUE;
  kill_through (pidfd);
  return poll (&ended, 1, (int) wait_ms) > 0;
}

gboolean
dn_process_signal (gint pid, guint64 start_ticks, int signal)
{
  dn_autofd int pidfd = pid > 0 ? (int) syscall (SYS_pidfd_open, pid, 0) : -1;

  /* As above. */
  return pidfd >= 0 && dn_process_is_alive (pid, start_ticks)
         && syscall (SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
}

static gboolean
read_status (gint pid, guint *ret_uid, char *ret_name, gsize name_size)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *text = NULL;
  const char *uids;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !g_str_has_prefix (text, "Name:\t")
      || (uids = strstr (text, "\nUid:\t")) == NULL)
    return FALSE;
  *ret_uid = (guint) g_ascii_strtoull (uids + strlen ("\nUid:\t"), NULL, 10);
  g_strlcpy (ret_name, text + strlen ("Name:\t"), name_size);
  ret_name[strcspn (ret_name, "\n")] = '\0';
  return TRUE;
}

gboolean
dn_process_get_uid (gint pid, guint *ret_uid)
{
  char command[32];

  return read_status (pid, ret_uid, command, sizeof command);
}

GArray *
dn_process_list_of_uid (guint uid)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (gint));
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (proc != NULL && (name = g_dir_read_name (proc)) != NULL)
    {
      gint pid = g_ascii_isdigit (name[0]) ? (gint) g_ascii_strtoll (name, NULL, 10) : 0;
      char command[32];
      guint owner;

      if (pid > 0 && read_status (pid, &owner, command, sizeof command) && owner == uid)
        g_array_append_val (pids, pid);
    }
  return pids;
}

gint
dn_process_find (guint uid, const char *prefix)
{
  g_autoptr (GArray) pids = dn_process_list_of_uid (uid);

  for (guint i = 0; i < pids->len; i++)
    {
      gint pid = g_array_index (pids, gint, i);
      char command[32];
      guint owner;

      if (read_status (pid, &owner, command, sizeof command) && owner == uid
          && g_str_has_prefix (command, prefix))
        return pid;
    }
  return 0;
}

GHashTable *
dn_process_find_all (const char *prefix)
{
  GHashTable *found = g_hash_table_new (NULL, NULL);
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (proc != NULL && (name = g_dir_read_name (proc)) != NULL)
    {
      gint pid = g_ascii_isdigit (name[0]) ? (gint) g_ascii_strtoll (name, NULL, 10) : 0;
      char command[32];
      guint owner;

      if (pid > 0 && read_status (pid, &owner, command, sizeof command)
          && g_str_has_prefix (command, prefix)
          && !g_hash_table_contains (found, GUINT_TO_POINTER (owner)))
        g_hash_table_insert (found, GUINT_TO_POINTER (owner), GINT_TO_POINTER (pid));
    }
  return found;
}

guint
dn_process_kill_uid (guint uid, guint wait_ms, guint *ret_left)
{
  gint64 end_us = g_get_monotonic_time () + wait_ms * G_TIME_SPAN_MILLISECOND;
  guint killed = 0;

  *ret_left = 0;
  /* Only ids of our range belong to one guest alone.  A caller's mistake must not end root's
   * processes. */
  g_return_val_if_fail (dn_identity_owns_uid (uid), 0);
  for (gboolean is_first = TRUE;; is_first = FALSE)
    {
      g_autoptr (GArray) pids = dn_process_list_of_uid (uid);
      guint living = 0;

      for (guint i = 0; i < pids->len; i++)
        {
          gint pid = g_array_index (pids, gint, i);
          dn_autofd int pidfd = (int) syscall (SYS_pidfd_open, pid, 0);
          char command[32];
          guint owner;

          if (pidfd < 0 || dn_process_start_ticks (pid) == 0
              || !read_status (pid, &owner, command, sizeof command) || owner != uid)
            continue;
          kill_through (pidfd);
          living++;
        }
      if (is_first)
        killed = living;
      *ret_left = living;
      if (living == 0 || g_get_monotonic_time () >= end_us)
        return killed;
      g_usleep (10000);
    }
}
