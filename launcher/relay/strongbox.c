/* SPDX-License-Identifier: Apache-2.0 */
#include "strongbox.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../../protocol/protocol.h"
#include "../base/locked-memory.h"

static struct
{
  _Alignas(DN_LOCKED_PAGE_BYTES) uint8_t bytes[DN_STRONGBOX_BYTES];
} pages;

static size_t start;
static size_t end;
static bool is_locked;

int
dn_strongbox_lock (void)
{
  int r = dn_locked_pin (pages.bytes, sizeof pages.bytes);

  is_locked = r == 0;
  return r;
}

bool
dn_strongbox_is_locked (void)
{
  return is_locked;
}

bool
dn_strongbox_is_empty (void)
{
  return start == end;
}

bool
dn_strongbox_is_begun (void)
{
  return start > 0 && start < end;
}

int
dn_strongbox_fill (int fd, uint32_t stream, size_t most)
{
  const size_t room = sizeof pages.bytes - DN_FRAME_HEADER_BYTES;
  ssize_t n;

  if (!is_locked)
    return -EPERM;
  n = recv (fd, pages.bytes + DN_FRAME_HEADER_BYTES, most < room ? most : room, MSG_DONTWAIT);
  if (n <= 0)
    return n < 0 ? -errno : 0;
  dn_frame_encode_header (pages.bytes, DN_MSG_DATA, stream, (uint32_t) n);
  start = 0;
  end = DN_FRAME_HEADER_BYTES + (size_t) n;
  return (int) n;
}

int64_t
dn_strongbox_flush (int socket)
{
  int64_t sent = 0;

  while (start < end)
    {
      ssize_t n = send (socket, pages.bytes + start, end - start, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return sent;
      if (n < 0)
        return -errno;
      explicit_bzero (pages.bytes + start, (size_t) n);
      start += (size_t) n;
      sent += n;
    }
  start = end = 0;
  return sent;
}

void
dn_strongbox_clear (void)
{
  explicit_bzero (pages.bytes, sizeof pages.bytes);
  start = end = 0;
}
