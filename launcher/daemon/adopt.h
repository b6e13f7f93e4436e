/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over what danchid's predecessor left running: guests are found again (guest.h), and what
 * they run is compared with what is written down.  What nobody knows of is ended; what was written
 * down and is not there has ended. */
#pragma once

#include "daemon.h"

/* At the start, before the first request. */
gboolean dn_adopt_all (DnDaemon *daemon, GError **error);

/* A guest goes on after it was frozen: what it runs is compared, where it was frozen when danchid
 * started; containers that nobody waits for any more are ended in it.  Blocks until its agent
 * answered or did not; one that does not answer is left as it is, and said in the log. */
struct DnContext;
struct DnGuest;
void dn_adopt_thawed (struct DnContext *context, struct DnGuest *guest);
