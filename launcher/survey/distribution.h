/* SPDX-License-Identifier: Apache-2.0 */
/* Which distribution the host is, and until when it gets security updates (R3.1).
 *
 * Source: os-release(5); end-of-life.h.
 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_distribution_read:
 * @root: see root-file.h
 * @today: "YYYY-MM-DD"
 *
 * Returns: (transfer full): {id, version_id, name, end_of_life, is_over}; the last two null where
 *   the table does not know, all where there is no os-release
 */
JsonObject *dn_distribution_read (const char *root, const char *today);
