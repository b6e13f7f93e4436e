/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver-process.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../base/resolver-control.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../guest/transport.h"
#include "gateway-server.h"

#define PORT 53
#define LOG_MAX_BYTES (1024 * 1024)
/* One before it may still be on its way out. */
#define LOCK_WAIT_MS 2000
#define LOCK_POLL_US 5000
#define PATIENCE_S 5

/* By their places, from DN_RESOLVER_FD_CONTROL on. */
#define FDS (DN_RESOLVER_FD_LAST - DN_RESOLVER_FD_CONTROL + 1)
#define PLACE(fd) (DN_RESOLVER_FD_##fd - DN_RESOLVER_FD_CONTROL)

static char *
path_of (const char *guest, const char *name)
{
  return g_build_filename (dn_paths ()->run, "guests", guest, name, NULL);
}

char *
dn_resolver_process_log_path (const char *guest)
{
  return g_strdup_printf ("%s/log/resolver-%s.log", dn_paths ()->state, guest);
}

static int
open_lock (const char *guest, GError **error)
{
  g_autofree char *path = path_of (guest, "resolver.lock");
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  gint64 end_us = g_get_monotonic_time () + LOCK_WAIT_MS * G_TIME_SPAN_MILLISECOND;

  /* Taken here: the lock belongs to the open file, which the resolver inherits. */
  while (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0)
    {
      if (errno != EWOULDBLOCK || g_get_monotonic_time () > end_us)
        {
          dn_throw (error, DN_ERROR_CONFLICT, "lock '%s': another danchi-resolver holds it", path);
          return -1;
        }
      g_usleep (LOCK_POLL_US);
    }
  if (fd < 0)
    dn_throw_errno (error, "lock '%s'", path);
  return g_steal_fd (&fd);
}

gboolean
dn_resolver_process_is_alive (const char *guest)
{
  g_autofree char *path = path_of (guest, "resolver.lock");
  dn_autofd int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

  return fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int
dn_resolver_process_connect (const char *guest, GError **error)
{
  const struct timeval patience = { .tv_sec = PATIENCE_S };
  g_autofree char *path = path_of (guest, "resolver.sock");
  dn_autofd int fd = dn_transport_connect_unix (path, error);

  if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

static int
open_log (const char *guest, GError **error)
{
  g_autofree char *path = dn_resolver_process_log_path (guest);
  g_autofree char *directory = g_path_get_dirname (path);
  dn_autofd int fd = -1;
  struct stat status;

  if (g_mkdir_with_parents (directory, 0700) < 0
      || (fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0
      || fstat (fd, &status) < 0)
    {
      dn_throw_errno (error, "log '%s'", path);
      return -1;
    }
  if (status.st_size > LOG_MAX_BYTES)
    (void) !ftruncate (fd, 0);
  return g_steal_fd (&fd);
}

/* Port 53 of the gateway's addresses, as the guest sees them; bound to its tap. */
static gboolean
open_ports (const DnResolverProcess *process, int *ret_fds, GError **error)
{
  static const struct
  {
    int place;
    guint8 family;
    guint8 protocol;
  } ports[] = { { PLACE (DATAGRAMS4), 4, IPPROTO_UDP },
                { PLACE (DATAGRAMS6), 6, IPPROTO_UDP },
                { PLACE (CONNECTIONS4), 4, IPPROTO_TCP },
                { PLACE (CONNECTIONS6), 6, IPPROTO_TCP } };
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  DnFdList fds = DN_FD_LIST_INIT;

  order->type = DN_GATEWAY_LISTEN;
  order->listen.pool = process->pool;
  order->listen.slot = process->slot;
  order->listen.count = G_N_ELEMENTS (ports);
  for (gsize i = 0; i < G_N_ELEMENTS (ports); i++)
    order->listen.sockets[i] = (DnGatewaySocket){
      .is_on_tap = TRUE, .family = ports[i].family, .protocol = ports[i].protocol, .port = PORT
    };
  if (!dn_gateway_order (order, NULL, &fds, NULL, error))
    return FALSE;
  if (fds.count != G_N_ELEMENTS (ports))
    {
      dn_fd_list_clear (&fds);
      return dn_throw (error, DN_ERROR_FAILED, "danchi-gateway: its answer lacks sockets");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (ports); i++)
    ret_fds[ports[i].place] = fds.fds[i];
  return TRUE;
}

/* relay.sock's like: root's alone. */
static gboolean
open_all (const DnResolverProcess *process, int *ret_fds, GError **error)
{
  g_autofree char *control = path_of (process->guest, "resolver.sock");

  /* The lock first: it proves that no other one uses the sockets. */
  return (ret_fds[PLACE (LOCK)] = open_lock (process->guest, error)) >= 0
         && (ret_fds[PLACE (CONTROL)] = dn_transport_listen_unix (control, 0600, 0, 0, error)) >= 0
         && open_ports (process, ret_fds, error);
}

static gboolean
spawn (const DnResolverProcess *process, const int *fds, int log_fd, GError **error)
{
  int targets[FDS];
  g_autofree char *program = g_build_filename (dn_paths ()->helpers, "danchi-resolver", NULL);
  g_autofree char *uid = g_strdup_printf ("%u", process->uid);
  g_autofree char *gid = g_strdup_printf ("%u", process->gid);
  g_autofree char *owner = g_strdup_printf ("%u", (guint) geteuid ());
  g_autofree char *empty = g_build_filename (dn_paths ()->run, "empty", NULL);
  const char *const argv[] = { program,       "--guest", process->guest, "--uid", uid, "--gid", gid,
                               "--owner-uid", owner,     "--empty-dir",  empty,   NULL };
  const char *const environment[] = { NULL };

  for (int i = 0; i < FDS; i++)
    targets[i] = DN_RESOLVER_FD_CONTROL + i;
  if (g_mkdir_with_parents (empty, 0555) < 0)
    return dn_throw_errno (error, "directory '%s'", empty);
  /* Not our child: nobody needs its exit status, and the lock says whether it lives. */
  if (!g_spawn_async_with_pipes_and_fds ("/", argv, environment, G_SPAWN_DEFAULT, NULL, NULL, -1,
                                         log_fd, log_fd, fds, targets, FDS, NULL, NULL, NULL, NULL,
                                         error))
    {
      g_prefix_error (error, "program '%s': ", program);
      return FALSE;
    }
  return TRUE;
}

gboolean
dn_resolver_process_start (const DnResolverProcess *process, GError **error)
{
  int fds[FDS] = { -1, -1, -1, -1, -1, -1 };
  dn_autofd int log_fd = open_log (process->guest, error);
  gboolean is_done
      = log_fd >= 0 && open_all (process, fds, error) && spawn (process, fds, log_fd, error);

  for (int i = 0; i < FDS; i++)
    dn_fd_clear (&fds[i]);
  if (!is_done)
    g_prefix_error (error, "resolver: ");
  return is_done;
}
