/* SPDX-License-Identifier: Apache-2.0 */
#include "share-server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/fdpass.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "share-turn.h"

#define CHILD_FD 3
/* An order ends by itself before that (launcher/share/server.c). */
#define ANSWER_TIMEOUT_MS 30000

/* Written before the first thread. */
static int server_fd = -1;
static char *socket_path;

static char *
find_program (void)
{
  return g_build_filename (dn_paths ()->helpers, "danchi-share", NULL);
}

static _Noreturn void
become_server (int fd, const char *program, pid_t parent)
{
  const char *const argv[] = { program, "--serve", "3", NULL };
  const char *const environment[] = { NULL };

  if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid () != parent || setsid () < 0
      || (fd != CHILD_FD && dup2 (fd, CHILD_FD) < 0)
      || (fd == CHILD_FD && fcntl (fd, F_SETFD, 0) < 0) || close_range (CHILD_FD + 1, ~0u, 0) < 0)
    _exit (EXIT_FAILURE);
  (void) execve (program, (char *const *) argv, (char *const *) environment);
  _exit (EXIT_FAILURE);
}

void
dn_share_server_start (void)
{
  g_autofree char *program = find_program ();
  pid_t parent = getpid (), child;
  int pair[2];

  if (geteuid () != 0 || access (program, X_OK) < 0
      || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return;
  child = fork ();
  if (child == 0)
    become_server (pair[1], program, parent);
  (void) close (pair[1]);
  if (child > 0)
    server_fd = pair[0];
  else
    (void) close (pair[0]);
}

void
dn_share_server_use_socket (const char *path)
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
                "danchi-share: '%s': %s\nsystemctl enable --now danchi-share.socket", socket_path,
                g_strerror (errno));
      return -1;
    }
  return g_steal_fd (&fd);
}

/* @ret_own: to be closed by the caller when the order is sent. */
static int
find_server (int *ret_own, GError **error)
{
  if (dn_paths ()->is_session)
    {
      dn_throw (error, DN_ERROR_DENIED,
                "session mode has no host directories in containers\n"
                "use a volume or danchi cp, or the host's danchid");
      return -1;
    }
  if (geteuid () != 0)
    {
      dn_throw (error, DN_ERROR_FAILED,
                "danchi-share: a danchid that is not root's has none\n"
                "directories of the host's need the host's danchid");
      return -1;
    }
  if (socket_path != NULL)
    return *ret_own = connect_socket (error);
  if (server_fd < 0)
    {
      g_autofree char *program = find_program ();

      dn_throw (error, DN_ERROR_FAILED,
                "danchi-share: '%s' could not be started\ninstall it, and restart danchid",
                program);
    }
  return server_fd;
}

static gboolean
send_order (const DnShareOrder *order, int fd, int report, GError **error)
{
  g_autofree char *text = g_malloc (DN_SHARE_ORDER_MAX_BYTES);
  int length = dn_share_order_format (order, text, DN_SHARE_ORDER_MAX_BYTES);
  dn_autofd int own = -1;
  DnFdList fds = { .fds = { report, fd }, .count = fd >= 0 ? 2 : 1 };
  int to;

  if (length < 0)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-share: order: %s", g_strerror (-length));
  to = find_server (&own, error);
  if (to < 0)
    return FALSE;
  if (dn_fdpass_send (to, text, (size_t) length, &fds) != length)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-share has ended: %s\nrestart danchid",
                     g_strerror (errno));
  return TRUE;
}

static gboolean
receive_answer (int report, DnShareAnswer *ret_answer, GError **error)
{
  struct pollfd watched = { .fd = report, .events = POLLIN };
  char text[DN_SHARE_ANSWER_MAX_BYTES];
  ssize_t n;
  int r;

  do
    r = poll (&watched, 1, ANSWER_TIMEOUT_MS);
  while (r < 0 && errno == EINTR);
  n = r > 0 ? recv (report, text, sizeof text - 1, MSG_DONTWAIT) : 0;
  text[n > 0 ? n : 0] = '\0';
  if (n <= 0 || dn_share_answer_parse (text, ret_answer) < 0)
    return dn_throw (
        error, DN_ERROR_FAILED,
        "danchi-share does not answer: the host's file system may hang, or it has ended");
  return TRUE;
}

static DnError
code_of (int code)
{
  switch (code)
    {
    case EACCES:
    case EPERM:
    case EXDEV:
    case ELOOP:
      return DN_ERROR_DENIED;
    case ENOENT:
    case ENOTDIR:
      return DN_ERROR_NOT_FOUND;
    case ESRCH:
      return DN_ERROR_GUEST;
    default:
      return DN_ERROR_FAILED;
    }
}

static gboolean
exchange (const DnShareOrder *order, int fd, DnShareAnswer *ret_answer, GError **error)
{
  dn_autofd int report = -1, theirs = -1;
  int pair[2];
  gboolean is_sent;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return dn_throw_errno (error, "danchi-share");
  report = pair[0];
  theirs = pair[1];
  is_sent = send_order (order, fd, theirs, error);
  /* So that its end is seen where nobody answers. */
  dn_fd_clear (&theirs);
  return is_sent && receive_answer (report, ret_answer, error);
}

gboolean
dn_share_server_order (const DnShareOrder *order, int fd, const char *what,
                       DnShareAnswer *ret_answer, GError **error)
{
  gboolean is_answered = dn_share_turn_take (order, DN_SHARE_TURN_TIMEOUT_MS, error);

  if (is_answered)
    {
      is_answered = exchange (order, fd, ret_answer, error);
      dn_share_turn_give_back (order);
    }
  if (!is_answered)
    {
      g_prefix_error (error, "%s: ", what);
      return FALSE;
    }
  return ret_answer->code == 0
         || dn_throw (error, code_of (ret_answer->code), "%s: %s", what, ret_answer->text);
}
