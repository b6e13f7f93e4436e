/* SPDX-License-Identifier: Apache-2.0 */
#include "card.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autofd.h"
#include "conntrack.h"
#include "link.h"

/* Of a container's id in its card's name: enough for 64 of them, and names have 15 characters. */
#define NAME_DIGITS 12

const uint8_t dn_card_guest_mac[DN_MAC_BYTES] = { 0x02, 0x64, 0x6e, 0x02, 0x00, 0x01 };

static DnCard *
card_new (const char *container)
{
  DnCard *card = calloc (1, sizeof *card);

  if (card == NULL)
    return NULL;
  strcpy (card->container, container);
  (void) snprintf (card->firewall.name, sizeof card->firewall.name, "c%.*s", NAME_DIGITS,
                   container);
  for (size_t i = 0; i < DN_CARD_FILES; i++)
    card->files[i].fd = -1;
  return card;
}

static size_t
find (const DnCards *cards, const char *container)
{
  size_t i = 0;

  while (i < cards->count && strcmp (cards->waiting[i]->container, container) != 0)
    i++;
  return i;
}

static DnCard *
take (DnCards *cards, size_t i)
{
  DnCard *card = cards->waiting[i];

  memmove (&cards->waiting[i], &cards->waiting[i + 1],
           (cards->count - i - 1) * sizeof cards->waiting[0]);
  cards->count--;
  return card;
}

DnCard *
dn_cards_wait (DnCards *cards, const char *container)
{
  size_t i = find (cards, container);
  DnCard *card;

  if (i < cards->count)
    return cards->waiting[i];
  card = card_new (container);
  if (card == NULL)
    return NULL;
  /* The container of the oldest never came. */
  if (cards->count == DN_CARDS_WAITING_MAX)
    dn_card_free (take (cards, 0));
  cards->waiting[cards->count++] = card;
  return card;
}

DnCard *
dn_cards_take (DnCards *cards, const char *container)
{
  size_t i = find (cards, container);

  return i < cards->count ? take (cards, i) : NULL;
}

static void
detach (DnCard *card)
{
  static DnNetlinkBatch batch;
  dn_autofd int fd = -1;

  if (!card->is_attached)
    return;
  card->is_attached = false;
  dn_netlink_clear (&batch);
  dn_link_remove (&batch, card->firewall.name);
  fd = dn_netlink_open (NETLINK_ROUTE);
  /* It may have gone with the container's network namespace already. */
  if (fd >= 0)
    (void) dn_netlink_talk (fd, &batch);
  dn_firewall_remove (card->firewall.name);
  dn_conntrack_forget (&card->firewall);
}

void
dn_card_free (DnCard *card)
{
  if (card == NULL)
    return;
  detach (card);
  for (size_t i = 0; i < DN_CARD_FILES; i++)
    {
      free (card->files[i].text);
      dn_fd_clear (&card->files[i].fd);
    }
  free (card);
}

int
dn_card_set (DnCard *card, const DnMsgCard *message, DnFault *fault)
{
  DnFirewallCard *firewall = &card->firewall;
  DnCardPort ports[DN_CARD_PORTS_MAX];
  int count = dn_card_ports_decode (message->ports, message->ports_bytes, ports);

  if (count < 0)
    return dn_fault_set (fault, -EINVAL, "card: its ports are none");
  if (message->reach_ipv4 > DN_IPV4_BYTES * 8 || message->reach_ipv6 > DN_ADDRESS_BYTES * 8)
    return dn_fault_set (fault, -EINVAL, "card: what it reaches is no block of addresses");
  memcpy (firewall->ports, ports, (size_t) count * sizeof ports[0]);
  firewall->port_count = (size_t) count;
  if (card->is_attached)
    return dn_firewall_set_ports (firewall, fault);
  memcpy (firewall->ipv4, message->ipv4, sizeof firewall->ipv4);
  memcpy (firewall->ipv6, message->ipv6, sizeof firewall->ipv6);
  /* As the address, so that no two are alike and each can be told from outside. */
  memcpy (firewall->mac, (const uint8_t[]){ 0x02, 0x64 }, 2);
  memcpy (firewall->mac + 2, message->ipv4, sizeof firewall->ipv4);
  memcpy (card->gateway_ipv4, message->gateway_ipv4, sizeof card->gateway_ipv4);
  memcpy (card->gateway_ipv6, message->gateway_ipv6, sizeof card->gateway_ipv6);
  card->reach_ipv4 = message->reach_ipv4;
  card->reach_ipv6 = message->reach_ipv6;
  card->mtu = message->mtu;
  card->has_card = true;
  return 0;
}

