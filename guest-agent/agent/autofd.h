/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor that closes itself at the end of its block; libc only. */
#pragma once

#include <errno.h>
#include <unistd.h>

static inline void
dn_fd_clear (int *fd)
{
  int saved_errno = errno;

  if (*fd >= 0)
    (void) close (*fd);
  *fd = -1;
  errno = saved_errno;
}

static inline int
dn_fd_steal (int *fd)
{
  int stolen = *fd;

  *fd = -1;
  return stolen;
}

#define dn_autofd __attribute__ ((cleanup (dn_fd_clear)))
