/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c launcher/base/control.c launcher/base/session.c */
/* The frame reader, on each wire and from each side, with pieces as the first byte says. */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/control.h"
#include "../../launcher/base/session.h"
#include "../../protocol/frame-reader.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const DnWire *const wires[]
      = { &dn_guest_wire, &dn_control_wire, &dn_control_all_wire, &dn_session_wire };
  static DnFrameReader reader;
  DnFrameHeader header;
  const uint8_t *payload;
  size_t piece;
  int r = 0;

  if (size < 2)
    return 0;
  dn_frame_reader_init (&reader, wires[data[0] & 3],
                        data[0] & 4 ? DN_SENDER_HOST : DN_SENDER_GUEST);
  piece = (size_t) data[1] * 300 + 1;
  for (size_t at = 2; at < size && r >= 0;)
    {
      size_t room, count;
      uint8_t *space = dn_frame_reader_space (&reader, &room);

      count = size - at < piece ? size - at : piece;
      count = count < room ? count : room;
      if (count == 0)
        abort (); /* the reader promises room */
      memcpy (space, data + at, count);
      dn_frame_reader_added (&reader, count);
      at += count;
      while ((r = dn_frame_reader_next (&reader, &header, &payload)) > 0)
        if (payload < reader.bytes || payload + header.length > reader.bytes + reader.end
            || header.length > dn_wire_find (reader.wire, header.type)->limit_bytes)
          abort ();
    }
  return 0;
}
