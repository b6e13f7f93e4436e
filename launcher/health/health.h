/* SPDX-License-Identifier: Apache-2.0 */
/* The health check as a part of a container, and what its guest tells of it. */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_health_part;

/* HEALTH: on the guest's reader thread, without the daemon's lock; does not block. */
void dn_health_told (DnContainer *container, const DnMsgHealth *message);
