/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-keeper: process 1 of the namespace in which the containers of a pod have their processes
 * together, where the pod asks for that (shareProcessNamespace).
 *
 * It takes over what is orphaned there, and reaps it; its end is the end of all of them.  The agent
 * starts it (guest-agent/agent/pod-keeper.h) as nobody, without a capability, in an empty root;
 * here it gives up every system call but those of waiting, and says so by one byte on descriptor 1.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture: name its AUDIT_ARCH here"
#endif

#define LOAD(member) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, member))
#define RETURN(action) BPF_STMT (BPF_RET | BPF_K, (action))
/* Goes on with the next one where it is @value, else over @over more. */
#define UNLESS(value, over) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (over))

/* Waiting; and to say that it waits.  A call beyond is no mistake but somebody else's doing. */
static int
load_filter (void)
{
  struct sock_filter filter[] = {
    LOAD (arch),
    UNLESS (ARCHITECTURE, 10),
    LOAD (nr),
    UNLESS (SYS_rt_sigtimedwait, 1),
    RETURN (SECCOMP_RET_ALLOW),
    UNLESS (SYS_waitid, 1),
    RETURN (SECCOMP_RET_ALLOW),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
    UNLESS (SYS_close, 3),
    LOAD (args[0]),
    UNLESS (STDOUT_FILENO, 1),
    RETURN (SECCOMP_RET_ALLOW),
    RETURN (SECCOMP_RET_KILL_PROCESS),
  };
  const struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

  return (int) syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program);
}

int
main (void)
{
  siginfo_t info = { 0 };
  sigset_t ends;

  /* Its agent's end is the guest's. */
  if (prctl (PR_SET_DUMPABLE, 0) < 0 || prctl (PR_SET_PDEATHSIG, SIGKILL) < 0)
    return 1;
  (void) sigemptyset (&ends);
  (void) sigaddset (&ends, SIGCHLD);
  if (sigprocmask (SIG_BLOCK, &ends, NULL) < 0 || load_filter () < 0
      || write (STDOUT_FILENO, "k", 1) != 1)
    return 1;
  (void) close (STDOUT_FILENO);
  for (;;)
    {
      info.si_pid = 0;
      while (waitid (P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
        info.si_pid = 0;
      /* Blocked, an end that comes in between stays. */
      (void) sigwaitinfo (&ends, &info);
    }
}
