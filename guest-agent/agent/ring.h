/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes with a fixed capacity.  Memory comes with the first byte. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct
{
  uint8_t *bytes; /* owned; NULL until needed */
  size_t capacity;
  size_t start;
  size_t used;
} DnRing;

void dn_ring_init (DnRing *ring, size_t capacity);
void dn_ring_clear (DnRing *ring); /* frees the memory; usable again */

/* The free space, in at most two pieces.  Returns how many, 0 when full, or -ENOMEM. */
int dn_ring_space (DnRing *ring, struct iovec ret_pieces[2]);

/* @size bytes were put into the space. */
void dn_ring_added (DnRing *ring, size_t size);

/* Copies @size bytes in; there must be room.  Returns 0 or -ENOMEM. */
int dn_ring_put (DnRing *ring, const uint8_t *bytes, size_t size);

/* The bytes, in at most two pieces.  Returns how many. */
int dn_ring_pieces (const DnRing *ring, struct iovec ret_pieces[2]);

/* Copies @size bytes from @offset on; they must be there. */
void dn_ring_peek (const DnRing *ring, size_t offset, uint8_t *ret_bytes, size_t size);

/* Forgets the first @size bytes. */
void dn_ring_drop (DnRing *ring, size_t size);
