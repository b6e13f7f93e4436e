/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead: a thread reads a stream, which hashes and decompresses, while its user writes
 * files. On two processors a layer takes the longer of both and not their sum.
 *
 * At most %DN_AHEAD_BLOCKS blocks wait at a time, of %DN_AHEAD_BLOCK_BYTES each.
 */
#pragma once

#include "stream.h"

#define DN_AHEAD_BLOCKS 4
#define DN_AHEAD_BLOCK_BYTES DN_STREAM_BLOCK_BYTES

typedef struct DnAhead DnAhead;

/* @stream: borrowed, and nobody else's until dn_ahead_end().  (transfer full), or NULL with
 * @failure. */
DnAhead *dn_ahead_new (DnStream *stream, DnFailure *failure);

/**
 * dn_ahead_read:
 * @ret_bytes: (out): borrowed until the next call
 * @ret_bytes_in: (out): how far the stream was, in bytes of its input, with these
 *
 * As dn_stream_read().
 */
ssize_t dn_ahead_read (DnAhead *ahead, const void **ret_bytes, uint64_t *ret_bytes_in,
                       DnFailure *failure);

/* Ends the thread; what it has read and nobody has taken, the stream has hashed. */
void dn_ahead_end (DnAhead *ahead);
