/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/daemon/confine.c launcher/daemon/confine-filter.c launcher/common/error.c */
/* Packages: libseccomp libcap-ng */
/* Only: release (its filter knows nothing of the calls a sanitizer makes) */
/* What danchid gives up, tried in children that have given it up.  Needs root. */
#include <errno.h>
#include <glib.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/daemon/confine.h"

#define UPPER_HALF (1ull << 32)

/* The exit status of @act in a confined child: 0 where all was as expected. */
static int
run_confined (int (*act) (void))
{
  pid_t child = fork ();
  int status;

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autoptr (GError) error = NULL;

      if (!dn_confine_run (&error))
        {
          g_printerr ("%s\n", error->message);
          _exit (255);
        }
      _exit (act ());
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 1000 + WTERMSIG (status);
}

/* How a call ended: 0 or errno. */
static int
outcome (long result)
{
  return result < 0 ? errno : 0;
}

static int
try_refused (void)
{
  const long calls[] = { SYS_bpf,           SYS_io_uring_setup,
                         SYS_userfaultfd,   SYS_perf_event_open,
                         SYS_keyctl,        SYS_add_key,
                         SYS_init_module,   SYS_finit_module,
                         SYS_delete_module, SYS_kexec_load,
                         SYS_ptrace,        SYS_process_vm_readv,
                         SYS_setns,         SYS_chroot,
                         SYS_mknod,         SYS_open_by_handle_at,
                         SYS_swapon,        SYS_quotactl,
                         SYS_acct,          SYS_settimeofday,
                         SYS_clock_settime, SYS_adjtimex,
                         SYS_sethostname,   SYS_iopl,
                         SYS_ioperm,        SYS_personality,
                         SYS_pidfd_getfd,   SYS_fanotify_init,
                         SYS_move_mount,    SYS_process_vm_writev,
                         SYS_modify_ldt };

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    if (outcome (syscall (calls[i], -1, 0, 0, 0, 0, 0)) != ENOSYS)
      return (int) i + 1;
  return 0;
}

static void
test_calls_that_it_never_makes_do_not_exist_for_it (void)
{
  g_assert_cmpint (run_confined (try_refused), ==, 0);
}

static int
try_sockets (void)
{
  const int refused[] = { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_BLUETOOTH };

  if (outcome (socket (AF_UNIX, SOCK_STREAM, 0)) != 0)
    return 1;
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    if (outcome (socket (refused[i], SOCK_DGRAM, 0)) != ENOSYS)
      return 2;
  /* The kernel looks at the lower half alone; the filter at both, and refuses. */
  return outcome (syscall (SYS_socket, UPPER_HALF | AF_INET, SOCK_DGRAM, 0)) == ENOSYS ? 0 : 3;
}

static void
test_its_sockets_reach_no_network (void)
{
  g_assert_cmpint (run_confined (try_sockets), ==, 0);
}

static int
try_memory (void)
{
  const int both = PROT_READ | PROT_WRITE | PROT_EXEC;
  void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED || outcome (mprotect (page, 4096, both)) != ENOSYS)
    return 1;
  if (mmap (NULL, 4096, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED || errno != ENOSYS)
    return 2;
  /* A program that it starts is still loaded. */
  return outcome (mprotect (page, 4096, PROT_READ | PROT_EXEC));
}

static void
test_no_memory_is_writable_and_executable (void)
{
  g_assert_cmpint (run_confined (try_memory), ==, 0);
}

static int
try_powers (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_CORE, &limit) < 0 || limit.rlim_max != 0)
    return 1;
  /* CAP_SYS_BOOT, CAP_SYS_RESOURCE and CAP_NET_ADMIN are gone, where the call is there. */
  limit.rlim_cur = limit.rlim_max = 4096;
  if (outcome (setrlimit (RLIMIT_CORE, &limit)) != EPERM)
    return 2;
  /* What it keeps works: another's files, the relay's namespaces, the relay's ids at last. */
  if (outcome (unshare (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)) != 0)
    return 3;
  if (outcome (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) != 0)
    return 4;
  if (outcome (mount ("none", "/mnt", "tmpfs", MS_NOSUID, "size=4k")) != 0)
    return 5;
  return outcome (setresgid (200417, 200417, 200417)) != 0
                 || outcome (setresuid (200417, 200417, 200417)) != 0
             ? 6
             : 0;
}

static void
test_it_keeps_what_a_relay_needs_and_not_more (void)
{
  g_assert_cmpint (run_confined (try_powers), ==, 0);
}

static int
try_children (void)
{
  const char *const script
      = "read_status() { sed -n \"s/^$1:[[:space:]]*//p\" /proc/self/status; };"
        "test $(read_status Seccomp) = 2 && test $(read_status NoNewPrivs) = 1 && "
        "printf %d 0x$(read_status CapBnd)";
  char *const argv[] = { (char *) "sh", (char *) "-c", (char *) script, NULL };
  char *const environment[] = { (char *) "PATH=/usr/bin:/bin", NULL };
  char text[64] = "";
  int out[2], status;
  pid_t child;

  if (pipe (out) < 0 || (child = fork ()) < 0)
    return 1;
  if (child == 0)
    {
      (void) dup2 (out[1], STDOUT_FILENO);
      (void) execve ("/bin/sh", argv, environment);
      _exit (127);
    }
  (void) close (out[1]);
  if (read (out[0], text, sizeof text - 1) <= 0 || waitpid (child, &status, 0) != child
      || status != 0)
    return 2;
  return g_ascii_strtoull (text, NULL, 10) == dn_confine_capabilities () ? 0 : 3;
}

static void
test_its_children_inherit_all_of_it (void)
{
  g_assert_cmpint (run_confined (try_children), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/confine/calls-that-it-never-makes-do-not-exist-for-it",
                   test_calls_that_it_never_makes_do_not_exist_for_it);
  g_test_add_func ("/confine/its-sockets-reach-no-network", test_its_sockets_reach_no_network);
  g_test_add_func ("/confine/no-memory-is-writable-and-executable",
                   test_no_memory_is_writable_and_executable);
  g_test_add_func ("/confine/it-keeps-what-a-relay-needs-and-not-more",
                   test_it_keeps_what_a_relay_needs_and_not_more);
  g_test_add_func ("/confine/its-children-inherit-all-of-it", test_its_children_inherit_all_of_it);
  return g_test_run ();
}
