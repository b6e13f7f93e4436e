/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES DN_STREAM_BLOCK_BYTES

struct DnStream
{
  int fd; /* the caller's */
  uint64_t offset;
  uint64_t left;
  uint64_t bytes_in;
  uint64_t bytes_out;
  uint64_t limit_bytes;
  DnCompression compression;
  DnDecompressor *decompressor; /* owned; NULL without compression, as the next two */
  uint8_t *plain;               /* owned; BLOCK_BYTES */
  DnDigester *out;              /* owned */
  DnDecompressSpan span;        /* its input: what of the block is not decompressed yet */
  bool is_at_end;
  DnDigester *in; /* owned */
  uint8_t block[BLOCK_BYTES];
};

/* Reads the next block as it is.  Returns as dn_stream_read(), with errno. */
static ssize_t
read_block (DnStream *stream)
{
  size_t wanted = stream->left < BLOCK_BYTES ? (size_t) stream->left : BLOCK_BYTES;
  ssize_t n;

  if (wanted == 0)
    return 0;
  n = pread (stream->fd, stream->block, wanted, (off_t) stream->offset);
  if (n == 0)
    {
      /* The index has seen these bytes; the disk ends before them now. */
      errno = EIO;
      n = -1;
    }
  if (n < 0)
    return -1;
  stream->offset += (uint64_t) n;
  stream->left -= (uint64_t) n;
  stream->bytes_in += (uint64_t) n;
  dn_digester_add (stream->in, stream->block, (size_t) n);
  return n;
}

DnStream *
dn_stream_new (int fd, uint64_t offset, uint64_t size, DnCompression compression,
               uint64_t limit_bytes)
{
  DnStream *stream = calloc (1, sizeof *stream);

  if (stream == NULL)
    abort ();
  stream->fd = fd;
  stream->offset = offset;
  stream->left = size;
  stream->limit_bytes = limit_bytes;
  stream->compression = compression;
  stream->in = dn_digester_new ();
  if (compression == DN_COMPRESSION_NONE)
    return stream;
  stream->decompressor = dn_decompressor_new (compression);
  stream->out = dn_digester_new ();
  stream->plain = malloc (BLOCK_BYTES);
  if (stream->plain == NULL)
    abort ();
  return stream;
}

void
dn_stream_free (DnStream *stream)
{
  if (stream == NULL)
    return;
  dn_decompressor_free (stream->decompressor);
  dn_digester_free (stream->in);
  dn_digester_free (stream->out);
  free (stream->plain);
  free (stream);
}

/* One step.  Returns: how many bytes lie in @stream->plain, perhaps 0; -1 with @failure. */
static ssize_t
decompress_some (DnStream *stream, DnFailure *failure)
{
  const char *words = dn_compression_words (stream->compression);
  DnDecompressResult result;
  bool is_exhausted;
  size_t size;

  if (stream->span.in_size == 0)
    {
      ssize_t n = read_block (stream);

      if (n < 0)
        {
          (void) dn_fail_errno (failure, "cannot read the archive");
          return -1;
        }
      stream->span.in = stream->block;
      stream->span.in_size = (size_t) n;
    }
  is_exhausted = stream->span.in_size == 0;
  stream->span.out = stream->plain;
  stream->span.out_size = BLOCK_BYTES;
  result = dn_decompressor_run (stream->decompressor, &stream->span);
  size = BLOCK_BYTES - stream->span.out_size;
  if (result == DN_DECOMPRESS_BAD)
    {
      (void) dn_fail (failure, -EINVAL, "cannot decompress: not %s, or damaged", words);
      return -1;
    }
  if (is_exhausted && result == DN_DECOMPRESS_MORE && size == 0)
    {
      (void) dn_fail (failure, -EINVAL, "cannot decompress: truncated %s", words);
      return -1;
    }
  stream->is_at_end = result == DN_DECOMPRESS_END || (is_exhausted && size == 0);
  return (ssize_t) size;
}

static ssize_t
read_decompressed (DnStream *stream, const void **ret_bytes, DnFailure *failure)
{
  ssize_t n = 0;

  while (n == 0 && !stream->is_at_end)
    n = decompress_some (stream, failure);
  if (n > 0)
    dn_digester_add (stream->out, stream->plain, (size_t) n);
  *ret_bytes = stream->plain;
  return n;
}

ssize_t
dn_stream_read (DnStream *stream, const void **ret_bytes, DnFailure *failure)
{
  ssize_t n;

  if (stream->decompressor != NULL)
    n = read_decompressed (stream, ret_bytes, failure);
  else
    {
      n = read_block (stream);
      *ret_bytes = stream->block;
      if (n < 0)
        (void) dn_fail_errno (failure, "cannot read the archive");
    }
  if (n > 0)
    {
      stream->bytes_out += (uint64_t) n;
      if (stream->bytes_out > stream->limit_bytes)
        {
          (void) dn_fail (failure, -EFBIG, "unpacks to more than the limit of %llu bytes",
                          (unsigned long long) stream->limit_bytes);
          return -1;
        }
    }
  return n;
}

bool
dn_stream_finish (DnStream *stream, DnDigest *ret_in, DnDigest *ret_out, DnFailure *failure)
{
  const void *bytes;
  ssize_t n;

  do
    n = dn_stream_read (stream, &bytes, failure);
  while (n > 0);
  if (n < 0)
    return false;
  /* What a decompressor leaves behind its end still belongs to the blob. */
  do
    n = read_block (stream);
  while (n > 0);
  if (n < 0)
    return dn_fail_errno (failure, "cannot read the archive");

  dn_digester_finish (stream->in, ret_in);
  if (stream->out != NULL)
    dn_digester_finish (stream->out, ret_out);
  else
    *ret_out = *ret_in;
  return true;
}

uint64_t
dn_stream_bytes_in (const DnStream *stream)
{
  return stream->bytes_in;
}
