/* SPDX-License-Identifier: Apache-2.0 */
/* Children nobody waits for any more: killed, and reaped when they have ended. */
#pragma once

#include "loop.h"

/* Kills the child of @pidfd and reaps it later.  Takes ownership of @pidfd. */
void dn_orphan_adopt (DnLoop *loop, int pidfd);
