/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a guest's console, for the eyes of somebody whose container did not start. */
#pragma once

#include <glib.h>

/* The last @lines_max lines of the ring behind @fd, escaped and indented by two blanks, each with
 * its newline; empty when there is nothing. (transfer full); NULL when this is no ring. */
char *dn_console_tail_read (int fd, guint lines_max);

/* The same from bytes: pure. (transfer full) */
char *dn_console_tail_format (const char *bytes, gsize size, guint lines_max);
