/* SPDX-License-Identifier: Apache-2.0 */
/* Two samples of what containers and guests use, as a table: as Docker has it, with CONTEXT and
 * GUEST MEM.
 *
 * A guest's row says what it takes of the host, QEMU and what serves it; those of its containers
 * say what its kernel gives to each.  So the rows of one context are not to be added up.
 */
#pragma once

#include <json-glib/json-glib.h>

/* What a guest has in the place of a container's id and name. */
#define DN_STATS_GUEST_ID "-"
#define DN_STATS_GUEST_NAME "(guest)"

/* What is in @stats of the same container as @row, by id, or of the same context's guest; NULL. */
JsonObject *dn_stats_find (JsonArray *stats, JsonObject *row);

/* Prints @now; shares of a processor since @before.  @columns: of the terminal, 0: all are shown */
void dn_stats_print (JsonArray *now, JsonArray *before, guint columns);
