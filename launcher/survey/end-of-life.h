/* SPDX-License-Identifier: Apache-2.0 */
/* When distributions end: the last day on which everybody gets security updates.
 *
 * Long-term support that is free for all counts (Debian LTS); what is sold or needs a subscription
 * beyond the product's own (Ubuntu Pro, ELS, LTSS) does not.  Pure.
 *
 * Source: Debian's distro-info-data 0.58+deb12u6 (Debian, Ubuntu), the vendors' life-cycle pages as
 * collected by endoflife.date on the day below (all others).
 */
#pragma once

#include <glib.h>

/* The day on which the table was last compared with its sources. */
#define DN_END_OF_LIFE_TABLE_DATE "2026-08-22"

/**
 * dn_end_of_life_find:
 * @id: ID of os-release(5)
 * @version_id: its VERSION_ID, or NULL; "9.4" is a 9 and "3.19.1" a 3.19 where the table has those
 *
 * Returns: "YYYY-MM-DD", or NULL where the table does not know
 */
const char *dn_end_of_life_find (const char *id, const char *version_id);
