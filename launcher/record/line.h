/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the audit record, and the chain that binds it to the line before it.
 *
 *     {"seq":17,"time_us":1764455972000000,"prev":"<64 hex>", BODY ,"hash":"<64 hex>"}\n
 *
 * `hash` is the SHA-256 of the line's bytes up to the comma before "hash"; `prev` is the hash of
 * line seq - 1, sixty-four zeros for line 1.  So whoever changes a byte has to write every later
 * line anew, and the anchor (anchor.h) tells that.  The form is fixed to the byte: what has another
 * order, a blank more or a number with a zero in front is no line of a record.
 *
 * Pure.  Source: docs/audit-record.md.
 */
#pragma once

#include <glib.h>

#define DN_RECORD_HASH_DIGITS 64
#define DN_RECORD_LINE_MAX_BYTES 4096 /* with its newline */
#define DN_RECORD_BODY_MAX_BYTES 3850
#define DN_RECORD_NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* What binds a line to the others. */
typedef struct
{
  guint64 seq;
  gint64 time_us;
  char prev[DN_RECORD_HASH_DIGITS + 1];
  char hash[DN_RECORD_HASH_DIGITS + 1];
} DnRecordHead;

/**
 * dn_record_line_seal:
 * @body: an object as text on one line, with at least one member, of at most
 *   %DN_RECORD_BODY_MAX_BYTES
 * @head: seq, time_us and prev are read, hash is set
 *
 * Returns: (transfer full): the line, with its newline
 */
char *dn_record_line_seal (const char *body, DnRecordHead *head);

/**
 * dn_record_line_read:
 * @line: @size bytes without the newline, untrusted
 * @ret_head: as the line itself has it
 * @ret_is_true: whether the hash is that of the bytes
 *
 * Says nothing of whether BODY is JSON: who changed it would have had to change the hash.
 *
 * Returns: FALSE for what does not have the form
 */
gboolean dn_record_line_read (const char *line, gsize size, DnRecordHead *ret_head,
                              gboolean *ret_is_true);
