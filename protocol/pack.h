/* SPDX-License-Identifier: Apache-2.0 */
/* Packing of fixed fields, by hand, big endian: the only way bytes get into or out of a frame.
 *
 * A DnPacker writes into a caller's buffer and remembers whether it ran out of room; a
 * DnUnpacker reads from a caller's buffer and remembers whether anything was short or wrong.
 * Neither allocates, logs or does I/O, so the unit tests and the fuzz targets call them as they
 * are.  Errors stick: pack or unpack all fields, then ask once.
 *
 * Source: docs/protocol.md, "Fields".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  uint8_t *bytes; /* the caller's */
  size_t size;
  size_t used;
  bool failed; /* a field did not fit */
} DnPacker;

typedef struct
{
  const uint8_t *bytes; /* the caller's, untrusted */
  size_t size;
  size_t used;
  bool failed; /* too short, over a field's limit, or a NUL inside a text */
} DnUnpacker;

void dn_pack_u8 (DnPacker *packer, uint8_t value);
void dn_pack_u16 (DnPacker *packer, uint16_t value);
void dn_pack_u32 (DnPacker *packer, uint32_t value);
void dn_pack_u64 (DnPacker *packer, uint64_t value);

/* Writes @size bytes as they are, without a length. */
void dn_pack_raw (DnPacker *packer, const void *bytes, size_t size);

/* Writes a u16 length and the text without its NUL; a text longer than @max_bytes fails. */
void dn_pack_text (DnPacker *packer, const char *text, size_t max_bytes);

uint8_t dn_unpack_u8 (DnUnpacker *unpacker);
uint16_t dn_unpack_u16 (DnUnpacker *unpacker);
uint32_t dn_unpack_u32 (DnUnpacker *unpacker);
uint64_t dn_unpack_u64 (DnUnpacker *unpacker);

/* Copies exactly @size bytes to @ret_bytes; zeroes them when there are too few. */
void dn_unpack_raw (DnUnpacker *unpacker, void *ret_bytes, size_t size);

/* Reads a text of at most @max_bytes into @ret_text, which holds @max_bytes + 1, and ends it with
 * a NUL.  A NUL inside fails.  The text may hold control characters and invalid UTF-8: whoever
 * shows it escapes it. */
void dn_unpack_text (DnUnpacker *unpacker, char *ret_text, size_t max_bytes);

/* The rest of the payload, borrowed: valid as long as the frame's buffer. */
const uint8_t *dn_unpack_tail (DnUnpacker *unpacker, uint32_t *ret_size);

/* Whether every field was read and no byte is left over. */
bool dn_unpack_is_complete (const DnUnpacker *unpacker);
