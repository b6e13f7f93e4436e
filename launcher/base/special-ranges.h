/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that are no public unicast addresses: which may be opened by name, and which never.
 *
 * danchi-gateway drops a guest's packets to them, and danchi-resolver drops them from public
 * answers (DNS rebinding), by this one table.  IPv6 turns it round: what is outside 2000::/3 is not
 * public, whatever it may become.
 *
 * More specific ranges stand before those that hold them: the first one that matches counts.
 *
 * Pure.  Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and what updates
 * it), the IPv6 address space registry, RFC 1112 and RFC 4291 for multicast.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_ADDRESS_BYTES 16 /* an IPv4 address has the first four, and zeros behind them */

typedef enum
{
  DN_RANGE_PUBLIC,
  DN_RANGE_CLOSED, /* private, shared, for documentation ...: only by an explicit `allow` */
  DN_RANGE_NEVER,  /* loopback, link-local (metadata services), multicast ...: by nothing */
} DnRangeKind;

typedef struct
{
  uint8_t family; /* 4 or 6 */
  uint8_t prefix; /* in bits */
  uint8_t address[DN_ADDRESS_BYTES];
  DnRangeKind kind; /* not DN_RANGE_PUBLIC */
  const char *name;
} DnSpecialRange;

/* For who builds filter rules from all of it. */
extern const DnSpecialRange dn_special_ranges[];
extern const size_t dn_special_ranges_count;

/* Whether the first @prefix bits are the same. */
bool dn_address_is_below (const uint8_t *address, const uint8_t *range, unsigned prefix);

/* Whether a bit behind the first @prefix is set. */
bool dn_address_has_host_bits (const uint8_t *address, unsigned family, unsigned prefix);

/* The first range that holds all of @address/@prefix; NULL where there is none: for a single
 * address (prefix 32 or 128) it is public then.  @family: 4 or 6. */
const DnSpecialRange *dn_special_range_find (unsigned family, const uint8_t *address,
                                             unsigned prefix);

/* Of a single address. */
DnRangeKind dn_special_kind (unsigned family, const uint8_t *address);
