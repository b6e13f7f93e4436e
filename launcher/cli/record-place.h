/* SPDX-License-Identifier: Apache-2.0 */
/* Where this host's audit record and its anchor are.
 *
 * danchi reads them itself, as root: so they can be read while danchid does not run, and danchid
 * need not answer for what it may have been made to write.
 */
#pragma once

#include <glib.h>

/* STATE/audit. (transfer full) */
char *dn_record_place_directory (void);

/* [audit] anchor of danchi.conf, else STATE/audit-anchor/head. (transfer full) */
char *dn_record_place_anchor (void);
