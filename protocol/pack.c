/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <string.h>

static uint8_t *
claim (DnPacker *packer, size_t size)
{
  uint8_t *at;

  if (packer->failed || packer->size - packer->used < size)
    {
      packer->failed = true;
      return NULL;
    }
  at = packer->bytes + packer->used;
  packer->used += size;
  return at;
}

static void
pack_number (DnPacker *packer, uint64_t value, size_t size)
{
  uint8_t *at = claim (packer, size);

  for (size_t i = 0; at != NULL && i < size; i++)
    at[i] = (uint8_t) (value >> (8 * (size - 1 - i)));
}

void
dn_pack_u8 (DnPacker *packer, uint8_t value)
{
  pack_number (packer, value, 1);
}

void
dn_pack_u16 (DnPacker *packer, uint16_t value)
{
  pack_number (packer, value, 2);
}

void
dn_pack_u32 (DnPacker *packer, uint32_t value)
{
  pack_number (packer, value, 4);
}

void
dn_pack_u64 (DnPacker *packer, uint64_t value)
{
  pack_number (packer, value, 8);
}

void
dn_pack_raw (DnPacker *packer, const void *bytes, size_t size)
{
  uint8_t *at = claim (packer, size);

  if (at != NULL && size > 0)
    memcpy (at, bytes, size);
}

void
dn_pack_text (DnPacker *packer, const char *text, size_t max_bytes)
{
  size_t length = strnlen (text, max_bytes + 1);

  if (length > max_bytes || length > UINT16_MAX)
    {
      packer->failed = true;
      return;
    }
  dn_pack_u16 (packer, (uint16_t) length);
  dn_pack_raw (packer, text, length);
}

static const uint8_t *
consume (DnUnpacker *unpacker, size_t size)
{
  const uint8_t *at;

  if (unpacker->failed || unpacker->size - unpacker->used < size)
    {
      unpacker->failed = true;
      return NULL;
    }
  at = unpacker->bytes + unpacker->used;
  unpacker->used += size;
  return at;
}

static uint64_t
unpack_number (DnUnpacker *unpacker, size_t size)
{
  const uint8_t *at = consume (unpacker, size);
  uint64_t value = 0;

  for (size_t i = 0; at != NULL && i < size; i++)
    value = value << 8 | at[i];
  return value;
}

uint8_t
dn_unpack_u8 (DnUnpacker *unpacker)
{
  return (uint8_t) unpack_number (unpacker, 1);
}

uint16_t
dn_unpack_u16 (DnUnpacker *unpacker)
{
  return (uint16_t) unpack_number (unpacker, 2);
}

uint32_t
dn_unpack_u32 (DnUnpacker *unpacker)
{
  return (uint32_t) unpack_number (unpacker, 4);
}

uint64_t
dn_unpack_u64 (DnUnpacker *unpacker)
{
  return unpack_number (unpacker, 8);
}

void
dn_unpack_raw (DnUnpacker *unpacker, void *ret_bytes, size_t size)
{
  const uint8_t *at = consume (unpacker, size);

  if (at != NULL)
    memcpy (ret_bytes, at, size);
  else
    memset (ret_bytes, 0, size);
}

void
dn_unpack_text (DnUnpacker *unpacker, char *ret_text, size_t max_bytes)
{
  size_t length = dn_unpack_u16 (unpacker);
  const uint8_t *at;

  ret_text[0] = '\0';
  if (length > max_bytes)
    unpacker->failed = true;
  at = consume (unpacker, length);
  if (at == NULL)
    return;
  if (memchr (at, '\0', length) != NULL)
    {
      unpacker->failed = true;
      return;
    }
  memcpy (ret_text, at, length);
  ret_text[length] = '\0';
}

const uint8_t *
dn_unpack_tail (DnUnpacker *unpacker, uint32_t *ret_size)
{
  size_t size = unpacker->failed ? 0 : unpacker->size - unpacker->used;

  *ret_size = (uint32_t) size;
  return consume (unpacker, size);
}

bool
dn_unpack_is_complete (const DnUnpacker *unpacker)
{
  return !unpacker->failed && unpacker->used == unpacker->size;
}
