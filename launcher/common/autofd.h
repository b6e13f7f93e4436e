/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor that closes itself; Debian 12's GLib has g_steal_fd() but no g_autofd (2.80). */
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

#define dn_autofd __attribute__ ((cleanup (dn_fd_clear)))
