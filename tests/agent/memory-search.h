/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for a text in all of another process's memory.  Needs root. */
#pragma once

#include <glib.h>

/* 64 random letters and digits, which are nowhere yet. (transfer full) */
char *memory_random_text (void);

/* How often @text is in what of @pid can be read. */
guint memory_count (GPid pid, const char *text);

/* VmLck of @pid. */
guint memory_locked_kib (GPid pid);
