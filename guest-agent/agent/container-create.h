/* SPDX-License-Identifier: Apache-2.0 */
/* The timers of a container; container-create.c sets them up, container.c answers them. */
#pragma once

#include "container.h"

void dn_container_look_at_freeze (DnTimer *timer);
void dn_container_look_at_end (DnTimer *timer);

/* Sends OOM when the kernel has killed more of the container's processes than were known. */
void dn_container_look_at_oom (DnContainer *container);
