/* SPDX-License-Identifier: Apache-2.0 */
/* The host's orders about a volume, of a test that is an agent's host. */
#pragma once

#include "agent-host.h"

/* Returns: the agent's answer, 0 or a negative errno; host->reply has its words. */
gint32 host_open_volume (Host *host, const char *volume, const char *disk, const char *name,
                         guint32 flags);
gint32 host_close_volume (Host *host, const char *volume);
