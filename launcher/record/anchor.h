/* SPDX-License-Identifier: Apache-2.0 */
/* The anchor: the number and hash of the record's last line, kept apart from the record.
 *
 * The chain alone cannot tell that its end was cut off; the anchor can.  As text it is one line,
 * which `danchi audit anchor` prints for keeping elsewhere:
 *
 *     danchi-record-anchor 1 seq=17 time_us=1764455972000000 hash=<64 hex> check=<16 hex>
 *
 * Before the first line there is one with seq 0 and sixty-four zeros.  `check` is the beginning of
 * the SHA-256 of what stands before it: it tells a damaged anchor from one that says something
 * else, no more.
 *
 * danchid's own file has two places of %DN_RECORD_ANCHOR_PLACE_BYTES, which are written in turn: a
 * power loss in the middle of a write costs the newer one.  A reader takes the higher of those that
 * are whole, of any file with such lines.
 *
 * Pure, except for dn_record_anchor_load().
 */
#pragma once

#include "line.h"

/* A sector each: a disk writes that whole or not. */
#define DN_RECORD_ANCHOR_PLACE_BYTES 512
#define DN_RECORD_ANCHOR_FILE_MAX_BYTES (64 * 1024)

/* With its newline.  @head: seq, time_us and hash. (transfer full) */
char *dn_record_anchor_print (const DnRecordHead *head);

/* The highest whole anchor among the lines of @text; blanks around a line do not matter.
 * Returns: FALSE when there is none */
gboolean dn_record_anchor_parse (const char *text, gsize size, DnRecordHead *ret_head);

/* DN_ERROR_NOT_FOUND for no such file, DN_ERROR_CONFIG for one without an anchor,
 * DN_ERROR_FAILED. */
gboolean dn_record_anchor_load (const char *path, DnRecordHead *ret_head, GError **error);
