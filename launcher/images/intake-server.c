/* SPDX-License-Identifier: Apache-2.0 */
#include "intake-server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"

#define CHILD_FD 3

/* Written before the first thread. */
static int server_fd = -1;
static char *socket_path;

char *
dn_intake_server_program (void)
{
  return g_build_filename (dn_paths ()->helpers, "danchi-intake", NULL);
}

static _Noreturn void
become_server (int fd, const char *program, const char *config, pid_t parent)
{
  const char *const argv[] = { program, "--serve", "3", "--config", config, NULL };
  static const char *const kept[]
      = { "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy" };
  g_autoptr (GPtrArray) environment = g_ptr_array_new ();

  /* Nothing of danchid's environment is its business but how the network is reached. */
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if (g_getenv (kept[i]) != NULL)
      g_ptr_array_add (environment, g_strdup_printf ("%s=%s", kept[i], g_getenv (kept[i])));
  g_ptr_array_add (environment, NULL);
  if (prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid () != parent || setsid () < 0
      || (fd != CHILD_FD && dup2 (fd, CHILD_FD) < 0)
      || (fd == CHILD_FD && fcntl (fd, F_SETFD, 0) < 0) || close_range (CHILD_FD + 1, ~0u, 0) < 0)
    _exit (EXIT_FAILURE);
  (void) execve (program, (char *const *) argv, (char *const *) environment->pdata);
  _exit (EXIT_FAILURE);
}

void
dn_intake_server_start (void)
{
  g_autofree char *program = dn_intake_server_program ();
  pid_t parent = getpid (), child;
  int pair[2];

  if (geteuid () != 0 || access (program, X_OK) < 0
      || socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return;
  child = fork ();
  if (child == 0)
    become_server (pair[1], program, dn_paths ()->config, parent);
  (void) close (pair[1]);
  if (child > 0)
    server_fd = pair[0];
  else
    (void) close (pair[0]);
}

void
dn_intake_server_use_socket (const char *path)
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
                "danchi-intake: '%s': %s\nsystemctl enable --now danchi-intake.socket", socket_path,
                g_strerror (errno));
      return -1;
    }
  return g_steal_fd (&fd);
}

gboolean
dn_intake_server_order (const DnIntakeOrder *order, const DnFdList *fds, GError **error)
{
  char text[DN_INTAKE_ORDER_MAX_BYTES];
  int length = dn_intake_order_format (order, text, sizeof text);
  dn_autofd int own = -1;
  int to = server_fd;

  if (geteuid () != 0)
    return dn_throw (error, DN_ERROR_FAILED,
                     "danchi-intake: a danchid that is not root's can make no jail for it");
  if (length < 0)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-intake: order: %s", g_strerror (-length));
  if (socket_path != NULL && (to = own = connect_socket (error)) < 0)
    return FALSE;
  if (to < 0)
    {
      g_autofree char *program = dn_intake_server_program ();

      return dn_throw (error, DN_ERROR_FAILED,
                       "danchi-intake: '%s' could not be started\ninstall it, and restart danchid",
                       program);
    }
  if (dn_fdpass_send (to, text, (size_t) length, fds) != length)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-intake has ended: %s\nrestart danchid",
                     g_strerror (errno));
  return TRUE;
}
