/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a record: DIRECTORY/0001.jsonl, 0002.jsonl ..., in the order of their numbers.
 */
#pragma once

#include <glib.h>

#include "line.h"

#define DN_RECORD_FILE_DIGITS 4 /* at least */

/* The number in a file's name, or 0 for what is no file of a record.  Pure. */
guint dn_record_file_number (const char *name);

/* "0017.jsonl". (transfer full) */
char *dn_record_file_name (guint number);

/* The numbers of @directory's files, rising.  (transfer full) (element-type guint), or NULL with
 * DN_ERROR_NOT_FOUND (no such directory) or DN_ERROR_FAILED */
GArray *dn_record_files_list (const char *directory, GError **error);

/* Takes one line: @size bytes without the newline, %DN_RECORD_LINE_MAX_BYTES or more where it is
 * longer than a line can be (then these are its first bytes).  @is_whole: a newline came behind
 * it.  Returns: whether to go on */
typedef gboolean (*DnRecordLineFunc) (const char *line, gsize size, gboolean is_whole,
                                      gpointer data);

/* Reads @path from byte @offset on, whatever it holds, in bounded memory.
 * @ret_end: (nullable): the offset behind the last whole line that was taken */
gboolean dn_record_file_read (const char *path, gint64 offset, DnRecordLineFunc take, gpointer data,
                              gint64 *ret_end, GError **error);
