/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of guests and what they come to, as JSON: for the API (docs/api.md) and state files. */
#pragma once

#include <json-glib/json-glib.h>

#include "guest-limits.h"
#include "guest-size.h"
#include "host-group.h"

/* (transfer full) */
JsonObject *dn_guest_limits_to_json (const DnGuestLimits *limits);
/* What dn_guest_limits_to_json() made; what is not in it stays.  DN_ERROR_CONFIG naming @what */
gboolean dn_guest_limits_read (DnGuestLimits *limits, JsonObject *object, const char *what,
                               GError **error);

/* (transfer full): with the formula, a list of lines. */
JsonObject *dn_guest_size_to_json (const DnGuestShape *shape);

/* What the host's kernel holds a QEMU to. (transfer full) */
JsonObject *dn_host_group_to_json (const DnHostGroup *group);
