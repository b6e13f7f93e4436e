/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts a byte stream into frames.
 *
 * The reader owns no descriptor and no memory: the caller embeds it, reads into the free space and
 * takes frames out until there is none.  It holds one whole frame and more at any time, so a
 * sender can make it store at most %DN_FRAME_READER_BYTES.
 *
 *     n = read (fd, dn_frame_reader_space (&reader, &size), size);
 *     dn_frame_reader_added (&reader, n);
 *     while ((r = dn_frame_reader_next (&reader, &header, &payload)) > 0)
 *       handle (&header, payload);
 *     if (r < 0) close the connection;
 */
#pragma once

#include "wire.h"

#define DN_FRAME_READER_BYTES (2 * (DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES))

typedef struct
{
  const DnWire *wire;
  DnSender from;
  size_t start; /* of the first byte not yet taken */
  size_t end;
  uint8_t bytes[DN_FRAME_READER_BYTES];
} DnFrameReader;

void dn_frame_reader_init (DnFrameReader *reader, const DnWire *wire, DnSender from);

/* Where to put bytes, and how many fit: never 0 after all frames were taken. */
uint8_t *dn_frame_reader_space (DnFrameReader *reader, size_t *ret_size);

void dn_frame_reader_added (DnFrameReader *reader, size_t size);

/**
 * dn_frame_reader_next:
 * @ret_payload: (out): borrowed until the next call on @reader
 *
 * Returns: 1 with a whole frame; 0 when more bytes are needed; -EPROTO or -EMSGSIZE as
 *   dn_frame_decode_header(), after which the stream is lost
 */
int dn_frame_reader_next (DnFrameReader *reader, DnFrameHeader *ret_header,
                          const uint8_t **ret_payload);
