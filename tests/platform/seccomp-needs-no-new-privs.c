/* SPDX-License-Identifier: Apache-2.0 */
/* Needs: root */
/* Without capabilities a filter can only be loaded after no_new_privs, and dropping all
 * capabilities does not by itself keep root from root's files: why both are set, in this order, and
 * containers' root is not the guest's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

static int
load_filter (void)
{
  const struct sock_filter filter[] = { BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
  const struct sock_fprog program = { 1, (struct sock_filter *) filter };

  return prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

int
main (void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct none[2] = { { 0 } };
  int fd;

  if (geteuid () != 0)
    SKIP ("needs root");
  ASSUME (syscall (SYS_capset, &header, none) == 0, "capabilities can be dropped");
  ASSUME (load_filter () == EACCES, "without no_new_privs a filter is EACCES");
  ASSUME (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs can be set");
  ASSUME (load_filter () == 0, "with it a filter loads");
  fd = open ("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == EROFS)
    SKIP ("/proc/sys is read-only here");
  ASSUME (fd >= 0, "root without any capability may write to root's files in /proc/sys");
  return 0;
}
