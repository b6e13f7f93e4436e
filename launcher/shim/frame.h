/* SPDX-License-Identifier: Apache-2.0 */
/* ttrpc's frames: a header of 10 bytes and at most 4 MiB of data.
 *
 *      0               4               8      9       10
 *     +---------------+---------------+------+-------+------------- - -
 *     | length        | stream        | type | flags | data
 *     +---------------+---------------+------+-------+------------- - -
 *
 * Numbers are big endian; the length counts the data alone.  A client's streams are odd and rise.
 * What is longer than the limit is read and thrown away, so that the connection goes on.
 *
 * Pure: no I/O, no logging.
 * Source: containerd/ttrpc, PROTOCOL.md.
 */
#pragma once

#include <glib.h>

#define DN_TTRPC_HEADER_BYTES 10
#define DN_TTRPC_DATA_MAX_BYTES (4 * 1024 * 1024)

enum
{
  DN_TTRPC_REQUEST = 1,
  DN_TTRPC_RESPONSE = 2,
  DN_TTRPC_DATA = 3,
};

typedef struct
{
  guint32 length; /* of the data, in bytes; as sent, so maybe over the limit */
  guint32 stream;
  guint8 type;
  guint8 flags;
} DnTtrpcHeader;

/* Exactly %DN_TTRPC_HEADER_BYTES each. */
void dn_ttrpc_header_encode (const DnTtrpcHeader *header, guint8 *ret_bytes);
void dn_ttrpc_header_decode (const guint8 *bytes, DnTtrpcHeader *ret_header);

typedef enum
{
  DN_TTRPC_MORE, /* no whole frame is there */
  DN_TTRPC_FRAME,
  DN_TTRPC_TOO_LONG, /* a frame over the limit, without its data; told when its header came */
} DnTtrpcTaken;

/* Cuts a stream of bytes into frames.  Holds at most one frame and what was added at once. */
typedef struct
{
  GByteArray *bytes; /* owned */
  gsize taken;       /* of bytes, from the start: handed out already */
  guint64 skipped;   /* still to come, of a frame over the limit */
} DnTtrpcReader;

void dn_ttrpc_reader_init (DnTtrpcReader *reader);
void dn_ttrpc_reader_clear (DnTtrpcReader *reader);
void dn_ttrpc_reader_add (DnTtrpcReader *reader, const guint8 *bytes, gsize size);

/* @ret_data: (out): @ret_header's length of bytes, borrowed until the next call on @reader; only
 * set with %DN_TTRPC_FRAME */
DnTtrpcTaken dn_ttrpc_reader_next (DnTtrpcReader *reader, DnTtrpcHeader *ret_header,
                                   const guint8 **ret_data);
