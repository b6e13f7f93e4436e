/* SPDX-License-Identifier: Apache-2.0 */
/* A container as clients see it. */
#pragma once

#include "container.h"

/* A summary, as docs/api.md has it.  Takes the daemon's lock. (transfer full) */
JsonObject *dn_container_summary (DnContainer *container);

/* All that is known, for inspect. (transfer full) */
JsonObject *dn_container_inspect (DnContainer *container);

/* Whether a container passes all of @filters ("KEY=VALUE"): values of one key are alternatives,
 * keys must all hold, and so must all labels. */
gboolean dn_container_matches (DnContainer *container, char **filters);

/* Whether the filters are well formed; DN_ERROR_USAGE.  Pure. */
gboolean dn_container_check_filters (char **filters, GError **error);
