/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <string.h>

/* What is kept of a buffer between frames; more, which one long frame took, is given back. */
#define KEPT_BYTES (64 * 1024)

void
dn_ttrpc_header_encode (const DnTtrpcHeader *header, guint8 *ret_bytes)
{
  const guint32 length = GUINT32_TO_BE (header->length), stream = GUINT32_TO_BE (header->stream);

  memcpy (ret_bytes, &length, 4);
  memcpy (ret_bytes + 4, &stream, 4);
  ret_bytes[8] = header->type;
  ret_bytes[9] = header->flags;
}

void
dn_ttrpc_header_decode (const guint8 *bytes, DnTtrpcHeader *ret_header)
{
  guint32 length, stream;

  memcpy (&length, bytes, 4);
  memcpy (&stream, bytes + 4, 4);
  *ret_header = (DnTtrpcHeader){ .length = GUINT32_FROM_BE (length),
                                 .stream = GUINT32_FROM_BE (stream),
                                 .type = bytes[8],
                                 .flags = bytes[9] };
}

void
dn_ttrpc_reader_init (DnTtrpcReader *reader)
{
  *reader = (DnTtrpcReader){ .bytes = g_byte_array_new () };
}

void
dn_ttrpc_reader_clear (DnTtrpcReader *reader)
{
  g_clear_pointer (&reader->bytes, g_byte_array_unref);
}

/* Drops what was handed out. */
static void
drop_taken (DnTtrpcReader *reader)
{
  gsize left = reader->bytes->len - reader->taken;

  if (reader->taken == 0)
    return;
  if (reader->taken > KEPT_BYTES && left < KEPT_BYTES)
    {
      GByteArray *fresh = g_byte_array_new ();

      g_byte_array_append (fresh, reader->bytes->data + reader->taken, (guint) left);
      g_byte_array_unref (reader->bytes);
      reader->bytes = fresh;
    }
  else
    g_byte_array_remove_range (reader->bytes, 0, (guint) reader->taken);
  reader->taken = 0;
}

void
dn_ttrpc_reader_add (DnTtrpcReader *reader, const guint8 *bytes, gsize size)
{
  gsize skip = (gsize) MIN (reader->skipped, size);

  reader->skipped -= skip;
  drop_taken (reader);
  g_byte_array_append (reader->bytes, bytes + skip, (guint) (size - skip));
}

/* A frame over the limit begins at the first byte that was not taken. */
static void
begin_skip (DnTtrpcReader *reader, guint32 length)
{
  gsize there = reader->bytes->len - reader->taken - DN_TTRPC_HEADER_BYTES;
  gsize skip = MIN (there, length);

  reader->taken += DN_TTRPC_HEADER_BYTES + skip;
  reader->skipped = length - skip;
}

DnTtrpcTaken
dn_ttrpc_reader_next (DnTtrpcReader *reader, DnTtrpcHeader *ret_header, const guint8 **ret_data)
{
  gsize left = reader->bytes->len - reader->taken;

  if (left < DN_TTRPC_HEADER_BYTES)
    return DN_TTRPC_MORE;
  dn_ttrpc_header_decode (reader->bytes->data + reader->taken, ret_header);
  if (ret_header->length > DN_TTRPC_DATA_MAX_BYTES)
    {
      begin_skip (reader, ret_header->length);
      return DN_TTRPC_TOO_LONG;
    }
  if (left - DN_TTRPC_HEADER_BYTES < ret_header->length)
    return DN_TTRPC_MORE;
  *ret_data = reader->bytes->data + reader->taken + DN_TTRPC_HEADER_BYTES;
  reader->taken += DN_TTRPC_HEADER_BYTES + ret_header->length;
  return DN_TTRPC_FRAME;
}
