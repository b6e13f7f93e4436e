/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATEWAY 1
#define GUEST 2
#define CONTAINER4_FIRST 10
#define CONTAINER6_FIRST 0x10
#define BLOCK4_SIZE (1u << (32 - DN_NETWORK_BLOCK4_BITS))

/* Where a pool may lie: nobody on the internet has these, so nothing public is hidden by it. */
static const struct
{
  uint32_t address;
  unsigned bits;
} private_ranges[] = {
  { 0x0a000000, 8 },
  { 0xac100000, 12 },
  { 0xc0a80000, 16 },
  { 0x64400000, 10 },
};

static uint32_t
mask_of (unsigned bits)
{
  return bits == 0 ? 0 : ~0u << (32 - bits);
}

/* "ADDRESS/BITS" of @family; the address alone goes to @ret_address. */
static int
parse_range (int family, const char *text, void *ret_address, unsigned *ret_bits)
{
  char address[INET6_ADDRSTRLEN], *end;
  const char *slash = strchr (text, '/');
  unsigned long bits;

  if (slash == NULL || (size_t) (slash - text) >= sizeof address || slash[1] < '0'
      || slash[1] > '9')
    return -EINVAL;
  memcpy (address, text, (size_t) (slash - text));
  address[slash - text] = '\0';
  bits = strtoul (slash + 1, &end, 10);
  if (*end != '\0' || bits > 128 || inet_pton (family, address, ret_address) != 1)
    return -EINVAL;
  *ret_bits = (unsigned) bits;
  return 0;
}

static bool
is_private (uint32_t address, unsigned bits)
{
  for (size_t i = 0; i < sizeof private_ranges / sizeof private_ranges[0]; i++)
    if (bits >= private_ranges[i].bits
        && (address & mask_of (private_ranges[i].bits)) == private_ranges[i].address)
      return true;
  return false;
}

int
dn_network_pool_check (const DnNetworkPool *pool)
{
  static const uint8_t zero[16 - DN_NETWORK_PREFIX6_BITS / 8];
  uint32_t address = ntohl (pool->address4.s_addr);

  if (pool->bits4 < DN_NETWORK_POOL4_BITS_MIN || pool->bits4 > DN_NETWORK_POOL4_BITS_MAX
      || (address & ~mask_of (pool->bits4)) != 0 || !is_private (address, pool->bits4))
    return -EINVAL;
  if (pool->prefix6.s6_addr[0] != 0xfd
      || memcmp (pool->prefix6.s6_addr + DN_NETWORK_PREFIX6_BITS / 8, zero, sizeof zero) != 0)
    return -ERANGE;
  return 0;
}

int
dn_network_pool_parse (const char *ipv4, const char *ipv6, DnNetworkPool *ret_pool)
{
  DnNetworkPool pool = { .bits4 = 0 };
  unsigned bits;
  int r;

  if (parse_range (AF_INET, ipv4 != NULL ? ipv4 : DN_NETWORK_POOL4_DEFAULT, &pool.address4, &bits)
      < 0)
    return -EINVAL;
  pool.bits4 = (uint8_t) bits;
  if (parse_range (AF_INET6, ipv6, &pool.prefix6, &bits) < 0 || bits != DN_NETWORK_PREFIX6_BITS)
    return -ERANGE;
  r = dn_network_pool_check (&pool);
  if (r == 0)
    *ret_pool = pool;
  return r;
}

uint32_t
dn_network_pool_count (const DnNetworkPool *pool)
{
  uint32_t count = 1u << (DN_NETWORK_BLOCK4_BITS - pool->bits4);

  return count < DN_NETWORK_SLOTS ? count : DN_NETWORK_SLOTS;
}

static struct in_addr
address4_of (struct in_addr block, uint32_t number)
{
  return (struct in_addr){ htonl (ntohl (block.s_addr) + number) };
}

/* Numbers in a block are below 256. */
static struct in6_addr
address6_of (struct in6_addr block, uint8_t number)
{
  block.s6_addr[15] = number;
  return block;
}

static void
make_mac (uint8_t side, uint32_t slot, uint8_t *ret_mac)
{
  /* 02: unicast, and administered by nobody but us. */
  const uint8_t mac[DN_NETWORK_MAC_BYTES]
      = { 0x02, 'd', 'n', side, (uint8_t) (slot >> 8), (uint8_t) slot };

  memcpy (ret_mac, mac, sizeof mac);
}

