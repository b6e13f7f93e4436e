/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a flag names, read whole as text. */
#pragma once

#include <glib.h>

/* At most @size_max bytes of UTF-8 without NUL; pipes will do ("/dev/stdin").  (transfer full);
 * NULL with DN_ERROR_USAGE naming the file. */
char *dn_read_file (const char *path, gsize size_max, GError **error);
