/* SPDX-License-Identifier: Apache-2.0 */
/* A container's log on disk: what the relay writes and `danchi logs` reads.
 *
 * A log is two files, its halves.  The relay appends to one until that is full, then empties the
 * other and goes on there, so that a log holds at least half of its cap and never more than the
 * cap.  Each half starts with a header line that numbers it; the higher number is the newer half.
 * A file without a header is a half that was not used yet (or is being emptied right now).
 *
 *     {"half":7}
 *     {"t":"2026-11-22T04:00:00.123456789Z","s":"stdout","m":"a line of output"}
 *     {"t":"2026-11-22T04:00:00.123456790Z","s":"stderr","m":"the start of a line","p":true}
 *     {"t":"2026-11-22T04:00:01.000000000Z","s":"danchi","dropped_lines":12,"dropped_bytes":99999}
 *
 * A record is one line of output without its newline.  `p` says that no newline followed: the line
 * goes on in the next record of the same source (it was over %DN_LOG_TEXT_MAX_BYTES), or the
 * process ended without one.  Bytes that are no UTF-8 became U+FFFD; control characters, quotes and
 * backslashes are escaped, so that a log can be shown on a terminal as it is.  Members come in this
 * order and without blanks; there are no others.
 *
 * Reading from the start: decode both headers, read the half with the lower number, then the other.
 * Following: at the end of half N look at the other file; once its header says more than N, read
 * the rest of this one, then go on there after that header.  When the header of the file just read
 * is no longer N, the writer was faster and went round: begin again with the lower number (records
 * were lost to the cap).  A last line without newline is still being written: wait for the rest.
 *
 * What a record says was written by the container: the text is the tenant's.
 *
 * Pure: no I/O, no allocation, no logging.
 * Source: docs/protocol.md, "Logs".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Output bytes in one record; a longer line is split. */
#define DN_LOG_TEXT_MAX_BYTES (16 * 1024)

/* A line of a log with its newline: each byte of text becomes at most 6. */
#define DN_LOG_LINE_MAX_BYTES (DN_LOG_TEXT_MAX_BYTES * 6 + 128)

#define DN_LOG_HEADER_MAX_BYTES 40

typedef enum
{
  DN_LOG_STDOUT = 1, /* as DN_STREAM_STDOUT */
  DN_LOG_STDERR = 2,
  DN_LOG_DANCHI = 3, /* a note of the relay's: what was dropped */
} DnLogSource;

typedef struct
{
  int64_t time_ns; /* since the epoch, UTC */
  DnLogSource source;
  bool is_partial;
  uint64_t dropped_lines; /* these two: DN_LOG_DANCHI only */
  uint64_t dropped_bytes;
  const uint8_t *text; /* borrowed; may hold any byte, on decoding also NUL */
  size_t text_bytes;
} DnLogRecord;

/* Writes a half's header line with its newline, at most %DN_LOG_HEADER_MAX_BYTES.
 * Returns: its length */
size_t dn_log_encode_header (char *ret_line, uint64_t number);

/* @line: without its newline.  Returns: 0, or -EPROTO: no header. */
int dn_log_decode_header (const char *line, size_t size, uint64_t *ret_number);

/* Writes a record with its newline, at most %DN_LOG_LINE_MAX_BYTES; @record has at most
 * %DN_LOG_TEXT_MAX_BYTES of text.  Returns: its length */
size_t dn_log_encode_record (char *ret_line, const DnLogRecord *record);

/**
 * dn_log_decode_record:
 * @line: without its newline
 * @text_buffer: at least @size bytes, for the unescaped text; @ret_record borrows from it
 *
 * Strict: takes what dn_log_encode_record() writes and nothing else.
 *
 * Returns: 0, or -EPROTO: no record (for instance a header)
 */
int dn_log_decode_record (const char *line, size_t size, uint8_t *text_buffer,
                          DnLogRecord *ret_record);
