/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/resolver/filter.c launcher/confined/allowlist.c */
/* Packages: libseccomp */
/* Only: release (its filter knows nothing of the calls a sanitizer makes) */

/* What code of a stranger's could do in a resolver: each call made behind the filter, with sockets
 * where danchid puts them (R2.2, R5.17). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/base/resolver-control.h"
#include "../../launcher/resolver/filter.h"

#define UPSTREAM (DN_RESOLVER_FD_LAST + 1) /* a UDP socket, as the gateway hands one over */

static struct sockaddr_in elsewhere;

static void
call_socket (void)
{
  (void) socket (AF_INET, SOCK_STREAM, 0);
}

static void
call_connect (void)
{
  (void) connect (UPSTREAM, (struct sockaddr *) &elsewhere, sizeof elsewhere);
}

static void
call_bind (void)
{
  (void) bind (UPSTREAM, (struct sockaddr *) &elsewhere, sizeof elsewhere);
}

static void
call_sendto_elsewhere_from_a_server_s_socket (void)
{
  (void) sendto (UPSTREAM, "x", 1, 0, (struct sockaddr *) &elsewhere, sizeof elsewhere);
}

static void
call_sendmsg (void)
{
  struct msghdr message = { .msg_name = &elsewhere, .msg_namelen = sizeof elsewhere };

  (void) sendmsg (UPSTREAM, &message, 0);
}

/* The next descriptor to come would get its number, and with it its rights. */
static void
call_close_of_a_listener (void)
{
  (void) close (DN_RESOLVER_FD_DATAGRAMS4);
}

static void
call_dup2 (void)
{
  (void) dup2 (UPSTREAM, DN_RESOLVER_FD_DATAGRAMS4);
}

static void
call_setsockopt (void)
{
  int one = 1;

  (void) setsockopt (UPSTREAM, SOL_SOCKET, SO_BROADCAST, &one, sizeof one);
}

static void
call_open (void)
{
  (void) open ("/etc/passwd", O_RDONLY);
}

static void
call_execve (void)
{
  char *const none[] = { NULL };

  (void) execve ("/bin/true", none, none);
}

static void
call_fork (void)
{
  (void) syscall (SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static void
call_kill (void)
{
  (void) kill (getppid (), 0);
}

static void
call_ptrace (void)
{
  (void) ptrace (PTRACE_TRACEME, 0, NULL, NULL);
}

static void
call_mmap_of_code (void)
{
  (void) mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
call_mprotect (void)
{
  (void) mprotect (NULL, 4096, PROT_READ | PROT_EXEC);
}

static void
call_write_to_a_socket (void)
{
  (void) !write (UPSTREAM, "x", 1);
}

static void
call_setrlimit (void)
{
  struct rlimit limit = { 0 };

  (void) setrlimit (RLIMIT_CORE, &limit);
}

static void
call_getsockopt_of_another_kind (void)
{
  int value;
  socklen_t size = sizeof value;

  (void) getsockopt (UPSTREAM, SOL_SOCKET, SO_MARK, &value, &size);
}

/* Those that it lives by. */
static void
call_what_it_lives_by (void)
{
  char byte;

  (void) !sendto (DN_RESOLVER_FD_DATAGRAMS4, "x", 1, MSG_DONTWAIT, (struct sockaddr *) &elsewhere,
                  sizeof elsewhere);
  (void) !send (UPSTREAM, "x", 1, MSG_DONTWAIT);
  (void) !recv (UPSTREAM, &byte, 1, MSG_DONTWAIT);
  (void) accept4 (DN_RESOLVER_FD_CONNECTIONS4, NULL, NULL, SOCK_NONBLOCK);
  (void) fcntl (UPSTREAM, F_SETFL, O_NONBLOCK);
  (void) close (UPSTREAM);
}

static void
place (int fd, int number)
{
  if (fd < 0 || dup2 (fd, number) != number)
    _exit (99);
}

/* In a child: how it ended. */
static int
run_behind_filter (void (*call) (void))
{
  int status = 0;
  pid_t pid = fork ();

  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    {
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      return status;
    }
  for (int i = DN_RESOLVER_FD_CONTROL; i <= UPSTREAM; i++)
    place (socket (AF_INET, (i == DN_RESOLVER_FD_CONNECTIONS4 ? SOCK_STREAM : SOCK_DGRAM), 0),
           20 + i);
  for (int i = DN_RESOLVER_FD_CONTROL; i <= UPSTREAM; i++)
    place (20 + i, i);
  (void) fcntl (DN_RESOLVER_FD_CONNECTIONS4, F_SETFL, O_NONBLOCK);
  (void) prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  (void) prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (dn_resolver_filter_load () < 0)
    _exit (98);
  call ();
  _exit (0);
}

static void
test_a_call_that_it_does_not_need_kills_it (void)
{
  static const struct
  {
    const char *name;
    void (*call) (void);
  } calls[] = {
#define CALL(name) { #name, call_##name }
    CALL (socket),    CALL (connect),
    CALL (bind),      CALL (sendto_elsewhere_from_a_server_s_socket),
    CALL (sendmsg),   CALL (close_of_a_listener),
    CALL (dup2),      CALL (setsockopt),
    CALL (open),      CALL (execve),
    CALL (fork),      CALL (kill),
    CALL (ptrace),    CALL (mmap_of_code),
    CALL (mprotect),  CALL (write_to_a_socket),
    CALL (setrlimit), CALL (getsockopt_of_another_kind),
  };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      int status = run_behind_filter (calls[i].call);

      if (!WIFSIGNALED (status) || WTERMSIG (status) != SIGSYS)
        g_test_fail_printf ("%s: status %x", calls[i].name, (guint) status);
    }
}

static void
test_those_that_it_lives_by_pass (void)
{
  g_assert_cmpint (run_behind_filter (call_what_it_lives_by), ==, 0);
}

int
main (int argc, char **argv)
{
  elsewhere = (struct sockaddr_in){ .sin_family = AF_INET,
                                    .sin_port = htons (9),
                                    .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resolver-filter/a-call-that-it-does-not-need-kills-it",
                   test_a_call_that_it_does_not_need_kills_it);
  g_test_add_func ("/resolver-filter/those-that-it-lives-by-pass",
                   test_those_that_it_lives_by_pass);
  return g_test_run ();
}
