/* SPDX-License-Identifier: Apache-2.0 */
#include "rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>

static const unsigned kept[] = {
  /* Namespaces, mounts, and binds' attributes. */
  CAP_SYS_ADMIN,
  /* To go to a share's mounts, which setns(2) asks it for. */
  CAP_SYS_CHROOT,
  /* Callers' ids while their paths are opened; id maps. */
  CAP_SETUID,
  CAP_SETGID,
  CAP_SETPCAP,
  /* For binds of root's, which nobody's rights are asked for. */
  CAP_DAC_READ_SEARCH,
  /* What an overlay of a pod's root does to the layer that is written, in the place of who writes
   * (layers.h). */
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_SETFCAP,
  /* What the kernel says of a virtiofsd; and its end where it could not be made. */
  CAP_SYS_PTRACE,
  CAP_KILL,
};

int
dn_share_rights_drop (void)
{
  bool is_given[sizeof kept / sizeof kept[0]];

  /* No wider than what we were given: a service manager may have kept less. */
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
    is_given[i] = capng_have_capability (CAPNG_PERMITTED, kept[i]) != 0
                  && capng_have_capability (CAPNG_BOUNDING_SET, kept[i]) != 0;
  if (unshare (CLONE_NEWNET) < 0)
    return -errno;
  capng_clear (CAPNG_SELECT_ALL);
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
    if (is_given[i])
      (void) capng_update (CAPNG_ADD,
                           (capng_type_t) (CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET),
                           kept[i]);
  return capng_apply (CAPNG_SELECT_ALL) < 0 ? -EPERM : 0; /* a private code, not -errno */
}