int
dn_network_plan_make (const DnNetworkPool *pool, uint32_t slot, DnNetworkPlan *ret_plan)
{
  DnNetworkPlan plan = { .slot = slot, .uid = DN_NETWORK_UID_FIRST + slot };

  if (slot >= dn_network_pool_count (pool))
    return -ERANGE;
  dn_network_tap_name (slot, plan.tap);
  make_mac (0, slot, plan.guest_mac);
  make_mac (1, slot, plan.host_mac);
  plan.block4 = address4_of (pool->address4, slot * BLOCK4_SIZE);
  plan.gateway4 = address4_of (plan.block4, GATEWAY);
  plan.guest4 = address4_of (plan.block4, GUEST);
  plan.block6 = pool->prefix6;
  plan.block6.s6_addr[6] = (uint8_t) (slot >> 8);
  plan.block6.s6_addr[7] = (uint8_t) slot;
  plan.gateway6 = address6_of (plan.block6, GATEWAY);
  plan.guest6 = address6_of (plan.block6, GUEST);
  *ret_plan = plan;
  return 0;
}

int
dn_network_plan_container (const DnNetworkPlan *plan, uint32_t container_slot,
                           struct in_addr *ret_address4, struct in6_addr *ret_address6)
{
  if (container_slot >= DN_NETWORK_CONTAINERS_MAX)
    return -ERANGE;
  *ret_address4 = address4_of (plan->block4, CONTAINER4_FIRST + container_slot);
  *ret_address6 = address6_of (plan->block6, (uint8_t) (CONTAINER6_FIRST + container_slot));
  return 0;
}

/* @number: of an address in its block. */
static int
find_container (const DnNetworkPool *pool, uint32_t slot, uint32_t number, uint32_t first,
                uint32_t *ret_slot, uint32_t *ret_container_slot)
{
  if (slot >= dn_network_pool_count (pool) || number < first
      || number - first >= DN_NETWORK_CONTAINERS_MAX)
    return -ENOENT;
  *ret_slot = slot;
  *ret_container_slot = number - first;
  return 0;
}

int
dn_network_plan_find4 (const DnNetworkPool *pool, struct in_addr address, uint32_t *ret_slot,
                       uint32_t *ret_container_slot)
{
  uint32_t offset = ntohl (address.s_addr) - ntohl (pool->address4.s_addr);

  /* An address below the pool wraps to an offset that no slot has. */
  return find_container (pool, offset / BLOCK4_SIZE, offset % BLOCK4_SIZE, CONTAINER4_FIRST,
                         ret_slot, ret_container_slot);
}

int
dn_network_plan_find6 (const DnNetworkPool *pool, const struct in6_addr *address,
                       uint32_t *ret_slot, uint32_t *ret_container_slot)
{
  struct in6_addr block = pool->prefix6;

  memcpy (block.s6_addr + 6, address->s6_addr + 6, 2);
  if (memcmp (block.s6_addr, address->s6_addr, 15) != 0)
    return -ENOENT;
  return find_container (pool, (uint32_t) (address->s6_addr[6] << 8 | address->s6_addr[7]),
                         address->s6_addr[15], CONTAINER6_FIRST, ret_slot, ret_container_slot);
}

void
dn_network_tap_name (uint32_t slot, char ret_name[DN_NETWORK_TAP_BYTES])
{
  (void) snprintf (ret_name, DN_NETWORK_TAP_BYTES, DN_NETWORK_TAP_PREFIX "%u",
                   DN_NETWORK_UID_FIRST + slot);
}

bool
dn_network_tap_slot (const char *name, uint32_t *ret_slot)
{
  const size_t prefix = sizeof DN_NETWORK_TAP_PREFIX - 1;
  char again[DN_NETWORK_TAP_BYTES];
  unsigned long uid;

  if (strncmp (name, DN_NETWORK_TAP_PREFIX, prefix) != 0)
    return false;
  uid = strtoul (name + prefix, NULL, 10);
  if (uid < DN_NETWORK_UID_FIRST || uid >= DN_NETWORK_UID_FIRST + DN_NETWORK_SLOTS)
    return false;
  /* No other way to write the number. */
  dn_network_tap_name ((uint32_t) (uid - DN_NETWORK_UID_FIRST), again);
  if (strcmp (name, again) != 0)
    return false;
  *ret_slot = (uint32_t) (uid - DN_NETWORK_UID_FIRST);
  return true;
}

void
dn_network_mac_format (const uint8_t mac[DN_NETWORK_MAC_BYTES],
                       char ret_text[DN_NETWORK_MAC_TEXT_BYTES])
{
  (void) snprintf (ret_text, DN_NETWORK_MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
                   mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void
dn_network_slot_mac (uint32_t slot, char ret_text[DN_NETWORK_MAC_TEXT_BYTES])
{
  uint8_t mac[DN_NETWORK_MAC_BYTES];

  make_mac (0, slot, mac);
  dn_network_mac_format (mac, ret_text);
}
