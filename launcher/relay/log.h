/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of a container's log (base/log-format.h): two half files, a cap and a rate.
 *
 * A container can write as fast and as much as it likes: the files together never hold more than
 * the cap, and what comes over the rate is left out by whole records, counted, and noted in the log
 * once it is over.  A file system without room counts as dropped records too; nothing here ever
 * stops or fails its caller.
 *
 * A log keeps no bytes of its own: an unfinished line stays with the caller, who gives it again
 * with what follows.  So every byte that a call took is in the file, and the guest can be credited
 * for it.
 */
#pragma once

#include "../base/log-format.h"
#include "../confined/bucket.h"

typedef struct DnLog DnLog;

/* The cap of a log lies between these, whatever was asked for: a half must hold the largest record
 * and its note, and no file may outgrow what the relay's RLIMIT_FSIZE allows. */
#define DN_LOG_CAP_MIN_BYTES (512 * 1024)
#define DN_LOG_CAP_MAX_BYTES (1024 * 1024 * 1024)

#define DN_LOG_BURST_MAX_BYTES (16 * 1024 * 1024)

typedef struct
{
  int64_t real_ns; /* CLOCK_REALTIME, for the records */
  uint64_t now_ns; /* CLOCK_MONOTONIC, for the rate */
} DnLogTime;

/**
 * dn_log_new:
 * @fds: the two halves, open for reading and writing; takes ownership, also on failure
 * @rate_per_s: bytes of log per second, 0 for no limit; four seconds' worth may come at once
 *
 * Goes on where the files end.  What a writer before left half-written is cut off.
 *
 * Returns: NULL when there is no memory; files that cannot be read are begun anew
 */
DnLog *dn_log_new (const int fds[2], uint64_t cap_bytes, uint64_t rate_per_s, DnLogTime time);

/* Writes what it still owes (a note of what was dropped) and closes.  NULL is fine. */
void dn_log_free (DnLog *log, DnLogTime time);

/**
 * dn_log_write:
 * @source: %DN_LOG_STDOUT or %DN_LOG_STDERR
 * @is_last: no more will come; an unfinished line becomes a partial record
 *
 * Returns: how many of @size bytes were taken: all but an unfinished line of at most
 *   %DN_LOG_TEXT_MAX_BYTES
 */
size_t dn_log_write (DnLog *log, DnLogSource source, const uint8_t *bytes, size_t size,
                     bool is_last, DnLogTime time);

/* Writes the note of dropped records once the rate is kept again.  Call it now and then while
 * dn_log_is_dropping(). */
void dn_log_settle (DnLog *log, DnLogTime time);
bool dn_log_is_dropping (const DnLog *log);

/* What was dropped since the last call.  Returns: whether it is anything */
bool dn_log_take_dropped (DnLog *log, uint64_t *ret_lines, uint64_t *ret_bytes);
