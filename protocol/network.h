/* SPDX-License-Identifier: Apache-2.0 */
/* Ports that others may reach, as records in CARD and in what else tells of a container's network.
 *
 *      0        1       3
 *     +--------+-------+-------+
 *     | number | first | last  |   number: the protocol's, 6 (TCP) or 17 (UDP)
 *     +--------+-------+-------+
 *
 * Pure: no I/O, no allocation, no logging.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DN_CARD_PORT_BYTES 5
#define DN_CARD_PORTS_MAX 256
#define DN_CARD_PORT_TCP 6
#define DN_CARD_PORT_UDP 17

typedef struct
{
  uint8_t protocol;
  uint16_t first; /* at least 1 */
  uint16_t last;  /* at least first */
} DnCardPort;

/* Writes @count records to @ret_bytes, which has room for them; returns their length. */
size_t dn_card_ports_encode (const DnCardPort *ranges, size_t count, uint8_t *ret_bytes);

/* Returns how many there are in @size bytes, or -EPROTO: more than DN_CARD_PORTS_MAX, another
 * protocol, port 0, a range that ends before it begins, or bytes that are left over. */
int dn_card_ports_decode (const uint8_t *bytes, size_t size,
                          DnCardPort ret_ranges[DN_CARD_PORTS_MAX]);
