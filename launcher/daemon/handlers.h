/* SPDX-License-Identifier: Apache-2.0 */
/* What guests report, and what danchid makes of it.
 *
 * Handlers run on a guest's reader thread: they change tables under the daemon's lock and leave
 * everything that blocks to workers.  What they are told is a guest's word: it counts for
 * containers that are in that very guest and for nothing else.
 */
#pragma once

#include "../guest/guest.h"
#include "daemon.h"

void dn_handlers_init (DnGuestHandlers *ret_handlers, DnDaemon *daemon);
