/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: what every byte stream between Danchi's processes is made of.
 *
 * A frame is a header of 12 bytes and a payload of at most 64 KiB:
 *
 *      0       2       4               8               12
 *     +-------+-------+---------------+---------------+------------- - -
 *     | type  | zero  | stream        | length        | payload
 *     +-------+-------+---------------+---------------+------------- - -
 *
 * A wire is a closed list of message types.  Each has one sender and a payload limit; a frame that
 * is unknown, comes from the wrong side or is over its limit ends the connection: there is no
 * resynchronising and no skipping of what is not understood.  Three wires are made this way: the
 * channel to the guest (protocol.def), and on the host the relay's control socket and a client's
 * session socket (launcher/base/).
 *
 * Pure: no I/O, no allocation, no logging.
 * Source: docs/protocol.md, "Frames".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_FRAME_HEADER_BYTES 12
#define DN_FRAME_PAYLOAD_MAX_BYTES 65536

/* Which end of a wire speaks.  HOST is always the end that gives orders: the host on the guest's
 * channel, danchid on a relay's control socket, the client on a session socket. */
typedef enum
{
  DN_SENDER_HOST = 1,
  DN_SENDER_GUEST = 2,
  DN_SENDER_BOTH = 3,
} DnSender;

typedef struct
{
  uint16_t type;
  const char *name;
  DnSender sender;
  uint32_t limit_bytes;
} DnWireRule;

typedef struct
{
  const DnWireRule *rules; /* in ascending order of type */
  size_t count;
} DnWire;

typedef struct
{
  uint16_t type;
  uint32_t stream;
  uint32_t length; /* of the payload, in bytes; within the message's limit */
} DnFrameHeader;

/* The rule of a message type, or NULL when the wire has no such message. */
const DnWireRule *dn_wire_find (const DnWire *wire, uint16_t type);

/* A message's name for logs and errors; "UNKNOWN" when the wire has no such message. */
const char *dn_wire_name (const DnWire *wire, uint16_t type);

/* Writes exactly %DN_FRAME_HEADER_BYTES.  The caller has checked @length. */
void dn_frame_encode_header (uint8_t *ret_bytes, uint16_t type, uint32_t stream, uint32_t length);

/**
 * dn_frame_decode_header:
 * @from: the side that sent @bytes; a message the other side owns is refused
 * @bytes: exactly %DN_FRAME_HEADER_BYTES, untrusted
 * @ret_header: (out): set only on success
 *
 * Returns: 0; -EPROTO for an unknown type, the wrong sender or a reserved field that is not zero;
 *   -EMSGSIZE for a payload over the message's limit
 */
int dn_frame_decode_header (const DnWire *wire, DnSender from, const uint8_t *bytes,
                            DnFrameHeader *ret_header);
