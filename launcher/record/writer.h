/* SPDX-License-Identifier: Apache-2.0 */
/* The one writer of the record: a thread, and whoever has something to record.
 *
 * Requests that come while a sync is under way share the next one, so the cost of a busy danchid is
 * that of the disk and not that of the number of callers.  A line is written in one of two ways:
 *
 *   dn_record_writer_commit()   waits until it is in the record; without it the caller does nothing
 *   dn_record_writer_post()     does not wait: what came of something, what danchid did itself
 *
 * What was posted and cannot be written waits in memory, %DN_RECORD_BACKLOG_MAX lines at most; what
 * is lost beyond that is counted, and a line says so as soon as one can be written.  A failure ends
 * by itself: each commit tries again, and so does the thread while something waits.
 *
 * Safe from any thread; the lock is a leaf.
 */
#pragma once

#include "store.h"

#define DN_RECORD_BATCH_MAX 256
#define DN_RECORD_BACKLOG_MAX 1024
#define DN_RECORD_RETRY_US G_USEC_PER_SEC

/* How much of the reserve has to be left for a line.  The last two are what makes room. */
typedef enum
{
  DN_RECORD_NEW,        /* new work: all of it, so it is refused first */
  DN_RECORD_LOOK,       /* half */
  DN_RECORD_FREE,       /* what ends or removes something: an eighth */
  DN_RECORD_AFTERWARDS, /* none: it has happened */
} DnRecordWeight;

typedef struct DnRecordWriter DnRecordWriter;

/* Never fails: what cannot be opened is tried again.  @forward: as in dn_record_store_new(). */
DnRecordWriter *dn_record_writer_new (const DnRecordPlan *plan, DnRecordForward *forward);

/* Writes what waits, where that is possible, and ends the thread. */
void dn_record_writer_free (DnRecordWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnRecordWriter, dn_record_writer_free)

/* @body: (transfer none): see entry.h.  @ret_seq: (nullable)
 * Returns: FALSE with DN_ERROR_FAILED where it is not in the record */
gboolean dn_record_writer_commit (DnRecordWriter *writer, const char *body, DnRecordWeight weight,
                                  guint64 *ret_seq, GError **error);

/* @body: (transfer full) */
void dn_record_writer_post (DnRecordWriter *writer, char *body);

/* Waits until all that was posted is written or has failed once. */
void dn_record_writer_flush (DnRecordWriter *writer);

/* Why the last attempt failed, or NULL. (transfer full) */
char *dn_record_writer_failure (DnRecordWriter *writer);
