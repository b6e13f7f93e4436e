/* SPDX-License-Identifier: Apache-2.0 */
#include "publish-process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"

/* One before it may still be on its way out. */
#define LOCK_WAIT_MS 2000
#define LOCK_POLL_US 5000
#define SEND_TIMEOUT_S 5

static char *
path_of (const char *guest, const char *name)
{
  return g_build_filename (dn_paths ()->run, "guests", guest, name, NULL);
}

char *
dn_publish_process_log_path (const char *guest)
{
  return g_strdup_printf ("%s/log/publish-%s.log", dn_paths ()->state, guest);
}

static int
open_lock (const char *guest, GError **error)
{
  g_autofree char *path = path_of (guest, "publish.lock");
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  gint64 end_us = g_get_monotonic_time () + LOCK_WAIT_MS * G_TIME_SPAN_MILLISECOND;

  /* Taken here: the lock belongs to the open file, which danchi-publish inherits. */
  while (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      if (errno != EWOULDBLOCK || g_get_monotonic_time () > end_us)
        {
          dn_throw (error, DN_ERROR_CONFLICT, "lock '%s': another danchi-publish holds it", path);
          return -1;
        }
      g_usleep (LOCK_POLL_US);
    }
  if (fd < 0)
    dn_throw_errno (error, "lock '%s'", path);
  return g_steal_fd (&fd);
}

gboolean
dn_publish_process_is_alive (const char *guest)
{
  g_autofree char *path = path_of (guest, "publish.lock");
  dn_autofd int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

  return fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int
make_socket (const char *path, struct sockaddr_un *ret_address, GError **error)
{
  dn_autofd int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

  *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  if (g_strlcpy (ret_address->sun_path, path, sizeof ret_address->sun_path)
      >= sizeof ret_address->sun_path)
    errno = ENAMETOOLONG;
  else if (fd >= 0)
    return g_steal_fd (&fd);
  dn_throw_errno (error, "socket '%s'", path);
  return -1;
}

/* In the guest's directory, of which root alone has the way in. */
static int
open_control (const char *guest, GError **error)
{
  g_autofree char *path = path_of (guest, "publish.sock");
  struct sockaddr_un address;
  dn_autofd int fd = make_socket (path, &address, error);

  if (fd < 0)
    return -1;
  (void) unlink (path);
  if (bind (fd, (const struct sockaddr *) &address, sizeof address) < 0 || chmod (path, 0600) < 0
      || listen (fd, 4) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

int
dn_publish_process_connect (const char *guest, GError **error)
{
  const struct timeval patience = { .tv_sec = SEND_TIMEOUT_S };
  g_autofree char *path = path_of (guest, "publish.sock");
  struct sockaddr_un address;
  dn_autofd int fd = make_socket (path, &address, error);

  if (fd < 0)
    return -1;
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

static int
open_log (const char *guest, GError **error)
{
  g_autofree char *path = dn_publish_process_log_path (guest);
  g_autofree char *directory = g_path_get_dirname (path);
  dn_autofd int fd = -1;

  if (g_mkdir_with_parents (directory, 0700) < 0
      || (fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600))
             < 0)
    dn_throw_errno (error, "log '%s'", path);
  return g_steal_fd (&fd);
}

gboolean
dn_publish_process_start (const DnPublishProcess *process, GError **error)
{
  static const int targets[] = { 3, 4 };
  g_autofree char *program = g_build_filename (dn_paths ()->helpers, "danchi-publish", NULL);
  g_autofree char *uid = g_strdup_printf ("%u", process->uid);
  g_autofree char *gid = g_strdup_printf ("%u", process->gid);
  g_autofree char *owner = g_strdup_printf ("%u", (guint) geteuid ());
  g_autofree char *empty = g_build_filename (dn_paths ()->run, "empty", NULL);
  const char *const argv[]
      = { program,       "--guest", process->guest, "--uid", uid,         "--gid", gid,
          "--owner-uid", owner,     "--control-fd", "3",     "--lock-fd", "4",     "--empty-dir",
          empty,         NULL };
  const char *const environment[] = { NULL };
  /* The lock first: it proves that no other one uses the socket. */
  dn_autofd int lock = open_lock (process->guest, error);
  dn_autofd int control = lock >= 0 ? open_control (process->guest, error) : -1;
  dn_autofd int log = control >= 0 ? open_log (process->guest, error) : -1;
  const int fds[] = { control, lock };

  if (log < 0)
    return FALSE;
  if (g_mkdir_with_parents (empty, 0555) < 0)
    return dn_throw_errno (error, "directory '%s'", empty);
  /* Not our child: nobody needs its exit status, and the lock says whether it lives. */
  if (!g_spawn_async_with_pipes_and_fds ("/", argv, environment, G_SPAWN_DEFAULT, NULL, NULL, -1,
                                         log, log, fds, targets, G_N_ELEMENTS (fds), NULL, NULL,
                                         NULL, NULL, error))
    {
      g_prefix_error (error, "program '%s': ", program);
      return FALSE;
    }
  return TRUE;
}
