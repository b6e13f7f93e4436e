/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as people write them on command lines.  Pure. */
#pragma once

#include <glib.h>

/**
 * dn_quantity_parse_bytes:
 * @text: digits and at most one of b k m g t, in either case (powers of 1024), as Docker has it;
 *   "64m", "1073741824"
 *
 * Returns: TRUE; FALSE for anything else, for 0 and for what is over G_MAXINT64
 */
gboolean dn_quantity_parse_bytes (const char *text, gint64 *ret_bytes);

/* Digits only, in @base 8 or 10, at most @most. */
gboolean dn_quantity_parse_number (const char *text, guint base, gint64 most, gint64 *ret_number);
