/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/kvm-probe-kernel.c */
/* Packages: glib-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/guest/kvm-probe-ask.h"

#define PATIENCE_MS 5000

static gboolean is_hanging; /* what the kernel's /dev/kvm does to whoever opens it */

/* In place of the C library's. */
int
open (const char *path, int flags, ...)
{
  va_list args;
  mode_t mode;

  va_start (args, flags);
  mode = (flags & O_CREAT) != 0 ? va_arg (args, mode_t) : 0;
  va_end (args);
  if (is_hanging && strcmp (path, "/dev/kvm") == 0)
    for (;;)
      (void) pause ();
  return (int) syscall (SYS_openat, AT_FDCWD, path, flags, mode);
}

/* The only child of @pid, once it has one. */
static pid_t
child_of (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", (int) pid, (int) pid);

  for (int ms = 0; ms < PATIENCE_MS; ms++)
    {
      g_autofree char *text = NULL;

      if (g_file_get_contents (path, &text, NULL, NULL) && text[0] != '\0')
        return (pid_t) g_ascii_strtoll (text, NULL, 10);
      g_usleep (1000);
    }
  g_error ("no process is asking the kernel");
}

/* Killed while the question hangs, as danchid may be: the next one gets its lock. */
static void
test_who_asks_leaves_no_lock_behind_and_no_process (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "danchi-kvm-probe-XXXXXX", NULL);
  int fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600), again;
  pid_t asker, child;
  int ms = 0;

  g_assert_cmpint (fd, >=, 0);
  asker = fork ();
  g_assert_cmpint (asker, >=, 0);
  if (asker == 0)
    {
      g_autofree char *reason = NULL;

      is_hanging = TRUE;
      (void) flock (fd, LOCK_EX);
      (void) dn_kvm_probe_kernel (&reason);
      _exit (0);
    }
  (void) close (fd);
  child = child_of (asker);
  again = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (again, >=, 0);
  g_assert_cmpint (flock (again, LOCK_EX | LOCK_NB), <, 0);
  g_assert_cmpint (kill (asker, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (asker, NULL, 0), ==, asker);
  while (flock (again, LOCK_EX | LOCK_NB) < 0 && ms++ < 1000)
    g_usleep (1000);
  g_assert_cmpint (ms, <, 1000);
  /* A zombie's files are gone, and it is init's to bury. */
  for (ms = 0; ms < PATIENCE_MS; ms++)
    {
      g_autofree char *status = NULL;
      g_autofree char *file = g_strdup_printf ("/proc/%d/status", (int) child);

      if (!g_file_get_contents (file, &status, NULL, NULL) || strstr (status, "State:\tZ") != NULL)
        break;
      g_usleep (1000);
    }
  g_assert_cmpint (ms, <, PATIENCE_MS);
  (void) close (again);
  (void) unlink (path);
}

/* Whatever this machine has: an answer, and a reason with each that is no yes. */
static void
test_the_kernel_is_asked_within_its_time (void)
{
  g_autofree char *reason = NULL;
  gint64 begin_us = g_get_monotonic_time ();
  DnKvmOutcome outcome = dn_kvm_probe_kernel (&reason);

  g_assert_cmpint (outcome == DN_KVM_WORKS, ==, reason == NULL);
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <,
                   (DN_KVM_PROBE_TIMEOUT_MS + 5000) * G_TIME_SPAN_MILLISECOND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvm-probe-kernel/leaves-nothing-behind",
                   test_who_asks_leaves_no_lock_behind_and_no_process);
  g_test_add_func ("/kvm-probe-kernel/in-time", test_the_kernel_is_asked_within_its_time);
  return g_test_run ();
}
