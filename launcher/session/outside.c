/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "../common/autofd.h"
#include "../common/error.h"

#define BACKLOG 1024
#define TIMEOUT_S 2

int
dn_outside_listen (const char *path, GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  dn_autofd int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  mode_t old_mask = umask (0177);
  gboolean is_done;

  (void) unlink (path);
  is_done = g_strlcpy (address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path
            && fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0
            && listen (fd, 8) == 0;
  (void) umask (old_mask);
  if (is_done)
    return g_steal_fd (&fd);
  dn_throw_errno (error, "socket '%s'", path);
  return -1;
}

/* Returns: a descriptor, or -errno */
static int
make (const DnOutsideWish *wish)
{
  gboolean is_tcp = wish->protocol == IPPROTO_TCP;
  union
  {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } address = { .six = { .sin6_family = AF_UNSPEC } };
  socklen_t size = wish->family == 4 ? sizeof address.four : sizeof address.six;
  const int on = 1;
  int fd, saved;

  if ((wish->family != 4 && wish->family != 6) || (!is_tcp && wish->protocol != IPPROTO_UDP))
    return -EINVAL;
  fd = socket (wish->family == 4 ? AF_INET : AF_INET6,
               (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (wish->family == 4)
    {
      address.four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (wish->port) };
      memcpy (&address.four.sin_addr, wish->address, 4);
    }
  else
    {
      address.six
          = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons (wish->port) };
      memcpy (&address.six.sin6_addr, wish->address, 16);
    }
  /* As danchi-gateway's: order-listen.c has the reasons. */
  if (fd >= 0
      && (wish->family == 4 || setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0)
      && (!is_tcp || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0)
      && bind (fd, &address.any, size) == 0 && (!is_tcp || listen (fd, BACKLOG) == 0))
    return fd;
  saved = errno;
  if (fd >= 0)
    (void) close (fd);
  return -saved;
}

static gboolean
is_ours (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == getuid ();
}

void
dn_outside_serve (int fd)
{
  const struct timeval timeout = { .tv_sec = TIMEOUT_S };
  dn_autofd int client = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
  DnFdList fds = DN_FD_LIST_INIT;
  DnOutsideWish wish;
  gint32 answer;
  int made;

  if (client < 0 || !is_ours (client)
      || setsockopt (client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0
      || recv (client, &wish, sizeof wish, 0) != (ssize_t) sizeof wish)
    return;
  made = make (&wish);
  answer = made < 0 ? made : 0;
  if (made >= 0)
    fds.fds[fds.count++] = made;
  (void) dn_fdpass_send (client, &answer, sizeof answer, &fds);
  dn_fd_list_clear (&fds);
}
