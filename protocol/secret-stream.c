/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-stream.h"

#include <errno.h>

static void
take_length (DnSecretReader *reader, const uint8_t **at, size_t *size)
{
  uint8_t byte = **at;

  (*at)++;
  (*size)--;
  if (!reader->has_half)
    {
      reader->header = byte;
      reader->has_half = true;
      return;
    }
  reader->has_half = false;
  reader->left = (uint32_t) reader->header << 8 | byte;
  reader->has_ended = reader->left == 0;
}

int64_t
dn_secret_reader_next (DnSecretReader *reader, const uint8_t **at, size_t *size,
                       const uint8_t **ret_piece)
{
  size_t length;

  *ret_piece = NULL;
  while (*size > 0 && !reader->has_ended && reader->left == 0)
    take_length (reader, at, size);
  if (reader->has_ended)
    return *size > 0 ? -EPROTO : 0;
  length = *size < reader->left ? *size : reader->left;
  *ret_piece = *at;
  *at += length;
  *size -= length;
  reader->left -= (uint32_t) length;
  reader->bytes += length;
  return (int64_t) length;
}

void
dn_secret_encode_header (uint8_t ret_header[DN_SECRET_PIECE_HEADER_BYTES], uint16_t length)
{
  ret_header[0] = (uint8_t) (length >> 8);
  ret_header[1] = (uint8_t) length;
}
