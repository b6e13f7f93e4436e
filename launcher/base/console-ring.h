/* SPDX-License-Identifier: Apache-2.0 */
/* The console ring: the last 64 KiB of what a guest wrote to its console, in a file of fixed size.
 *
 * The relay writes it, a user's client reads it through a descriptor; danchid only makes the file
 * and hands it on.  The file is 16 bytes of header (magic "DNRING1\n", u64 big endian: how many
 * bytes were ever written) and the ring itself.  Bytes of the guest's: escape before showing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DN_CONSOLE_RING_BYTES (64 * 1024)
#define DN_CONSOLE_RING_HEADER_BYTES 16
#define DN_CONSOLE_RING_FILE_BYTES (DN_CONSOLE_RING_HEADER_BYTES + DN_CONSOLE_RING_BYTES)

/* Writes an empty ring to a new file.  Returns 0 or -errno. */
int dn_console_ring_create (int fd);

/* How many bytes were ever written, for a writer that goes on with an old ring.  Returns 0 or
 * -errno (-EPROTO: no ring). */
int dn_console_ring_read_total (int fd, uint64_t *ret_total);

/* Appends @size bytes; @total is the caller's copy of the header's count and is moved on. Uses
 * pwrite(2) only.  Returns 0 or -errno. */
int dn_console_ring_append (int fd, uint64_t *total, const uint8_t *bytes, size_t size);

/* Reads the last bytes, at most @size, in order.  Returns how many, or -errno (-EPROTO: no ring).
 */
int dn_console_ring_read_tail (int fd, uint8_t *ret_bytes, size_t size);
