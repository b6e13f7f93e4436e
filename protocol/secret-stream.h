/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a secret as it travels from whoever has it to the agent (SECRET, KEY): pieces, and
 * an end.
 *
 *     u16 length, that many bytes      as often as it takes
 *     u16 0                            the end; then the stream ends
 *
 * The end is said because a stream also ends when its sender is killed: what has no end is no
 * secret, and is thrown away.  Nobody on the way reads any of it, and no sender need know a length
 * before it has read everything: a page of locked memory is enough for any secret.
 *
 * Pure: no I/O, no memory of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_SECRET_PIECE_HEADER_BYTES 2
/* At most, what one piece has. */
#define DN_SECRET_PIECE_BYTES 65535

/* Zeroed, it waits for the first piece. */
typedef struct
{
  uint8_t header; /* the first byte of a length whose second has not come */
  bool has_half;  /* that there is one */
  uint32_t left;  /* of the piece that has begun */
  uint64_t bytes; /* of all pieces so far */
  bool has_ended;
} DnSecretReader;

/**
 * dn_secret_reader_next:
 * @at, @size: (inout): what came; moved on
 * @ret_piece: (out): borrowed, within @at
 *
 * Returns: how many bytes of the secret @ret_piece has; 0: all of @at is used up, or the end was
 * read; -EPROTO: something follows the end
 */
int64_t dn_secret_reader_next (DnSecretReader *reader, const uint8_t **at, size_t *size,
                               const uint8_t **ret_piece);

/* Before @length bytes; with 0 the end. */
void dn_secret_encode_header (uint8_t ret_header[DN_SECRET_PIECE_HEADER_BYTES], uint16_t length);
