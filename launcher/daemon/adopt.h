/* SPDX-License-Identifier: Apache-2.0 */
/* Taking over what danchid's predecessor left running: guests are found again (guest.h), and what
 * they run is compared with what is written down.  What nobody knows of is ended; what was written
 * down and is not there has ended. */
#pragma once

#include "daemon.h"

/* At the start, before the first request. */
gboolean dn_adopt_all (DnDaemon *daemon, GError **error);
