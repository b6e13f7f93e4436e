/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which address: from a guest's identity slot to everything that its network consists of.
 *
 * A slot (guest/identity.h) gives the guest's uid, and with it, without any table that could be
 * wrong after a crash:
 *
 *   tap        "dn" and the uid, e.g. dn200001: the host's end of the guest's card
 *   cards      02:64:6e:00:SS:SS in the guest, 02:64:6e:01:SS:SS on the host, SS:SS the slot
 *   IPv4       the slot's /25 of the pool
 *   IPv6       the slot's /64 of the prefix, a /48
 *
 * and within both blocks the same numbers:
 *
 *   .1  ::1        the gateway: the host's tap, as the guest sees it; the resolver listens there
 *   .2  ::2        the guest itself
 *   .10+s  ::10+s  the container in slot s, 0..63 (IPv6 in hexadecimal: ::10, ::11, ... ::4f)
 *
 * Nothing else in a block is used.  There is no shared segment: the host has a route to each block
 * through its own tap, and the guest a default route to the gateway.  What the guest may rely on:
 * the gateway's card has the address above for ever, so both ends can have a permanent neighbour
 * entry for the other; no router advertises anything, no DHCP answers, no duplicate address is
 * looked for; a source address outside of the block, link-local ones among them, is dropped.
 *
 * Addresses are in network byte order, as everywhere in <netinet/in.h>.
 * Pure: libc only, no I/O, no allocation.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_NETWORK_POOL4_DEFAULT "10.217.0.0/16"
#define DN_NETWORK_BLOCK4_BITS 25
#define DN_NETWORK_BLOCK6_BITS 64
#define DN_NETWORK_PREFIX6_BITS 48
/* Of a pool: from 8 guests to 8192. */
#define DN_NETWORK_POOL4_BITS_MIN 12
#define DN_NETWORK_POOL4_BITS_MAX 22
#define DN_NETWORK_CONTAINERS_MAX 64 /* container slots 0..63 */
#define DN_NETWORK_MTU 1500
#define DN_NETWORK_MAC_BYTES 6
#define DN_NETWORK_MAC_TEXT_BYTES 18 /* with the NUL */
#define DN_NETWORK_TAP_PREFIX "dn"
#define DN_NETWORK_TAP_BYTES 16 /* IFNAMSIZ */
/* The same as DN_IDENTITY_UID_FIRST and _SLOTS, which need GLib. */
#define DN_NETWORK_UID_FIRST 200001u
#define DN_NETWORK_SLOTS 10000u

/* From which all guests of a danchid get their blocks. */
typedef struct
{
  struct in_addr address4;
  uint8_t bits4;
  struct in6_addr prefix6; /* a /48 below fd00::/8 */
} DnNetworkPool;

typedef struct
{
  uint32_t slot;
  uint32_t uid;
  char tap[DN_NETWORK_TAP_BYTES];
  uint8_t guest_mac[DN_NETWORK_MAC_BYTES];
  uint8_t host_mac[DN_NETWORK_MAC_BYTES];
  struct in_addr block4; /* /25 */
  struct in_addr gateway4;
  struct in_addr guest4;
  struct in6_addr block6; /* /64 */
  struct in6_addr gateway6;
  struct in6_addr guest6;
} DnNetworkPlan;

/**
 * dn_network_pool_parse:
 * @ipv4: "10.217.0.0/16": of 12 to 22 bits, in 10/8, 172.16/12, 192.168/16 or 100.64/10, no host
 *   bits set; or NULL: the default
 * @ipv6: "fd12:3456:789a::/48", below fd00::/8
 *
 * Returns: 0; -EINVAL for an @ipv4 that is none of these; -ERANGE for such an @ipv6
 */
int dn_network_pool_parse (const char *ipv4, const char *ipv6, DnNetworkPool *ret_pool);

/* Whether it is one that dn_network_pool_parse() makes: 0, or -EINVAL or -ERANGE as there. */
int dn_network_pool_check (const DnNetworkPool *pool);

/* For how many guests, at most %DN_NETWORK_SLOTS: slots from that on have no network. */
uint32_t dn_network_pool_count (const DnNetworkPool *pool);

/* 0, or -ERANGE where the pool has no block for @slot: "N guests have a network at most; widen
 * [network] ipv4_pool". */
int dn_network_plan_make (const DnNetworkPool *pool, uint32_t slot, DnNetworkPlan *ret_plan);

/* Addresses of the container in @container_slot; 0 or -ERANGE. */
int dn_network_plan_container (const DnNetworkPlan *plan, uint32_t container_slot,
                               struct in_addr *ret_address4, struct in6_addr *ret_address6);

/* The other way round, for addresses of the pool's blocks; -ENOENT where no container has it. */
int dn_network_plan_find4 (const DnNetworkPool *pool, struct in_addr address, uint32_t *ret_slot,
                           uint32_t *ret_container_slot);
int dn_network_plan_find6 (const DnNetworkPool *pool, const struct in6_addr *address,
                           uint32_t *ret_slot, uint32_t *ret_container_slot);

/* The tap's name for a slot; the other way round for a name that is one of ours, else false. */
void dn_network_tap_name (uint32_t slot, char ret_name[DN_NETWORK_TAP_BYTES]);
bool dn_network_tap_slot (const char *name, uint32_t *ret_slot);

/* Of the guest's card, as text. */
void dn_network_slot_mac (uint32_t slot, char ret_text[DN_NETWORK_MAC_TEXT_BYTES]);

/* "02:64:6e:00:00:07" */
void dn_network_mac_format (const uint8_t mac[DN_NETWORK_MAC_BYTES],
                            char ret_text[DN_NETWORK_MAC_TEXT_BYTES]);
