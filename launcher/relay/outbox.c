/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int
dn_outbox_put (DnBacklog *outbox, uint16_t type, uint32_t stream, const void *payload, size_t size)
{
  uint8_t *at = dn_backlog_reserve (outbox, DN_FRAME_HEADER_BYTES + size);

  if (at == NULL)
    return -errno;
  dn_frame_encode_header (at, type, stream, (uint32_t) size);
  if (size > 0)
    memcpy (at + DN_FRAME_HEADER_BYTES, payload, size);
  dn_backlog_added (outbox, DN_FRAME_HEADER_BYTES + size);
  return 0;
}

int64_t
dn_outbox_flush (DnBacklog *outbox, int socket)
{
  int64_t sent = 0;

  while (dn_backlog_length (outbox) > 0)
    {
      ssize_t n = send (socket, dn_backlog_bytes (outbox), dn_backlog_length (outbox),
                        MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
        break;
      if (n < 0)
        return -errno;
      dn_backlog_drop (outbox, (size_t) n);
      sent += n;
    }
  return sent;
}