/* In place: it is mounted in the container by its inode.  A reader may see the new text's beginning
 * and the old one's end for a moment, as with any editor that does not rename. */
static int
rewrite (const DnCardFileText *file)
{
  size_t at = 0;

  if (file->fd < 0)
    return 0;
  while (at < file->size)
    {
      ssize_t n = pwrite (file->fd, file->text + at, file->size - at, (off_t) at);

      if (n < 0)
        return -errno;
      at += (size_t) n;
    }
  return ftruncate (file->fd, (off_t) file->size) < 0 ? -errno : 0;
}

int
dn_card_set_file (DnCard *card, const DnMsgCardFile *message, DnFault *fault)
{
  DnCardFileText *file;
  char *text;
  int r;

  if (message->kind < 1 || message->kind > DN_CARD_FILES)
    return dn_fault_set (fault, -EINVAL, "card: no such file");
  file = &card->files[message->kind - 1];
  text = malloc (message->text_bytes + 1);
  if (text == NULL)
    return dn_fault_set (fault, -ENOMEM, "card: no memory");
  memcpy (text, message->text, message->text_bytes);
  free (file->text);
  file->text = text;
  file->size = message->text_bytes;
  r = rewrite (file);
  return r < 0 ? dn_fault_set (fault, r == -ENOENT ? -EIO : r, "card: write its file: %s",
                               strerror (-r))
               : 0;
}

/* The guest's end: it answers no ARP, has no address of its own, and knows who is there. */
static int
set_up_here (int fd, const DnFirewallCard *card)
{
  static DnNetlinkBatch batch;
  const DnLinkAddress addresses[] = { dn_link_ipv4 (card->ipv4), dn_link_ipv6 (card->ipv6) };
  int index = (int) if_nametoindex (card->name);

  if (index == 0)
    return -errno;
  dn_netlink_clear (&batch);
  dn_link_add_no_addresses (&batch, index);
  dn_link_set (&batch, index, IFF_UP | IFF_NOARP, 0);
  for (size_t i = 0; i < 2; i++)
    {
      dn_link_add_neighbour (&batch, index, &addresses[i], card->mac);
      dn_link_add_route (&batch, index, &addresses[i]);
    }
  return dn_netlink_talk (fd, &batch);
}

int
dn_card_attach (DnCard *card, const DnNetwork *network, pid_t pid, DnFault *fault)
{
  static DnNetlinkBatch batch;
  DnLinkPair pair = { .name = card->firewall.name, .pid = pid, .mtu = card->mtu };
  dn_autofd int fd = -1;
  int r;

  if (!card->has_card)
    return 0;
  if (!network->is_up)
    return dn_fault_set (fault, -ENOTCONN, "card: the guest has no network");
  fd = dn_netlink_open (NETLINK_ROUTE);
  memcpy (pair.mac, dn_card_guest_mac, sizeof pair.mac);
  memcpy (pair.peer_mac, card->firewall.mac, sizeof pair.peer_mac);
  dn_netlink_clear (&batch);
  dn_link_add_pair (&batch, &pair);
  /* The rules before the card can carry anything. */
  if ((r = fd < 0 ? fd : dn_netlink_talk (fd, &batch)) < 0)
    return dn_fault_set (fault, r == -ENOENT ? -EIO : r, "card: make it: %s", strerror (-r));
  card->is_attached = true;
  if ((r = dn_firewall_add (&card->firewall, fault)) < 0)
    return r;
  if ((r = set_up_here (fd, &card->firewall)) < 0)
    return dn_fault_set (fault, r == -ENOENT ? -EIO : r, "card: set it up: %s", strerror (-r));
  return 0;
}

/* Its counters in /proc/net/dev: what the guest's end receives the container has sent. */
void
dn_card_count (const DnCard *card, DnMsgCardStats *ret_stats)
{
  FILE *file = fopen ("/proc/net/dev", "re");
  char line[512];
  const size_t bytes = strlen (card->firewall.name);

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    {
      const char *at = line + strspn (line, " ");

      if (strncmp (at, card->firewall.name, bytes) != 0 || at[bytes] != ':')
        continue;
      (void) sscanf (at + bytes + 1,
                     "%" SCNu64 " %" SCNu64 " %*u %" SCNu64 " %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                     " %*u %" SCNu64,
                     &ret_stats->sent_bytes, &ret_stats->sent_packets, &ret_stats->sent_dropped,
                     &ret_stats->received_bytes, &ret_stats->received_packets,
                     &ret_stats->received_dropped);
      break;
    }
  if (file != NULL)
    (void) fclose (file);
}
