/* SPDX-License-Identifier: Apache-2.0 */
/* A container's log, record by record, out of its two halves while the relay may still write.
 *
 * The rules of reading are launcher/base/log-format.h's: the half with the lower number first, over
 * to the other one at its end, and from the start again where the writer was faster and went round
 * (what was lost then is gone by the log's cap).  Each chunk is checked after it was read: had its
 * half been emptied meanwhile, it is thrown away.
 *
 * The relay is not trusted to write well: lines that are no records are counted and skipped.
 */
#pragma once

#include <glib.h>

#include "../base/log-format.h"

typedef struct DnLogReader DnLogReader;

/* @first, @second: read-only descriptors of the halves; borrowed, read with pread(2) only. */
DnLogReader *dn_log_reader_new (int first, int second);
void dn_log_reader_free (DnLogReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnLogReader, dn_log_reader_free)

/**
 * dn_log_reader_next:
 * @ret_record: (out): its text is borrowed until the next call
 *
 * Returns: 1 with a record; 0 when there is none now, perhaps later; -1 with DN_ERROR_FAILED
 */
int dn_log_reader_next (DnLogReader *reader, DnLogRecord *ret_record, GError **error);

/* How many lines were no records so far. */
guint64 dn_log_reader_count_damaged (const DnLogReader *reader);
