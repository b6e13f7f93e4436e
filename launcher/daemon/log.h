/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's own log: GLib's messages as lines with time and level, on standard error and, for a
 * daemon that runs in the background, in a file of bounded size.
 *
 * Messages may hold words of guests and libraries: control characters are replaced, lines are cut.
 */
#pragma once

#include <glib.h>

#define DN_LOG_FILE_MAX_BYTES (8 * 1024 * 1024)

/* From here on all messages go to @path (NULL: to standard error alone); debug ones only where
 * @is_verbose.  At %DN_LOG_FILE_MAX_BYTES the file becomes PATH.1. */
gboolean dn_log_start (const char *path, gboolean is_verbose, GError **error);
