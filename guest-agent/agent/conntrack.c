/* SPDX-License-Identifier: Apache-2.0 */
#include "conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "autofd.h"

/* Of a batch: the rest goes with the next one. */
#define ROOM_BYTES 512

typedef struct
{
  const DnFirewallCard *card;
  DnNetlinkBatch *doomed;
  bool has_more; /* than fit into one batch */
} Search;

static const struct nlattr *
find_in (const struct nlattr *nest, uint16_t type)
{
  return nest == NULL ? NULL
                      : dn_netlink_find (dn_netlink_value (nest), dn_netlink_size (nest), type);
}

static bool
is_ours (const struct nlattr *address, const uint8_t *own, size_t size)
{
  return address != NULL && dn_netlink_size (address) == size
         && memcmp (dn_netlink_value (address), own, size) == 0;
}

/* Whether either end of a direction is the card's. */
static bool
is_of_card (const struct nlattr *tuple, const DnFirewallCard *card)
{
  const struct nlattr *addresses = find_in (tuple, CTA_TUPLE_IP);

  return is_ours (find_in (addresses, CTA_IP_V4_SRC), card->ipv4, sizeof card->ipv4)
         || is_ours (find_in (addresses, CTA_IP_V4_DST), card->ipv4, sizeof card->ipv4)
         || is_ours (find_in (addresses, CTA_IP_V6_SRC), card->ipv6, sizeof card->ipv6)
         || is_ours (find_in (addresses, CTA_IP_V6_DST), card->ipv6, sizeof card->ipv6);
}

static void
take_connection (const struct nlmsghdr *message, void *data)
{
  Search *search = data;
  const struct nfgenmsg *header = NLMSG_DATA (message);
  const size_t start = NLMSG_LENGTH (sizeof *header);
  const struct nlattr *tuple;

  if (message->nlmsg_len < start)
    return;
  tuple = dn_netlink_find ((const uint8_t *) message + start, message->nlmsg_len - start,
                           CTA_TUPLE_ORIG);
  if (tuple == NULL || !is_of_card (tuple, search->card))
    return;
  if (search->doomed->used + ROOM_BYTES > sizeof search->doomed->bytes)
    {
      search->has_more = true;
      return;
    }
  dn_netlink_begin (search->doomed, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK,
                    header, sizeof *header);
  dn_netlink_put (search->doomed, tuple->nla_type, dn_netlink_value (tuple),
                  dn_netlink_size (tuple));
}

/* Those that fit into one batch.  Returns whether there are more, and it was not for nothing. */
static bool
forget_some (const DnFirewallCard *card, uint8_t family)
{
  static DnNetlinkBatch question;
  static DnNetlinkBatch doomed;
  const struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };
  Search search = { .card = card, .doomed = &doomed };
  dn_autofd int fd = dn_netlink_open (NETLINK_NETFILTER);

  dn_netlink_clear (&question);
  dn_netlink_clear (&doomed);
  dn_netlink_begin (&question, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &header,
                    sizeof header);
  if (fd < 0 || dn_netlink_dump (fd, &question, take_connection, &search) < 0
      || doomed.answers == 0)
    return false;
  /* One that ended meanwhile is no failure. */
  (void) dn_netlink_talk (fd, &doomed);
  return search.has_more;
}

void
dn_conntrack_forget (const DnFirewallCard *card)
{
  static const uint8_t families[] = { AF_INET, AF_INET6 };

  for (size_t i = 0; i < sizeof families; i++)
    for (int round = 0; round < 256 && forget_some (card, families[i]); round++)
      ;
}
