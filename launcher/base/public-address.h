/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are public: somebody's on the internet, and nobody's special purpose.
 *
 * The table is the IANA special-purpose registries' ranges that are not globally reachable, those
 * that hold an IPv4 address in an IPv6 one (mapped, 6to4, Teredo, NAT64: they would be a way around
 * the IPv4 table), multicast, and what is reserved.  It is used three times: as rules on the host
 * (gateway), for what a resolver pins (gateway again), and for what a resolver answers.
 *
 * Pure: libc only.
 * Source: iana-ipv4-special-registry, iana-ipv6-special-registry, ipv6-address-space; RFC 6890.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct
{
  const char *range; /* "10.0.0.0/8" */
  uint8_t address[16];
  uint8_t bits;
  uint8_t family; /* 4 or 6 */
  /* No rule of an operator opens it: the host's own link, loopback, multicast. */
  bool is_never;
} DnSpecialRange;

extern const DnSpecialRange dn_special_ranges[];
extern const size_t dn_special_range_count;

/* @address: 4 or 16 bytes, in network order. */
bool dn_address_is_public (uint8_t family, const uint8_t *address);

/* Whether all of the range is inside of one that is not public: an operator who names it means it.
 */
bool dn_range_is_special (uint8_t family, const uint8_t *address, uint8_t bits);

/* Whether any of the range is of those that never open. */
bool dn_range_is_never (uint8_t family, const uint8_t *address, uint8_t bits);
