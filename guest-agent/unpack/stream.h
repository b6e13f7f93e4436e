/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of the archive, read in order and decompressed on the way.
 *
 * A stream hashes what it reads (the blob's digest) and what it gives out (a layer's diff id), so
 * each byte is read once.  What a small input may grow to is limited.
 */
#pragma once

#include <sys/types.h>

#include "decompress.h"
#include "digest.h"

/* What comes at a time, at most. */
#define DN_STREAM_BLOCK_BYTES (256 * 1024)

typedef struct DnStream DnStream;

/**
 * dn_stream_new:
 * @fd: stays the caller's, and must live as long as the stream
 * @offset: of the first byte; @size: how many follow
 * @limit_bytes: how many bytes may come out
 *
 * (transfer full); never NULL.
 */
DnStream *dn_stream_new (int fd, uint64_t offset, uint64_t size, DnCompression compression,
                         uint64_t limit_bytes);
void dn_stream_free (DnStream *stream); /* accepts NULL */

/**
 * dn_stream_read:
 * @ret_bytes: (out): borrowed until the next call
 *
 * Returns: how many bytes; 0 at the end; -1 with @failure, for instance a truncated gzip
 */
ssize_t dn_stream_read (DnStream *stream, const void **ret_bytes, DnFailure *failure);

/* Reads what is left, on both sides of the decompression, and gives the digests of all bytes that
 * went in and came out. */
bool dn_stream_finish (DnStream *stream, DnDigest *ret_in, DnDigest *ret_out, DnFailure *failure);

/* Bytes read from the archive so far. */
uint64_t dn_stream_bytes_in (const DnStream *stream);
