/* SPDX-License-Identifier: Apache-2.0 */
#include "special-ranges.h"

#include <string.h>

#define V4(a, b, c, d, prefix_, kind_, name_)                                                      \
  {                                                                                                \
    .family = 4, .prefix = (prefix_), .address = { a, b, c, d }, .kind = DN_RANGE_##kind_,         \
    .name = (name_)                                                                                \
  }
#define V6(prefix_, kind_, name_, ...)                                                             \
  {                                                                                                \
    .family = 6, .prefix = (prefix_), .address = { __VA_ARGS__ }, .kind = DN_RANGE_##kind_,        \
    .name = (name_)                                                                                \
  }

const DnSpecialRange dn_special_ranges[] = {
  V4 (0, 0, 0, 0, 8, NEVER, "this network"),
  V4 (10, 0, 0, 0, 8, CLOSED, "private"),
  V4 (100, 64, 0, 0, 10, CLOSED, "shared by carriers"),
  V4 (127, 0, 0, 0, 8, NEVER, "loopback"),
  V4 (169, 254, 0, 0, 16, NEVER, "link-local"),
  V4 (172, 16, 0, 0, 12, CLOSED, "private"),
  V4 (192, 0, 0, 0, 24, CLOSED, "IETF protocols"),
  V4 (192, 0, 2, 0, 24, CLOSED, "documentation"),
  V4 (192, 88, 99, 0, 24, CLOSED, "6to4 relays"),
  V4 (192, 168, 0, 0, 16, CLOSED, "private"),
  V4 (198, 18, 0, 0, 15, CLOSED, "benchmarks"),
  V4 (198, 51, 100, 0, 24, CLOSED, "documentation"),
  V4 (203, 0, 113, 0, 24, CLOSED, "documentation"),
  V4 (224, 0, 0, 0, 4, NEVER, "multicast"),
  V4 (240, 0, 0, 0, 4, NEVER, "reserved and broadcast"),

  V6 (128, NEVER, "unspecified", 0),
  V6 (128, NEVER, "loopback", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  V6 (96, NEVER, "mapped IPv4", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
  /* These carry an IPv4 address, which may be any of those above. */
  V6 (96, CLOSED, "translated IPv4", 0x00, 0x64, 0xff, 0x9b),
  V6 (48, CLOSED, "locally translated IPv4", 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01),
  V6 (64, CLOSED, "discard only", 0x01),
  V6 (23, CLOSED, "IETF protocols, Teredo, benchmarks, ORCHID", 0x20, 0x01, 0x00, 0x00),
  V6 (32, CLOSED, "documentation", 0x20, 0x01, 0x0d, 0xb8),
  V6 (16, CLOSED, "6to4", 0x20, 0x02),
  V6 (20, CLOSED, "documentation", 0x3f, 0xff),
  V6 (16, CLOSED, "segment routing", 0x5f, 0x00),
  V6 (7, CLOSED, "unique local", 0xfc),
  V6 (10, NEVER, "link-local", 0xfe, 0x80),
  V6 (10, NEVER, "site-local", 0xfe, 0xc0),
  V6 (8, NEVER, "multicast", 0xff),
  /* All that is not 2000::/3. */
  V6 (3, CLOSED, "not allocated", 0x00),
  V6 (2, CLOSED, "not allocated", 0x40),
  V6 (1, CLOSED, "not allocated", 0x80),
};

const size_t dn_special_ranges_count = sizeof dn_special_ranges / sizeof dn_special_ranges[0];

bool
dn_address_is_below (const uint8_t *address, const uint8_t *range, unsigned prefix)
{
  unsigned bytes = prefix / 8, bits = prefix % 8;

  return memcmp (address, range, bytes) == 0
         && (bits == 0 || (address[bytes] ^ range[bytes]) >> (8 - bits) == 0);
}

bool
dn_address_has_host_bits (const uint8_t *address, unsigned family, unsigned prefix)
{
  unsigned bits = family == 4 ? 32 : 128;

  for (unsigned i = prefix; i < bits; i++)
    if ((address[i / 8] & (0x80u >> i % 8)) != 0)
      return true;
  return false;
}

const DnSpecialRange *
dn_special_range_find (unsigned family, const uint8_t *address, unsigned prefix)
{
  for (size_t i = 0; i < dn_special_ranges_count; i++)
    {
      const DnSpecialRange *range = &dn_special_ranges[i];

      if (range->family == family && range->prefix <= prefix
          && dn_address_is_below (address, range->address, range->prefix))
        return range;
    }
  return NULL;
}

DnRangeKind
dn_special_kind (unsigned family, const uint8_t *address)
{
  const DnSpecialRange *range = dn_special_range_find (family, address, family == 4 ? 32 : 128);

  return range != NULL ? range->kind : DN_RANGE_PUBLIC;
}
