/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SELF                                                                                       \
  {                                                                                                \
    .version = _LINUX_CAPABILITY_VERSION_3                                                         \
  }

int
dn_thread_take_group (gid_t gid)
{
  return (int) syscall (SYS_setresgid, (gid_t) -1, gid, (gid_t) -1);
}

bool
dn_thread_take_right (DnThreadRights *ret_before)
{
  struct __user_cap_header_struct header = SELF;
  struct __user_cap_data_struct sets[2];

  if (syscall (SYS_capget, &header, ret_before->sets) < 0)
    return false;
  sets[0] = ret_before->sets[0];
  sets[1] = ret_before->sets[1];
  sets[0].effective |= sets[0].permitted & (1u << CAP_DAC_OVERRIDE);
  return sets[0].effective != ret_before->sets[0].effective
         && syscall (SYS_capset, &header, sets) == 0;
}

void
dn_thread_put_back (const DnThreadRights *before)
{
  struct __user_cap_header_struct header = SELF;
  int saved_errno = errno;

  if (syscall (SYS_capset, &header, before->sets) < 0)
    abort ();
  errno = saved_errno;
}
