/* SPDX-License-Identifier: Apache-2.0 */
#include "public-address.h"

#define FOUR(a, b, c, d, bits, never)                                                              \
  {                                                                                                \
#a "." #b "." #c "." #d "/" #bits, { a, b, c, d }, bits, 4, never                              \
  }

const DnSpecialRange dn_special_ranges[] = {
  FOUR (0, 0, 0, 0, 8, true),        /* this network */
  FOUR (10, 0, 0, 0, 8, false),      /* private use */
  FOUR (100, 64, 0, 0, 10, false),   /* carriers' NAT */
  FOUR (127, 0, 0, 0, 8, true),      /* loopback */
  FOUR (169, 254, 0, 0, 16, true),   /* link-local; clouds' metadata at 169.254.169.254 */
  FOUR (172, 16, 0, 0, 12, false),   /* private use */
  FOUR (192, 0, 0, 0, 24, false),    /* IETF's protocols */
  FOUR (192, 0, 2, 0, 24, false),    /* documentation */
  FOUR (192, 88, 99, 0, 24, false),  /* 6to4 relays, withdrawn */
  FOUR (192, 168, 0, 0, 16, false),  /* private use */
  FOUR (198, 18, 0, 0, 15, false),   /* benchmarks */
  FOUR (198, 51, 100, 0, 24, false), /* documentation */
  FOUR (203, 0, 113, 0, 24, false),  /* documentation */
  FOUR (224, 0, 0, 0, 4, true),      /* multicast */
  FOUR (240, 0, 0, 0, 4, true),      /* reserved, and broadcast */
  /* All that is not global unicast, 2000::/3: in ::/8 are the unspecified address, loopback, and
   * IPv4 addresses, mapped, compatible and of NAT64. */
  { "::/8", { 0 }, 8, 6, true },
  { "100::/8", { 0x01 }, 8, 6, false },         /* discard-only, and reserved */
  { "200::/7", { 0x02 }, 7, 6, false },         /* reserved */
  { "400::/6", { 0x04 }, 6, 6, false },         /* reserved */
  { "800::/5", { 0x08 }, 5, 6, false },         /* reserved */
  { "1000::/4", { 0x10 }, 4, 6, false },        /* reserved */
  { "4000::/2", { 0x40 }, 2, 6, false },        /* reserved; segment routing's 5f00::/16 */
  { "8000::/2", { 0x80 }, 2, 6, false },        /* reserved */
  { "c000::/3", { 0xc0 }, 3, 6, false },        /* reserved */
  { "e000::/4", { 0xe0 }, 4, 6, false },        /* reserved */
  { "f000::/5", { 0xf0 }, 5, 6, false },        /* reserved */
  { "f800::/6", { 0xf8 }, 6, 6, false },        /* reserved */
  { "fc00::/7", { 0xfc }, 7, 6, false },        /* unique local */
  { "fe00::/9", { 0xfe }, 9, 6, true },         /* reserved */
  { "fe80::/10", { 0xfe, 0x80 }, 10, 6, true }, /* link-local */
  { "fec0::/10", { 0xfe, 0xc0 }, 10, 6, true }, /* site-local, withdrawn */
  { "ff00::/8", { 0xff }, 8, 6, true },         /* multicast */
  /* In global unicast. */
  { "2001::/23", { 0x20, 0x01 }, 23, 6, false },                 /* IETF's protocols; Teredo */
  { "2001:db8::/32", { 0x20, 0x01, 0x0d, 0xb8 }, 32, 6, false }, /* documentation */
  { "2002::/16", { 0x20, 0x02 }, 16, 6, false },                 /* 6to4 */
  { "3fff::/20", { 0x3f, 0xff }, 20, 6, false },                 /* documentation */
};

const size_t dn_special_range_count = sizeof dn_special_ranges / sizeof dn_special_ranges[0];

/* Whether the first @bits of both are the same. */
static bool
is_within (const uint8_t *address, const uint8_t *range, unsigned bits)
{
  unsigned bytes = bits / 8, rest = bits % 8;

  for (unsigned i = 0; i < bytes; i++)
    if (address[i] != range[i])
      return false;
  return rest == 0 || ((address[bytes] ^ range[bytes]) >> (8 - rest)) == 0;
}

bool
dn_address_is_public (uint8_t family, const uint8_t *address)
{
  return (family == 4 || family == 6)
         && !dn_range_is_special (family, address, family == 4 ? 32 : 128);
}

bool
dn_range_is_special (uint8_t family, const uint8_t *address, uint8_t bits)
{
  for (size_t i = 0; i < dn_special_range_count; i++)
    if (dn_special_ranges[i].family == family && bits >= dn_special_ranges[i].bits
        && is_within (address, dn_special_ranges[i].address, dn_special_ranges[i].bits))
      return true;
  return false;
}

bool
dn_range_is_never (uint8_t family, const uint8_t *address, uint8_t bits)
{
  for (size_t i = 0; i < dn_special_range_count; i++)
    {
      const DnSpecialRange *special = &dn_special_ranges[i];
      uint8_t shorter = bits < special->bits ? bits : special->bits;

      if (special->family == family && special->is_never
          && is_within (address, special->address, shorter))
        return true;
    }
  return false;
}
