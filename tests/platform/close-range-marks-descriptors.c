/* SPDX-License-Identifier: Apache-2.0 */
/* close_range() with CLOSE_RANGE_CLOEXEC marks every descriptor, also one that leaked: the last
 * step before a container's program runs. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "assume.h"

int
main (void)
{
  const int leaked = 57;

  ASSUME (dup2 (STDERR_FILENO, leaked) == leaked, "a descriptor can be leaked");
  ASSUME ((fcntl (leaked, F_GETFD) & FD_CLOEXEC) == 0, "it would survive execve()");
  ASSUME (syscall (SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) == 0, "close_range() works");
  ASSUME ((fcntl (leaked, F_GETFD) & FD_CLOEXEC) != 0, "it is marked");
  ASSUME ((fcntl (STDERR_FILENO, F_GETFD) & FD_CLOEXEC) == 0, "standard error is not");
  return 0;
}
