/* SPDX-License-Identifier: Apache-2.0 */
#include "frame-reader.h"

#include <string.h>

void
dn_frame_reader_init (DnFrameReader *reader, const DnWire *wire, DnSender from)
{
  reader->wire = wire;
  reader->from = from;
  reader->start = 0;
  reader->end = 0;
}

uint8_t *
dn_frame_reader_space (DnFrameReader *reader, size_t *ret_size)
{
  /* Move what is left to the front only when the tail cannot take a whole frame: most reads then
   * cost no copy at all. */
  if (reader->start == reader->end)
    reader->start = reader->end = 0;
  else if (sizeof reader->bytes - reader->end < sizeof reader->bytes / 2)
    {
      memmove (reader->bytes, reader->bytes + reader->start, reader->end - reader->start);
      reader->end -= reader->start;
      reader->start = 0;
    }
  *ret_size = sizeof reader->bytes - reader->end;
  return reader->bytes + reader->end;
}

void
dn_frame_reader_added (DnFrameReader *reader, size_t size)
{
  reader->end += size;
}

int
dn_frame_reader_next (DnFrameReader *reader, DnFrameHeader *ret_header, const uint8_t **ret_payload)
{
  size_t available = reader->end - reader->start;
  DnFrameHeader header;
  int r;

  if (available < DN_FRAME_HEADER_BYTES)
    return 0;
  r = dn_frame_decode_header (reader->wire, reader->from, reader->bytes + reader->start, &header);
  if (r < 0)
    return r;
  if (available - DN_FRAME_HEADER_BYTES < header.length)
    return 0;

  *ret_header = header;
  *ret_payload = reader->bytes + reader->start + DN_FRAME_HEADER_BYTES;
  reader->start += DN_FRAME_HEADER_BYTES + header.length;
  return 1;
}
