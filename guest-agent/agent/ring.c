/* SPDX-License-Identifier: Apache-2.0 */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
dn_ring_init (DnRing *ring, size_t capacity)
{
  *ring = (DnRing){ .capacity = capacity };
}

void
dn_ring_clear (DnRing *ring)
{
  free (ring->bytes);
  dn_ring_init (ring, ring->capacity);
}

static int
make_pieces (uint8_t *bytes, size_t capacity, size_t start, size_t size, struct iovec pieces[2])
{
  size_t first = capacity - start < size ? capacity - start : size;

  if (size == 0)
    return 0;
  pieces[0] = (struct iovec){ bytes + start, first };
  if (first == size)
    return 1;
  pieces[1] = (struct iovec){ bytes, size - first };
  return 2;
}

int
dn_ring_space (DnRing *ring, struct iovec ret_pieces[2])
{
  if (ring->bytes == NULL)
    {
      ring->bytes = malloc (ring->capacity);
      if (ring->bytes == NULL)
        return -ENOMEM;
    }
  return make_pieces (ring->bytes, ring->capacity, (ring->start + ring->used) % ring->capacity,
                      ring->capacity - ring->used, ret_pieces);
}

void
dn_ring_added (DnRing *ring, size_t size)
{
  ring->used += size;
}

int
dn_ring_put (DnRing *ring, const uint8_t *bytes, size_t size)
{
  struct iovec pieces[2];
  int count = dn_ring_space (ring, pieces);

  if (count < 0)
    return count;
  for (int i = 0; i < count && size > 0; i++)
    {
      size_t n = pieces[i].iov_len < size ? pieces[i].iov_len : size;

      memcpy (pieces[i].iov_base, bytes, n);
      ring->used += n;
      bytes += n;
      size -= n;
    }
  return size == 0 ? 0 : -ENOMEM;
}

int
dn_ring_pieces (const DnRing *ring, struct iovec ret_pieces[2])
{
  return make_pieces (ring->bytes, ring->capacity, ring->start, ring->used, ret_pieces);
}

void
dn_ring_peek (const DnRing *ring, size_t offset, uint8_t *ret_bytes, size_t size)
{
  struct iovec pieces[2];
  int count = make_pieces (ring->bytes, ring->capacity, (ring->start + offset) % ring->capacity,
                           size, pieces);

  for (int i = 0; i < count; i++)
    {
      memcpy (ret_bytes, pieces[i].iov_base, pieces[i].iov_len);
      ret_bytes += pieces[i].iov_len;
    }
}

void
dn_ring_drop (DnRing *ring, size_t size)
{
  ring->used -= size;
  ring->start = (ring->start + size) % ring->capacity;
  /* An empty ring begins at its first page again: a stream that is read promptly touches few. */
  if (ring->used == 0)
    ring->start = 0;
}
