/* SPDX-License-Identifier: Apache-2.0 */
/* The first g_print() of a process opens files for the locale's character set: why a process that
 * will be locked down does not print through GLib, or does so once before. */
#include <fcntl.h>
#include <glib.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

/* Kills at open(2) and openat(2), permits the rest. */
static void
forbid_open (void)
{
  const struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
#ifdef __NR_open
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_open, 1, 0),
#endif
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program
      = { sizeof filter / sizeof filter[0], (struct sock_filter *) filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
      || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit (2);
}

static int
status_of_print (gboolean prints_before)
{
  int status;
  pid_t pid = fork ();

  ASSUME (pid >= 0, "fork works");
  if (pid == 0)
    {
      (void) dup2 (open ("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
      if (prints_before)
        g_print ("warm\n");
      forbid_open ();
      g_print ("locked\n");
      _exit (0);
    }
  ASSUME (waitpid (pid, &status, 0) == pid, "the child ends");
  return status;
}

int
main (void)
{
  ASSUME (WIFSIGNALED (status_of_print (FALSE)), "the first g_print() opens a file");
  ASSUME (status_of_print (TRUE) == 0, "a later one opens none");
  return 0;
}
