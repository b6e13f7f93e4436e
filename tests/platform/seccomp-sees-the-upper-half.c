/* SPDX-License-Identifier: Apache-2.0 */
/* For an argument that is an int the kernel ignores the upper half of the register, and a filter
 * sees it: why the default profile compares by equality or by mask, and the head of every filter
 * looks at the lower half alone. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

#define DIRTY 0xdeadbeef00000000ul

/* Refuses socket (AF_INET), comparing all 64 bits, as a naive rule does. */
static void
refuse_naively (void)
{
  const struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 5),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[0])),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 0, 3),
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, args[0]) + 4),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program
      = { sizeof filter / sizeof filter[0], (struct sock_filter *) filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
      || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit (99);
}

static int
errno_of_socket (unsigned long family)
{
  int status;
  pid_t pid = fork ();

  ASSUME (pid >= 0, "fork works");
  if (pid == 0)
    {
      refuse_naively ();
      _exit (syscall (SYS_socket, family, SOCK_STREAM, 0) >= 0 ? 0 : errno);
    }
  ASSUME (waitpid (pid, &status, 0) == pid && WIFEXITED (status), "the child ends");
  ASSUME (WEXITSTATUS (status) != 99, "the filter loads");
  return WEXITSTATUS (status);
}

int
main (void)
{
  ASSUME (errno_of_socket (AF_INET) == EPERM, "the rule refuses the clean call");
  ASSUME (errno_of_socket (DIRTY | AF_INET) == 0, "the dirty call passes the rule and works");
  return 0;
}
