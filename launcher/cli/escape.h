/* SPDX-License-Identifier: Apache-2.0 */
/* Text of guests, images and other users on its way to a terminal.
 *
 * A terminal obeys what it is sent: escape sequences move the cursor, change titles and keys, and
 * directional marks make text read as what it is not.  So everything that is not a printable
 * character is shown as an escape: \n, \t, \r; \xNN for other control characters and for bytes that
 * are no UTF-8; \u{NNNN} for format characters (bidi, zero width), line separators and private use.
 * Tenants' own output (run, attach, logs) is not ours to change and never passes here.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

/* @size bytes (-1: to the NUL) as one line that is safe to show. (transfer full) */
char *dn_escape_text (const char *text, gssize size);

/* JSON text (with its line breaks) in which characters that a terminal would obey are written as
 * JSON's own \uNNNN: the document means the same. (transfer full) */
char *dn_escape_json (const char *text);

/* A word as a shell would need it: plain, or in single quotes.  Not escaped. (transfer full) */
char *dn_escape_word (const char *word);

/* How many columns @text, already escaped, takes on a terminal. */
guint dn_escape_width (const char *text);
