/* SPDX-License-Identifier: Apache-2.0 */
/* gzip and zstd, straight from their libraries: what a layer may be compressed with.
 *
 * Not through libarchive's filters: those go on undoing whatever is compressed inside.
 * Pure: no I/O.  Source: zlib.h, zstd.h; RFC 1952 (members follow each other), RFC 8878.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum
{
  DN_COMPRESSION_NONE,
  DN_COMPRESSION_GZIP,
  DN_COMPRESSION_ZSTD,
} DnCompression;

/* Tells by the first bytes. */
DnCompression dn_compression_sniff (const uint8_t *bytes, size_t size);

/* "gzip", "zstd", "tar". */
const char *dn_compression_words (DnCompression compression);

typedef struct DnDecompressor DnDecompressor;

/* (transfer full); out of memory ends the process. */
DnDecompressor *dn_decompressor_new (DnCompression compression);
void dn_decompressor_free (DnDecompressor *decompressor); /* accepts NULL */

typedef struct
{
  const uint8_t *in; /* the caller's; both are moved on */
  size_t in_size;
  uint8_t *out; /* the caller's; likewise */
  size_t out_size;
} DnDecompressSpan;

typedef enum
{
  DN_DECOMPRESS_MORE,  /* gives more when it gets more input, or more room */
  DN_DECOMPRESS_WHOLE, /* so far it is whole: the input may end here */
  DN_DECOMPRESS_END,   /* what follows is not compressed any more: bytes that nobody reads */
  DN_DECOMPRESS_BAD,
} DnDecompressResult;

/* @span->in_size 0 is fine. */
DnDecompressResult dn_decompressor_run (DnDecompressor *decompressor, DnDecompressSpan *span);
