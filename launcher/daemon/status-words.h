/* SPDX-License-Identifier: Apache-2.0 */
/* A container's state in words for people, as docker puts it.  Pure. */
#pragma once

#include <glib.h>

#include "container.h"

/* "Created", "Up 3 minutes", "Up 3 minutes (Paused)", "Exited (0) 2 hours ago"; @since_us: when it
 * started or ended. (transfer full) */
char *dn_status_words (DnContainerState state, gint64 exit_code, gint64 since_us, gint64 now_us);
