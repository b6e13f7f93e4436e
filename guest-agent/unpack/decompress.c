/* SPDX-License-Identifier: Apache-2.0 */
#include "decompress.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* The most memory for a window that a stream may ask for: 128 MiB, what zstd(1) grants. */
#define ZSTD_WINDOW_LOG_MAX 27

struct DnDecompressor
{
  DnCompression compression;
  bool is_between; /* members or frames: whole so far */
  z_stream zlib;
  ZSTD_DCtx *zstd; /* owned */
};

DnCompression
dn_compression_sniff (const uint8_t *bytes, size_t size)
{
  if (size >= 2 && memcmp (bytes, "\x1f\x8b", 2) == 0)
    return DN_COMPRESSION_GZIP;
  if (size >= 4 && memcmp (bytes, "\x28\xb5\x2f\xfd", 4) == 0)
    return DN_COMPRESSION_ZSTD;
  return DN_COMPRESSION_NONE;
}

const char *
dn_compression_words (DnCompression compression)
{
  switch (compression)
    {
    case DN_COMPRESSION_GZIP:
      return "gzip";
    case DN_COMPRESSION_ZSTD:
      return "zstd";
    case DN_COMPRESSION_NONE:
      break;
    }
  return "tar";
}

DnDecompressor *
dn_decompressor_new (DnCompression compression)
{
  DnDecompressor *decompressor = calloc (1, sizeof *decompressor);

  if (decompressor == NULL)
    abort ();
  decompressor->compression = compression;
  /* 16 + 15: a gzip header and no other, the largest window. */
  if (compression == DN_COMPRESSION_GZIP
      && inflateInit2 (&decompressor->zlib, 16 + MAX_WBITS) != Z_OK)
    abort ();
  if (compression == DN_COMPRESSION_ZSTD
      && ((decompressor->zstd = ZSTD_createDCtx ()) == NULL
          || ZSTD_isError (ZSTD_DCtx_setParameter (decompressor->zstd, ZSTD_d_windowLogMax,
                                                   ZSTD_WINDOW_LOG_MAX))))
    abort ();
  return decompressor;
}

void
dn_decompressor_free (DnDecompressor *decompressor)
{
  if (decompressor == NULL)
    return;
  if (decompressor->compression == DN_COMPRESSION_GZIP)
    (void) inflateEnd (&decompressor->zlib);
  (void) ZSTD_freeDCtx (decompressor->zstd);
  free (decompressor);
}

static DnDecompressResult
run_gzip (DnDecompressor *decompressor, DnDecompressSpan *span)
{
  z_stream *zlib = &decompressor->zlib;
  int result;

  if (decompressor->is_between)
    {
      if (span->in_size == 0)
        return DN_DECOMPRESS_WHOLE;
      /* Another member, or what a writer padded with. */
      if (span->in[0] != 0x1f)
        return DN_DECOMPRESS_END;
      decompressor->is_between = false;
      if (inflateReset (zlib) != Z_OK)
        return DN_DECOMPRESS_BAD;
    }
  zlib->next_in = (unsigned char *) (uintptr_t) span->in; /* zlib does not write there */
  zlib->avail_in = span->in_size < UINT_MAX ? (unsigned) span->in_size : UINT_MAX;
  zlib->next_out = span->out;
  zlib->avail_out = span->out_size < UINT_MAX ? (unsigned) span->out_size : UINT_MAX;
  result = inflate (zlib, Z_NO_FLUSH);
  span->in_size -= (size_t) (zlib->next_in - span->in);
  span->in = zlib->next_in;
  span->out_size -= (size_t) (zlib->next_out - span->out);
  span->out = zlib->next_out;
  decompressor->is_between = result == Z_STREAM_END;
  if (result == Z_STREAM_END)
    return DN_DECOMPRESS_WHOLE;
  /* Z_BUF_ERROR: nothing could be done without more input or room. */
  return result == Z_OK || result == Z_BUF_ERROR ? DN_DECOMPRESS_MORE : DN_DECOMPRESS_BAD;
}

static DnDecompressResult
run_zstd (DnDecompressor *decompressor, DnDecompressSpan *span)
{
  ZSTD_inBuffer in = { span->in, span->in_size, 0 };
  ZSTD_outBuffer out = { span->out, span->out_size, 0 };
  size_t result;

  if (decompressor->is_between && span->in_size == 0)
    return DN_DECOMPRESS_WHOLE;
  result = ZSTD_decompressStream (decompressor->zstd, &out, &in);
  span->in += in.pos;
  span->in_size -= in.pos;
  span->out += out.pos;
  span->out_size -= out.pos;
  if (ZSTD_isError (result))
    return DN_DECOMPRESS_BAD;
  decompressor->is_between = result == 0;
  return result == 0 ? DN_DECOMPRESS_WHOLE : DN_DECOMPRESS_MORE;
}

DnDecompressResult
dn_decompressor_run (DnDecompressor *decompressor, DnDecompressSpan *span)
{
  return decompressor->compression == DN_COMPRESSION_GZIP ? run_gzip (decompressor, span)
                                                          : run_zstd (decompressor, span);
}
