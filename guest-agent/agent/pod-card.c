/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "autofd.h"
#include "network.h"
#include "pod-loopback.h"

static DnNetlinkBatch batch;

static int
fail (DnFault *fault, const char *what, int code)
{
  return dn_fault_set (fault, code == -ENOENT ? -EIO : code, "the pod's card: %s: %s", what,
                       strerror (-code));
}

int
dn_pod_card_set (DnPodCard *card, const DnMsgPodNetwork *message, DnFault *fault)
{
  static DnPodCard wish;
  int count;

  memset (&wish, 0, sizeof wish);
  count = dn_pod_records_decode (message->records, message->records_bytes, wish.records);
  if (count < 0 || message->mtu == 0 || message->mtu > UINT16_MAX)
    return dn_fault_set (fault, -EINVAL, "the pod's card: not addresses, routes and neighbours");
  wish.is_set = true;
  wish.is_entered = card->is_entered;
  wish.count = (size_t) count;
  wish.mtu = message->mtu;
  memcpy (wish.card_mac, message->card_mac, sizeof wish.card_mac);
  memcpy (wish.mac, message->mac, sizeof wish.mac);
  memcpy (wish.peer_mac, message->peer_mac, sizeof wish.peer_mac);
  if (card->is_entered && memcmp (card, &wish, sizeof wish) != 0)
    return dn_fault_set (fault, -EBUSY, "the pod's card: its containers have another already");
  memcpy (card, &wish, sizeof wish);
  return 0;
}

/* The address that stands for the pod; the host's side chooses in the same way. */
static const DnPodRecord *
find_own (const DnPodCard *card, uint8_t family)
{
  for (size_t i = 0; i < card->count; i++)
    {
      const DnPodRecord *record = &card->records[i];
      const bool is_link_local = record->family == 6 && record->address[0] == 0xfe
                                 && (record->address[1] & 0xc0) == 0x80;

      if (record->kind == DN_POD_ADDRESS && record->family == family && !is_link_local)
        return record;
    }
  return NULL;
}

static int
move (const DnPodCard *card, int netns_fd)
{
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);
  char name[IF_NAMESIZE];
  const int index = dn_link_find_mac (card->card_mac, name);

  if (fd < 0 || index == 0)
    return fd < 0 ? fd : -ENODEV;
  dn_netlink_clear (&batch);
  dn_link_set_mac (&batch, index, card->mac);
  dn_link_move (&batch, index, netns_fd, DN_LINK_PEER);
  return dn_netlink_talk (fd, &batch);
}

/* Who speaks for the host's side of the pod's loopback is on the wire, whatever the pod's routes
 * say. */
static void
add_peer (int index, const DnPodCard *card)
{
  DnLinkAddress peers[] = { { .family = AF_INET }, { .family = AF_INET6 } };

  (void) inet_pton (AF_INET, DN_POD_PEER_IPV4, peers[0].bytes);
  (void) inet_pton (AF_INET6, DN_POD_PEER_IPV6, peers[1].bytes);
  for (size_t i = 0; i < 2; i++)
    if (find_own (card, i == 0 ? 4 : 6) != NULL)
      {
        dn_link_add_route (&batch, index, &peers[i]);
        dn_link_add_neighbour (&batch, index, &peers[i], card->peer_mac);
      }
}

/* A route may name an address as its source, and one on the wire as its next hop. */
static int
turn_of (const DnPodRecord *record)
{
  if (record->kind != DN_POD_ROUTE)
    return 0;
  return dn_pod_record_is_empty (record->via) ? 1 : 2;
}

static int
set_up (const DnPodCard *card)
{
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);
  const int index = (int) if_nametoindex (DN_LINK_PEER);
  const int loopback = (int) if_nametoindex ("lo");

  if (fd < 0 || index == 0)
    return fd < 0 ? fd : -errno;
  dn_netlink_clear (&batch);
  dn_link_set (&batch, loopback, IFF_UP, 0);
  dn_link_add_no_addresses (&batch, index);
  dn_link_set (&batch, index, IFF_UP, (uint16_t) card->mtu);
  for (int turn = 0; turn <= 2; turn++)
    for (size_t i = 0; i < card->count; i++)
      if (turn_of (&card->records[i]) == turn)
        dn_link_add_record (&batch, index, &card->records[i]);
  add_peer (index, card);
  return dn_netlink_talk (fd, &batch);
}

static int
let_in_the_host (const DnPodCard *card)
{
  const DnPodRecord *own4 = find_own (card, 4), *own6 = find_own (card, 6);

  return dn_pod_loopback_open (own4 != NULL ? own4->address : NULL,
                               own6 != NULL ? own6->address : NULL);
}

static int
work_inside (const DnPodCard *card, DnFault *fault)
{
  int r = dn_network_set ("net/ipv6/conf/" DN_LINK_PEER "/accept_ra", "0");

  if (r == 0)
    r = dn_network_set ("net/ipv4/conf/" DN_LINK_PEER "/accept_redirects", "0");
  if (r < 0)
    return fail (fault, "settings", r);
  r = set_up (card);
  if (r < 0)
    return fail (fault, "addresses and routes", r);
  r = let_in_the_host (card);
  return r < 0 ? fail (fault, "the way to the pod's loopback", r) : 0;
}

int
dn_pod_card_enter (DnPodCard *card, int netns_fd, DnFault *fault)
{
  dn_autofd int own = -1;
  int r;

  if (!card->is_set || card->is_entered)
    return 0;
  own = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0)
    return dn_fault_set_errno (fault, "the pod's card: keep the guest's own network");
  r = move (card, netns_fd);
  if (r < 0)
    return fail (fault, r == -ENODEV ? "the guest has none with that address" : "move it", r);
  if (setns (netns_fd, CLONE_NEWNET) < 0)
    return dn_fault_set_errno (fault, "the pod's card: enter the pod's network namespace");
  r = work_inside (card, fault);
  if (setns (own, CLONE_NEWNET) < 0)
    return dn_fault_set_errno (fault, "the pod's card: come back from the pod's network namespace");
  card->is_entered = r == 0;
  return r;
}
