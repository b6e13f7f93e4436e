/* SPDX-License-Identifier: Apache-2.0 */
/* The record's files and its anchor, open for writing.
 *
 * Appends batches: lines, then fdatasync(2), then the anchor.  A batch is in the record as a whole
 * or not at all: after a failure nothing of it was answered for, and the next batch begins by
 * finding the record's end anew, as at a start.
 *
 * On the disk a reserve is kept free for the record (fallocate(2) beyond the end of the file), so
 * that a disk that others fill leaves room for outcomes, and for what makes room.
 *
 * The anchor is written with each batch and synced within %DN_RECORD_ANCHOR_SYNC_US: it survives
 * the end of danchid at once, and lags by that time at most after a power loss.
 *
 * Not locked: belongs to the writer's thread (writer.h).
 */
#pragma once

#include "entry.h"
#include "forward.h"

#define DN_RECORD_RESERVE_BYTES (1024 * 1024)
/* The most that one batch writes: 256 lines of the longest.  Kept free beside the reserve, so that
 * no line of a batch eats into what the next one of it must find (writer.c). */
#define DN_RECORD_BATCH_BYTES (1024 * 1024)
#define DN_RECORD_ANCHOR_SYNC_US G_USEC_PER_SEC

typedef struct
{
  const char *directory;
  const char *anchor;
  gboolean makes_anchor_directory; /* else it must be there: it may be a disk not mounted */
  gint64 file_bytes;               /* begin another file when one is as large */
} DnRecordPlan;

typedef struct DnRecordStore DnRecordStore;

/* Nothing is opened yet.  @forward: (transfer full) (nullable) */
DnRecordStore *dn_record_store_new (const DnRecordPlan *plan, DnRecordForward *forward);
void dn_record_store_free (DnRecordStore *store);

/* Opens what is not open, recovers, and reserves: whatever can be done before a batch.
 * DN_ERROR_FAILED, with the remedy as a hint. */
gboolean dn_record_store_prepare (DnRecordStore *store, GError **error);

/* After it: how many bytes may be written for sure; G_MAXINT64 where the disk cannot say. */
gint64 dn_record_store_room (const DnRecordStore *store);

/* Puts a line into the batch.  Returns: its seq */
guint64 dn_record_store_add (DnRecordStore *store, const char *body, gint64 time_us);

/* Writes the batch; on failure it is forgotten.  DN_ERROR_FAILED, likewise. */
gboolean dn_record_store_commit (DnRecordStore *store, GError **error);

/* Whether the anchor is to be synced, and doing so. */
gboolean dn_record_store_is_anchor_unsynced (const DnRecordStore *store);
void dn_record_store_sync_anchor (DnRecordStore *store);
