/* SPDX-License-Identifier: Apache-2.0 */
/* The scratch disk of a container with --writable=disk: a disk of the guest's own that ends with
 * the container's run.  The key to it is made in the guest and never leaves it. */
#pragma once

#include "container-part.h"

extern const DnContainerPart dn_container_scratch_part;
