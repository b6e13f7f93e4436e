/* SPDX-License-Identifier: Apache-2.0 */
#include "relay-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/console-ring.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "process.h"
#include "transport.h"

/* The relay writes a line when something is wrong with it, never what a guest sent. */
#define LOG_MAX_BYTES (1024 * 1024)

enum
{
  FD_CONTROL,
  FD_CONSOLE,
  FD_RING,
  FD_LOCK,
  FD_COUNT,
};

char *
dn_relay_process_log_path (const char *id)
{
  return g_strdup_printf ("%s/log/relay-%s.log", dn_paths ()->state, id);
}

static int
open_lock (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "relay.lock", NULL);
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    {
      dn_throw_errno (error, "lock '%s'", path);
      return -1;
    }
  /* Taken here: the lock belongs to the open file, which the relay inherits. */
  if (flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      dn_throw (error, DN_ERROR_CONFLICT, "lock '%s': another relay holds it", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

gboolean
dn_relay_process_is_alive (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "relay.lock", NULL);
  dn_autofd int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

  return fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* An existing ring is kept: what the guest said before the relay was started anew is in it. */
static int
open_ring (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "console.ring", NULL);
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status;
  int result;

  if (fd < 0 || fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "console ring '%s'", path);
      return -1;
    }
  if (status.st_size != DN_CONSOLE_RING_FILE_BYTES && (result = dn_console_ring_create (fd)) < 0)
    {
      errno = -result;
      dn_throw_errno (error, "console ring '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

static int
open_log (const char *id, GError **error)
{
  g_autofree char *path = dn_relay_process_log_path (id);
  g_autofree char *directory = g_path_get_dirname (path);
  struct stat status;
  dn_autofd int fd = -1;

  if (g_mkdir_with_parents (directory, 0700) < 0
      || (fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0
      || fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "relay's log '%s'", path);
      return -1;
    }
  if (status.st_size > LOG_MAX_BYTES)
    (void) !ftruncate (fd, 0);
  return g_steal_fd (&fd);
}

static void
close_all (int *fds)
{
  for (guint i = 0; i < FD_COUNT; i++)
    dn_fd_clear (&fds[i]);
}

/* console.sock is the guest's uid's: QEMU connects to it.  relay.sock is root's: danchid does. */
static gboolean
open_all (const char *directory, const DnJournalEntry *entry, int *ret_fds, GError **error)
{
  g_autofree char *control = g_build_filename (directory, "relay.sock", NULL);
  g_autofree char *console = g_build_filename (directory, "console.sock", NULL);

  /* The lock first: it proves that no other relay uses the sockets. */
  return (ret_fds[FD_LOCK] = open_lock (directory, error)) >= 0
         && (ret_fds[FD_RING] = open_ring (directory, error)) >= 0
         && (ret_fds[FD_CONTROL] = dn_transport_listen_unix (control, 0600, 0, 0, error)) >= 0
         && (ret_fds[FD_CONSOLE]
             = dn_transport_listen_unix (console, 0600, entry->uid, entry->gid, error))
                >= 0;
}

static gboolean
spawn (const DnJournalEntry *entry, const int *fds, int log_fd, GPid *ret_pid, GError **error)
{
  static const int targets[FD_COUNT] = { 3, 4, 5, 6 };
  g_autofree char *program = g_build_filename (dn_paths ()->helpers, "danchi-relay", NULL);
  g_autofree char *uid = g_strdup_printf ("%u", entry->uid);
  g_autofree char *gid = g_strdup_printf ("%u", entry->gid);
  g_autofree char *owner = g_strdup_printf ("%u", (guint) geteuid ());
  g_autofree char *empty = g_build_filename (dn_paths ()->run, "empty", NULL);
  const char *const argv[]
      = { program, "--guest",     entry->id, "--uid",        uid, "--gid",
          gid,     "--owner-uid", owner,     "--control-fd", "3", "--console-fd",
          "4",     "--ring-fd",   "5",       "--lock-fd",    "6", "--empty-dir",
          empty,   NULL };
  /* Nothing of danchid's environment is the relay's business. */
  const char *const environment[] = { NULL };

  if (g_mkdir_with_parents (empty, 0555) < 0)
    return dn_throw_errno (error, "directory '%s'", empty);
  if (!g_spawn_async_with_pipes_and_fds ("/", argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                         NULL, -1, log_fd, log_fd, fds, targets, FD_COUNT, ret_pid,
                                         NULL, NULL, NULL, error))
    {
      g_prefix_error (error, "program '%s': ", program);
      return FALSE;
    }
  return TRUE;
}

gboolean
dn_relay_process_start (const char *directory, DnJournalEntry *entry, GError **error)
{
  int fds[FD_COUNT] = { -1, -1, -1, -1 };
  dn_autofd int log_fd = open_log (entry->id, error);
  GPid pid = 0;
  gboolean is_done = log_fd >= 0 && open_all (directory, entry, fds, error)
                     && spawn (entry, fds, log_fd, &pid, error);

  close_all (fds);
  if (!is_done)
    {
      g_prefix_error (error, "relay: ");
      return FALSE;
    }
  entry->relay_pid = pid;
  entry->relay_start_ticks = dn_process_start_ticks (pid);
  return TRUE;
}

gboolean
dn_relay_process_end (DnJournalEntry *entry, guint wait_ms)
{
  gboolean is_gone = entry->relay_pid == 0 || !dn_journal_entry_is_of_this_boot (entry)
                     || dn_process_kill (entry->relay_pid, entry->relay_start_ticks, wait_ms);

  /* Not our child after danchid was started anew: then ECHILD, and init reaps it. */
  if (is_gone && entry->relay_pid > 0)
    {
      (void) waitpid (entry->relay_pid, NULL, WNOHANG);
      entry->relay_pid = 0;
      entry->relay_start_ticks = 0;
    }
  return is_gone;
}
