/* SPDX-License-Identifier: Apache-2.0 */
/* A container's root that is a name in the guest's share, while it is looked for.
 *
 * The share is asked by a child (share.h), since who asks waits for the host; CREATE looks again,
 * as it does for a disk that is on its way, until the child has answered.
 */
#pragma once

#include <stdbool.h>

#include "fault.h"

typedef struct
{
  bool is_asked;
  bool is_answered;
  int fd;        /* owned; a detached mount, or -1 */
  DnFault fault; /* where it is answered and there is none */
} DnShareRoot;
