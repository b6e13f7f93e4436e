/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway-server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"

#define CHILD_FD 3
/* Longer than the gateway lets an order take, and one before it. */
#define ANSWER_TIMEOUT_MS 45000

/* Written before the first thread. */
static int server_fd = -1;
static char *socket_path;

char *
dn_gateway_server_program (void)
{
  return g_build_filename (dn_paths ()->helpers, "danchi-gateway", NULL);
}

/* It ends when the other end of its socket does. */
static _Noreturn void
become_server (int fd, const char *program)
{
  const char *const argv[] = { program, "--serve", "3", NULL };
  const char *const environment[] = { NULL };

  if (setsid () < 0 || (fd != CHILD_FD && dup2 (fd, CHILD_FD) < 0)
      || (fd == CHILD_FD && fcntl (fd, F_SETFD, 0) < 0) || close_range (CHILD_FD + 1, ~0u, 0) < 0)
    _exit (EXIT_FAILURE);
  (void) execve (program, (char *const *) argv, (char *const *) environment);
  _exit (EXIT_FAILURE);
}

void
dn_gateway_server_start (void)
{
  g_autofree char *program = dn_gateway_server_program ();
  pid_t child;
  int pair[2];

  if (geteuid () != 0 || access (program, X_OK) < 0
      || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return;
  child = fork ();
  if (child == 0)
    become_server (pair[1], program);
  (void) close (pair[1]);
  if (child > 0)
    server_fd = pair[0];
  else
    (void) close (pair[0]);
}

void
dn_gateway_server_use_socket (const char *path)
{
  socket_path = g_strdup (path);
}

static int
connect_socket (GError **error)
{
  dn_autofd int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (g_strlcpy (address.sun_path, socket_path, sizeof address.sun_path) >= sizeof address.sun_path
      || fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    {
      dn_throw (error, DN_ERROR_FAILED,
                "danchi-gateway: '%s': %s\nsystemctl enable --now danchi-gateway.socket",
                socket_path, g_strerror (errno));
      return -1;
    }
  return g_steal_fd (&fd);
}

static gboolean
send_order (int to, const DnGatewayOrder *order, const DnFdList *fds, int answer_fd, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (DN_GATEWAY_ORDER_MAX_BYTES);
  int size = dn_gateway_order_pack (order, bytes);
  DnFdList all = { .fds = { answer_fd }, .count = 1 };

  for (gsize i = 0; fds != NULL && i < fds->count; i++)
    all.fds[all.count++] = fds->fds[i];
  if (size < 0)
    return dn_throw (error, DN_ERROR_LIMIT, "danchi-gateway: an order is too large");
  if (dn_fdpass_send (to, bytes, (gsize) size, &all) != size)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-gateway has ended: %s\nrestart danchid",
                     g_strerror (errno));
  return TRUE;
}

static DnError
code_of (int status)
{
  switch (-status)
    {
    case ERANGE:
      return DN_ERROR_LIMIT;
    case EPERM:
      return DN_ERROR_DENIED;
    case EADDRINUSE:
    case EEXIST:
      return DN_ERROR_CONFLICT;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return DN_ERROR_NOT_FOUND;
    default:
      return DN_ERROR_FAILED;
    }
}

static gboolean
read_answer (int fd, DnFdList *fds, char **ret_text, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (DN_GATEWAY_ANSWER_MAX_BYTES);
  g_autofree DnGatewayAnswer *answer = g_new0 (DnGatewayAnswer, 1);
  struct pollfd ready = { .fd = fd, .events = POLLIN };
  gssize size;
  int r;

  do
    r = poll (&ready, 1, ANSWER_TIMEOUT_MS);
  while (r < 0 && errno == EINTR);
  if (r == 0)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-gateway does not answer\nrestart it");
  size = dn_fdpass_receive (fd, bytes, DN_GATEWAY_ANSWER_MAX_BYTES, fds);
  if (size <= 0 || dn_gateway_answer_unpack (bytes, (gsize) size, answer) < 0)
    return dn_throw (error, DN_ERROR_FAILED,
                     "danchi-gateway has ended before its answer\nsee its log, and try again");
  if (answer->status != 0)
    return dn_throw (error, code_of (answer->status), "%s", answer->error);
  if (ret_text != NULL)
    *ret_text = g_strndup (answer->text, answer->text_size);
  return TRUE;
}

gboolean
dn_gateway_order (const DnGatewayOrder *order, const DnFdList *fds, DnFdList *ret_fds,
                  char **ret_text, GError **error)
{
  DnFdList answered = DN_FD_LIST_INIT;
  dn_autofd int own = -1, ours = -1, theirs = -1;
  int to = server_fd, pair[2];
  gboolean is_fine;

  if (geteuid () != 0)
    return dn_throw (error, DN_ERROR_FAILED,
                     "danchi-gateway: a danchid that is not root's has no network for guests");
  if (socket_path != NULL && (to = own = connect_socket (error)) < 0)
    return FALSE;
  if (to < 0)
    {
      g_autofree char *program = dn_gateway_server_program ();

      return dn_throw (error, DN_ERROR_FAILED,
                       "danchi-gateway: '%s' could not be started\ninstall it, and restart danchid",
                       program);
    }
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return dn_throw_errno (error, "danchi-gateway");
  ours = pair[0];
  theirs = pair[1];
  if (!send_order (to, order, fds, theirs, error))
    return FALSE;
  /* Ours alone now: a gateway that ends is seen. */
  dn_fd_clear (&theirs);
  is_fine = read_answer (ours, &answered, ret_text, error);
  if (is_fine && ret_fds != NULL)
    *ret_fds = answered;
  else
    dn_fd_list_clear (&answered);
  return is_fine;
}
