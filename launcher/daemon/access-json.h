/* SPDX-License-Identifier: Apache-2.0 */
/* Who has rights on a context, as clients and auditors see it. */
#pragma once

#include <json-glib/json-glib.h>

#include "context.h"

/* {"users", "groups", "verbs", "readers", "reader_groups"}.  Root has all rights everywhere and is
 * not named.  Under the daemon's lock. (transfer full) */
JsonObject *dn_access_to_json (DnContext *context);

/* Likewise with "unknown": entries that this host has no user or group for.  Without the lock; asks
 * the host's databases. (transfer full) */
JsonObject *dn_access_to_json_checked (DnContext *context);
