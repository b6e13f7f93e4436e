/* SPDX-License-Identifier: Apache-2.0 */
/* What a resolver tells the gateway before it answers a name of a list: the name's addresses.
 *
 * One message on the resolver's own SOCK_SEQPACKET socket holds 1..32 pins of 24 bytes; the answer
 * is four bytes, a big-endian int32: 0, or a negative errno (-EACCES: an address that is not
 * public, nothing of the message was taken; -EAGAIN: too many messages a second; -ENOSPC: the list
 * is full; -EPROTO: the socket is closed after it).  Only lists of the resolver's own guest can be
 * named: which guest it is stands in danchid's order, not here.  A pin ends by itself.
 *
 * On the same socket a resolver gets the sockets with which it asks servers of names, since it has
 * no right to make one itself: so one that a guest has taken over reaches those servers and
 * nothing else.  A message of %DN_GATEWAY_DIAL_BYTES is a dial: which of the servers of danchid's
 * order, and UDP or TCP.  The answer comes with one descriptor where it is 0: a socket of
 * SOCK_DGRAM or SOCK_STREAM that is connected to that server from a port of the kernel's choice, or
 * (TCP) is connecting; it does not block.  -EPERM: there is no such server; -EAGAIN: too many a
 * second.
 *
 * Each message has one answer, in the order of the messages.  At most
 * %DN_GATEWAY_PIN_OUTSTANDING_MAX wait for theirs: the gateway may stop to read there.
 *
 * Pure: libc only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_GATEWAY_PIN_BYTES 24
#define DN_GATEWAY_PINS_MAX 32
#define DN_GATEWAY_PIN_LIST_ADDRESSES 256 /* of each list and family */
/* A connection may begin as long after the answer; shorter and longer ones are made these. */
#define DN_GATEWAY_PIN_TTL_MIN_S 60
#define DN_GATEWAY_PIN_TTL_MAX_S 3600

#define DN_GATEWAY_DIAL_BYTES 4
#define DN_GATEWAY_DIALS_PER_S 256 /* as many at once */
#define DN_GATEWAY_PIN_OUTSTANDING_MAX 64

typedef struct
{
  uint8_t server; /* of the order's, from 0 */
  bool is_tcp;
} DnGatewayDial;

typedef struct
{
  uint8_t family; /* 4 or 6 */
  uint8_t list;   /* 1..16 */
  uint32_t ttl_s;
  uint8_t address[16]; /* 4 or 16 bytes of it, the rest is 0 */
} DnGatewayPin;

/* Returns: the size; @count at most %DN_GATEWAY_PINS_MAX */
size_t dn_gateway_pins_pack (const DnGatewayPin *pins, size_t count, uint8_t *bytes);

/* Returns: how many, or -EPROTO */
int dn_gateway_pins_unpack (const uint8_t *bytes, size_t size, DnGatewayPin *ret_pins);

void dn_gateway_dial_pack (const DnGatewayDial *dial, uint8_t bytes[DN_GATEWAY_DIAL_BYTES]);

/* Returns: 0, or -EPROTO; a message of another size is none */
int dn_gateway_dial_unpack (const uint8_t *bytes, size_t size, DnGatewayDial *ret_dial);
