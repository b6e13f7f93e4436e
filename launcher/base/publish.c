/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <errno.h>
#include <string.h>

#include "../../protocol/pack.h"

#define DN_DEFINE_BODIES
#define DN_DEFINE_FILE "../launcher/base/publish.def"
#define DN_DEFINE_WIRE dn_publish_wire
#include "../../protocol/define.h"

int
dn_publish_send (int socket, uint16_t type, const uint8_t *payload, int size, const DnFdList *fds)
{
  uint8_t packet[DN_PUBLISH_PACKET_BYTES];
  size_t length = DN_FRAME_HEADER_BYTES + (size_t) size;

  if (size < 0)
    return size;
  if (length > sizeof packet)
    return -EMSGSIZE;
  dn_frame_encode_header (packet, type, 0, (uint32_t) size);
  if (size > 0)
    memcpy (packet + DN_FRAME_HEADER_BYTES, payload, (size_t) size);
  return dn_fdpass_send (socket, packet, length, fds) == (ssize_t) length ? 0 : -errno;
}

int
dn_publish_receive (int socket, DnSender from, uint8_t *bytes, DnFrameHeader *ret_header,
                    DnFdList *fds)
{
  ssize_t n;
  int r;

  do
    n = dn_fdpass_receive (socket, bytes, DN_PUBLISH_PACKET_BYTES, fds);
  while (n < 0 && errno == EINTR);
  if (n <= 0)
    return n == 0 ? 0 : -errno;
  if (n < DN_FRAME_HEADER_BYTES)
    return -EPROTO;
  r = dn_frame_decode_header (&dn_publish_wire, from, bytes, ret_header);
  if (r < 0)
    return r;
  return ret_header->length == (size_t) n - DN_FRAME_HEADER_BYTES ? 1 : -EPROTO;
}
