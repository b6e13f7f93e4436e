/* SPDX-License-Identifier: Apache-2.0 */
/* Text broken into lines: nothing is cut off on a narrow terminal. */
#pragma once

#include <glib.h>

/* @text, already clean, in lines of at most @columns (at least 2) columns of a terminal; breaks at
 * blanks, and within words that are longer than a line.  At least one line. (transfer full) */
GPtrArray *dn_wrap_text (const char *text, guint columns);
