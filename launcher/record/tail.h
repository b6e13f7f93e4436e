/* SPDX-License-Identifier: Apache-2.0 */
/* Where a record ends, and whether that is where it ended: what danchid looks at before it goes on.
 *
 * Reads the end of the last file alone, so that it takes as long for a large record as for a small
 * one.  Behind the last true line there may be bytes of a write that a crash cut off; they were
 * never answered for, because the anchor is written after the line and before the answer.  So:
 *
 *   the anchor is at or before the last true line   what is behind it is cut off, and a line says
 * so the anchor is beyond it, or knows another hash   somebody changed the record: nothing is cut,
 * a new file begins, and its first line says so
 *
 * Effects: reads only.
 */
#pragma once

#include "files.h"

#define DN_RECORD_TAIL_BYTES (64 * 1024)

typedef struct
{
  guint number;      /* of the file to go on in; 0: there is none */
  gint64 size_bytes; /* where to go on in it */
  gint64 cut_bytes;  /* what is behind that, and is to be cut off */
  gboolean is_empty; /* that file */
  DnRecordHead last; /* seq 0: there is no line */
  char *broken;      /* owned; why the end is not what it was, or NULL */
} DnRecordTail;

void dn_record_tail_clear (DnRecordTail *tail);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnRecordTail, dn_record_tail_clear)

/* @anchor: NULL where there is none, which is right only for a record without lines.
 * DN_ERROR_FAILED for what cannot be read; no such directory is a record without lines. */
gboolean dn_record_tail_find (const char *directory, const DnRecordHead *anchor,
                              DnRecordTail *ret_tail, GError **error);
