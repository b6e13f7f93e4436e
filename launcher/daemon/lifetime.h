/* SPDX-License-Identifier: Apache-2.0 */
/* How long guests may live: [lifetime] of a context.
 *
 *     idle_s      the guest ends when no container was in it that long (an exec needs a container)
 *     maximum_s   that long after the guest's start its containers are ended, then the guest,
 *                 whoever is in; the next container starts a fresh one
 *
 * Looked at once a second.  Both count by CLOCK_BOOTTIME, which no change of the host's time moves
 * and which goes on while the host sleeps; when they began to count is in the context's state file,
 * so that a danchid that ends and starts again changes nothing.  The limits are those of now: a
 * change holds at once, also for guests that run.
 */
#pragma once

#include "context.h"
#include "lifetime-judge.h"

/* CLOCK_BOOTTIME. */
gint64 dn_lifetime_now_us (void);

/* A guest that the last danchid started: what is not known counts from now on. */
void dn_lifetime_adopt (DnContext *context);

/* From here on lifetimes are watched, by the default main loop. */
void dn_lifetime_watch (DnDaemon *daemon);
