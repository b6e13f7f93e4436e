/* SPDX-License-Identifier: Apache-2.0 */
/* The network that a container has, as its kernel tells it, and whether the guest's rules for it
 * stand. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "autofd.h"
#include "link.h"
#include "verify.h"

#define LOOPBACK 1

typedef struct
{
  char text[DN_FACT_VALUE_BYTES + 1];
} List;

static void
add (List *list, const char *word)
{
  size_t used = strlen (list->text);

  (void) snprintf (list->text + used, sizeof list->text - used, "%s%s", used > 0 ? " " : "", word);
}

/* The attribute of that type as an address, behind the message's own header. */
static bool
read_address (const struct nlmsghdr *message, size_t header, uint16_t type, uint8_t family,
              char ret_text[INET6_ADDRSTRLEN])
{
  const size_t start = NLMSG_ALIGN (NLMSG_LENGTH (header));
  const struct nlattr *found
      = message->nlmsg_len < start
            ? NULL
            : dn_netlink_find ((const uint8_t *) message + start, message->nlmsg_len - start, type);
  const size_t size = family == AF_INET ? DN_IPV4_BYTES : DN_ADDRESS_BYTES;

  return found != NULL && dn_netlink_size (found) == size
         && inet_ntop (family, dn_netlink_value (found), ret_text, INET6_ADDRSTRLEN) != NULL;
}

static void
take_card (const struct nlmsghdr *message, void *data)
{
  const struct ifinfomsg *header = NLMSG_DATA (message);
  const size_t start = NLMSG_ALIGN (NLMSG_LENGTH (sizeof *header));
  const struct nlattr *found = dn_netlink_find ((const uint8_t *) message + start,
                                                message->nlmsg_len - start, IFLA_ADDRESS);
  const uint8_t *mac = found != NULL ? dn_netlink_value (found) : NULL;
  char word[32] = "another";

  if (header->ifi_index == LOOPBACK)
    return;
  if (mac != NULL && dn_netlink_size (found) == DN_MAC_BYTES)
    (void) snprintf (word, sizeof word, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                     mac[3], mac[4], mac[5]);
  add (data, word);
}

static void
take_address (const struct nlmsghdr *message, void *data)
{
  const struct ifaddrmsg *header = NLMSG_DATA (message);
  char address[INET6_ADDRSTRLEN] = "?";
  char word[INET6_ADDRSTRLEN + 8];

  if (header->ifa_index == LOOPBACK)
    return;
  (void) read_address (message, sizeof *header, IFA_ADDRESS, header->ifa_family, address);
  (void) snprintf (word, sizeof word, "%s/%u", address, header->ifa_prefixlen);
  add (data, word);
}

/* Those that lead through somebody. */
static void
take_way (const struct nlmsghdr *message, void *data)
{
  const struct rtmsg *header = NLMSG_DATA (message);
  char address[INET6_ADDRSTRLEN];
  char word[INET6_ADDRSTRLEN + 8];

  if (header->rtm_table != RT_TABLE_MAIN
      || !read_address (message, sizeof *header, RTA_GATEWAY, header->rtm_family, address))
    return;
  (void) snprintf (word, sizeof word, "%s/%u", address, header->rtm_dst_len);
  add (data, word);
}

static void
add_list (DnFacts *facts, int fd, const char *name, uint16_t type, DnNetlinkFunc take)
{
  static DnNetlinkBatch batch;
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
  List list = { "" };

  dn_netlink_clear (&batch);
  dn_netlink_begin (&batch, type, NLM_F_DUMP, &header, sizeof header);
  if (dn_netlink_dump (fd, &batch, take, &list) == 0)
    dn_facts_add (facts, 0, name, list.text[0] != '\0' ? list.text : "none");
}

void
dn_verify_network (DnFacts *facts, const DnContainer *container)
{
  DnFault fault;
  const DnCard *card = container->card;
  dn_autofd int fd = dn_card_open_inside (container->processes->pid_watch.fd, &fault);

  if (fd < 0)
    return;
  add_list (facts, fd, "network.cards", RTM_GETLINK, take_card);
  add_list (facts, fd, "network.addresses", RTM_GETADDR, take_address);
  add_list (facts, fd, "network.ways", RTM_GETROUTE, take_way);
  if (card == NULL || !card->has_card)
    return;
  if (dn_firewall_check (&card->firewall, &fault) < 0)
    dn_facts_add (facts, 0, "network.rules", fault.message);
  else
    dn_facts_addf (facts, 0, "network.rules", "%zu ports", card->firewall.port_count);
}
