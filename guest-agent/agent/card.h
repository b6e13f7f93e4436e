/* SPDX-License-Identifier: Apache-2.0 */
/* A container's network card and the files in its /etc that go with it.
 *
 *   CARD, CARD_FILE        before CREATE: kept, by the container's id, until it comes
 *   CREATE                 dn_card_take(); the pair of cards and the rules are made while the first
 *                          process waits (dn_card_attach()), which gives its end addresses and
 *                          routes itself, with its own rights (child-network.c)
 *   START                  dn_card_check(): the kernel is asked whether all is as it was to be
 *   CARD, CARD_FILE again  ports, and the files' text in place
 *   DELETE                 dn_card_free(): pair and rules go
 *
 * Of cards that wait for a container at most DN_CARDS_WAITING_MAX are kept, the newest.
 */
#pragma once

#include <net/if.h>
#include <sys/types.h>

#include "firewall.h"
#include "network.h"

#define DN_CARDS_WAITING_MAX 64
#define DN_CARD_FILES 2 /* DN_CARD_FILE_HOSTS, DN_CARD_FILE_RESOLV_CONF */

/* Of the guest's end of every pair: each is a segment of its own, so one address will do. */
extern const uint8_t dn_card_guest_mac[DN_MAC_BYTES];

typedef struct
{
  char *text; /* owned, not a text in C's sense; NULL: what a container without a card has */
  size_t size;
  int fd; /* the file in the container, open for writing; -1: none */
} DnCardFileText;

typedef struct
{
  char container[DN_ID_BYTES + 1];
  bool has_card; /* false: files alone */
  bool is_attached;
  DnFirewallCard firewall;
  uint8_t gateway_ipv4[DN_IPV4_BYTES];
  uint8_t gateway_ipv6[DN_ADDRESS_BYTES];
  uint8_t reach_ipv4; /* how many bits; 0: all */
  uint8_t reach_ipv6;
  uint16_t mtu;
  DnCardFileText files[DN_CARD_FILES]; /* by DnCardFile, less 1 */
} DnCard;

/* Those that wait. */
typedef struct
{
  DnCard *waiting[DN_CARDS_WAITING_MAX]; /* owned, oldest first */
  size_t count;
} DnCards;

/* Finds or makes the one that waits for that container; NULL without memory. */
DnCard *dn_cards_wait (DnCards *cards, const char *container);
/* (transfer full): what waits for that container, or NULL. */
DnCard *dn_cards_take (DnCards *cards, const char *container);
void dn_card_free (DnCard *card); /* accepts NULL; takes the pair and the rules away */

/* Takes over what the message says; of a card that is attached, only ports. */
int dn_card_set (DnCard *card, const DnMsgCard *message, DnFault *fault);
int dn_card_set_file (DnCard *card, const DnMsgCardFile *message, DnFault *fault);

/* Makes pair and rules; the other end is in the network namespace of @pid. */
int dn_card_attach (DnCard *card, const DnNetwork *network, pid_t pid, DnFault *fault);

/* child-network.c: in the container's own network namespace, with its root's rights. */
int dn_card_set_up_inside (const DnCard *card, DnFault *fault);

/* card-look.c: asks the kernel what network the process of @pidfd has: cards, addresses, routes,
 * and the rules for it here.  @card: what it should be; NULL: a loopback alone.  -EPERM with @fault
 * naming the first difference. */
int dn_card_check (const DnCard *card, int pidfd, DnFault *fault);

/* A netlink socket for routes in the network namespace of @pidfd's process; a descriptor the caller
 * owns, or a status with @fault filled. */
int dn_card_open_inside (int pidfd, DnFault *fault);

/* The container's received and sent bytes, of what its card in the guest has counted. */
void dn_card_count (const DnCard *card, DnMsgCardStats *ret_stats);
