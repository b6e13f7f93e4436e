/* SPDX-License-Identifier: Apache-2.0 */
#include "console-ring.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../protocol/pack.h"

static const uint8_t magic[8] = { 'D', 'N', 'R', 'I', 'N', 'G', '1', '\n' };

static int
write_all (int fd, const uint8_t *bytes, size_t size, off_t offset)
{
  while (size > 0)
    {
      ssize_t n = pwrite (fd, bytes, size, offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n < 0 ? -errno : -EIO;
      bytes += n;
      size -= (size_t) n;
      offset += n;
    }
  return 0;
}

/* Returns how many bytes there were until the end of the file, or -errno. */
static ssize_t
read_all (int fd, uint8_t *ret_bytes, size_t size, off_t offset)
{
  size_t got = 0;

  while (got < size)
    {
      ssize_t n = pread (fd, ret_bytes + got, size - got, offset + (off_t) got);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -errno;
      if (n == 0)
        break;
      got += (size_t) n;
    }
  return (ssize_t) got;
}

static int
write_header (int fd, uint64_t total)
{
  uint8_t header[DN_CONSOLE_RING_HEADER_BYTES];
  DnPacker packer = { .bytes = header, .size = sizeof header };

  dn_pack_raw (&packer, magic, sizeof magic);
  dn_pack_u64 (&packer, total);
  return write_all (fd, header, sizeof header, 0);
}

int
dn_console_ring_create (int fd)
{
  if (ftruncate (fd, DN_CONSOLE_RING_FILE_BYTES) < 0)
    return -errno;
  return write_header (fd, 0);
}

int
dn_console_ring_read_total (int fd, uint64_t *ret_total)
{
  uint8_t header[DN_CONSOLE_RING_HEADER_BYTES];
  DnUnpacker unpacker = { .bytes = header, .size = sizeof header };
  ssize_t n = read_all (fd, header, sizeof header, 0);
  uint8_t found[sizeof magic];

  if (n < 0)
    return (int) n;
  if (n != (ssize_t) sizeof header)
    return -EPROTO;
  dn_unpack_raw (&unpacker, found, sizeof found);
  if (memcmp (found, magic, sizeof magic) != 0)
    return -EPROTO;
  *ret_total = dn_unpack_u64 (&unpacker);
  return 0;
}

int
dn_console_ring_append (int fd, uint64_t *total, const uint8_t *bytes, size_t size)
{
  uint64_t at = *total;
  int r;

  /* Of more than a ring's worth only the end would be left. */
  if (size > DN_CONSOLE_RING_BYTES)
    {
      at += size - DN_CONSOLE_RING_BYTES;
      bytes += size - DN_CONSOLE_RING_BYTES;
      size = DN_CONSOLE_RING_BYTES;
    }
  while (size > 0)
    {
      size_t place = (size_t) (at % DN_CONSOLE_RING_BYTES);
      size_t piece = DN_CONSOLE_RING_BYTES - place < size ? DN_CONSOLE_RING_BYTES - place : size;

      r = write_all (fd, bytes, piece, (off_t) (DN_CONSOLE_RING_HEADER_BYTES + place));
      if (r < 0)
        return r;
      at += piece;
      bytes += piece;
      size -= piece;
    }
  /* The count last: a reader never counts bytes that are not there yet. */
  r = write_header (fd, at);
  if (r == 0)
    *total = at;
  return r;
}

int
dn_console_ring_read_tail (int fd, uint8_t *ret_bytes, size_t size)
{
  uint64_t total, total_after, start;
  size_t count, got = 0, overwritten;
  int r = dn_console_ring_read_total (fd, &total);

  if (r < 0)
    return r;
  count = total < DN_CONSOLE_RING_BYTES ? (size_t) total : DN_CONSOLE_RING_BYTES;
  count = count < size ? count : size;
  start = total - count;
  while (got < count)
    {
      size_t place = (size_t) ((start + got) % DN_CONSOLE_RING_BYTES);
      size_t piece = DN_CONSOLE_RING_BYTES - place;
      ssize_t n;

      piece = piece < count - got ? piece : count - got;
      n = read_all (fd, ret_bytes + got, piece, (off_t) (DN_CONSOLE_RING_HEADER_BYTES + place));
      if (n != (ssize_t) piece)
        return n < 0 ? (int) n : -EPROTO;
      got += piece;
    }

  /* The writer does not wait for readers: what it has overwritten meanwhile is cut off. */
  r = dn_console_ring_read_total (fd, &total_after);
  if (r < 0)
    return r;
  if (total_after < total)
    return -EPROTO;
  if (total_after - start <= DN_CONSOLE_RING_BYTES)
    return (int) count;
  overwritten = total_after - start - DN_CONSOLE_RING_BYTES > count
                    ? count
                    : (size_t) (total_after - start - DN_CONSOLE_RING_BYTES);
  memmove (ret_bytes, ret_bytes + overwritten, count - overwritten);
  return (int) (count - overwritten);
}
