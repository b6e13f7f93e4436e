/* SPDX-License-Identifier: Apache-2.0 */
/* A document whose strings can be shown: each is one line of UTF-8 without control, format (bidi,
 * zero width) and private characters, which stand as escapes in it (cli/escape.h), and no longer
 * than fits a page.  Done once for all of it, so that no reader can forget.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_CLEAN_TEXT_MAX 2000 /* columns; what is longer ends with an ellipsis */
#define DN_CLEAN_DEPTH_MAX 24  /* what is deeper is null */

/* A clean copy; an empty object for NULL. (transfer full) */
JsonObject *dn_clean_document (JsonObject *document);
