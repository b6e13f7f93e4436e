/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a record is whole: every line is what it was, and follows the one before it.
 *
 * The check is fed line by line, in the order of the files, then with an anchor, and keeps findings
 * (someone changed the record, or lines are lost) and remarks (what is worth knowing and no
 * tampering).  Each names file and line.
 *
 * What it can find: a changed, removed, repeated, inserted or moved line by the chain alone; lines
 * cut off at the end by an anchor taken after them.  What it cannot: a record written anew from
 * some line on by who may write it, where no anchor from later than that line is kept elsewhere.
 *
 * Pure, except for dn_record_check_directory().
 */
#pragma once

#include "line.h"

/* Findings beyond these are counted only. */
#define DN_RECORD_FINDINGS_MAX 1000

/* The verbs of danchid's own lines about the record itself, see tail.h. */
#define DN_RECORD_VERB_BROKEN "record-broken"
#define DN_RECORD_VERB_LOST "record-lost"
#define DN_RECORD_VERB_RECOVERED "record-recovered"

typedef struct
{
  char *file;   /* owned; its name, or "" where it is none's */
  guint64 line; /* from 1; 0: none */
  char *words;  /* owned; one line, harmless to show */
} DnRecordFinding;

typedef struct
{
  GPtrArray *findings; /* owned; DnRecordFinding */
  GPtrArray *remarks;  /* owned; likewise */
  guint64 more;        /* findings over the most */
  guint64 lines;
  guint64 files;
  DnRecordHead first; /* seq 0: there is none */
  DnRecordHead last;
  guint64 first_seq; /* that the record has to begin with, 1 where nothing was archived */
  char *file;        /* owned; under way */
  guint64 line;      /* of file */
  gboolean has_torn_end;
  GHashTable *anchors; /* owned; seq → GPtrArray of Anchor, to be met on the way */
} DnRecordCheck;

DnRecordCheck *dn_record_check_new (guint64 first_seq);
void dn_record_check_free (DnRecordCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnRecordCheck, dn_record_check_free)

/* Before the first line: that the record has to hold this line. @name: of the anchor, for words;
 * @is_live: danchid's own one, than which a record at rest is not longer. */
void dn_record_check_anchor (DnRecordCheck *check, const DnRecordHead *anchor, const char *name,
                             gboolean is_live);

void dn_record_check_file (DnRecordCheck *check, const char *name);
/* A DnRecordLineFunc's arguments; always goes on. */
gboolean dn_record_check_line (const char *line, gsize size, gboolean is_whole, gpointer check);
/* After the last. */
void dn_record_check_end (DnRecordCheck *check);

/* Feeds all files of @directory, then ends.  DN_ERROR_NOT_FOUND for no such directory,
 * DN_ERROR_FAILED for what cannot be read. */
gboolean dn_record_check_directory (DnRecordCheck *check, const char *directory, GError **error);
