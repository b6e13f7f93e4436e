/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod's card has, as records in POD_NETWORK: addresses, routes and neighbours, as the host's
 * kernel told them of the card that the guest takes the place of.
 *
 *      0      1        2      3       4        8         24    40       56
 *     +------+--------+------+-------+--------+---------+-----+--------+
 *     | kind | family | bits | flags | metric | address | via | source |
 *     +------+--------+------+-------+--------+---------+-----+--------+
 *
 * Addresses of IPv4 are four bytes and zeroes.  What a kind does not use is zero, so there is one
 * way to write a record.
 *
 * Pure: no I/O, no allocation, no logging.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DN_POD_RECORD_BYTES 56
#define DN_POD_RECORDS_MAX 128

/* Who speaks from the host's side of the pod's loopback: nobody else has these addresses there. */
#define DN_POD_PEER_IPV4 "169.254.100.110"
#define DN_POD_PEER_IPV6 "fd64:6e00:6e00::1"

typedef enum
{
  DN_POD_ADDRESS = 1,   /* address/bits is the pod's own */
  DN_POD_ROUTE = 2,     /* to address/bits: through `via`, or where it is zero on the wire itself */
  DN_POD_NEIGHBOUR = 3, /* address is at the MAC in the first six bytes of `via`, for ever */
} DnPodRecordKind;

enum
{
  DN_POD_ROUTE_ONLINK = 1 << 0, /* `via` is on the wire, whatever other routes say */
  DN_POD_ROUTE_LINK = 1 << 1,   /* scope link: IPv4, without `via` */
};

typedef struct
{
  uint8_t kind;    /* DnPodRecordKind */
  uint8_t family;  /* 4 or 6 */
  uint8_t bits;    /* of address and route */
  uint8_t flags;   /* of a route: DN_POD_ROUTE_* */
  uint32_t metric; /* of a route; 0: the kernel's own */
  uint8_t address[16];
  uint8_t via[16];
  uint8_t source[16]; /* of a route: which of the pod's addresses it prefers; zeroes: any */
} DnPodRecord;

/* Whether @address is all zeroes. */
int dn_pod_record_is_empty (const uint8_t address[16]);

/* Writes @count records to @ret_bytes, which has room for them; returns their length. */
size_t dn_pod_records_encode (const DnPodRecord *records, size_t count, uint8_t *ret_bytes);

/* Returns how many there are in @size bytes, or -EPROTO: more than DN_POD_RECORDS_MAX, an unknown
 * kind or family, too many bits, unknown flags, or something where zeroes belong. */
int dn_pod_records_decode (const uint8_t *bytes, size_t size,
                           DnPodRecord ret_records[DN_POD_RECORDS_MAX]);
