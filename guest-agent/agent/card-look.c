/* SPDX-License-Identifier: Apache-2.0 */
/* What network a container really has: asked over a socket of its own network namespace. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "autofd.h"
#include "card.h"
#include "link.h"

#define LOOPBACK 1 /* its number, in every network namespace */

typedef struct
{
  const DnCard *card; /* NULL: none */
  unsigned cards;     /* that are as they are to be */
  unsigned addresses;
  unsigned routes;
  const char *wrong; /* the first that is not; or NULL */
} Look;

static const uint8_t *
value_of (const struct nlmsghdr *message, size_t header_bytes, uint16_t type, size_t *ret_size)
{
  const size_t start = NLMSG_LENGTH (header_bytes);
  const struct nlattr *found
      = message->nlmsg_len < start
            ? NULL
            : dn_netlink_find ((const uint8_t *) message + NLMSG_ALIGN (start),
                               message->nlmsg_len - NLMSG_ALIGN (start), type);

  *ret_size = found != NULL ? dn_netlink_size (found) : 0;
  return found != NULL ? dn_netlink_value (found) : NULL;
}

static bool
is_ours (const Look *look, uint8_t family, const uint8_t *bytes, size_t size, bool is_gateway)
{
  const DnCard *card = look->card;

  if (card == NULL || bytes == NULL)
    return false;
  if (family == AF_INET)
    return size == DN_IPV4_BYTES
           && memcmp (bytes, is_gateway ? card->gateway_ipv4 : card->firewall.ipv4, size) == 0;
  return family == AF_INET6 && size == DN_ADDRESS_BYTES
         && memcmp (bytes, is_gateway ? card->gateway_ipv6 : card->firewall.ipv6, size) == 0;
}

static void
take_link (const struct nlmsghdr *message, void *data)
{
  Look *look = data;
  const struct ifinfomsg *header = NLMSG_DATA (message);
  size_t size = 0;
  const uint8_t *mac = value_of (message, sizeof *header, IFLA_ADDRESS, &size);

  if (header->ifi_index == LOOPBACK)
    return;
  if (look->card == NULL || size != DN_MAC_BYTES
      || memcmp (mac, look->card->firewall.mac, size) != 0)
    look->wrong = "it has another network card";
  else
    look->cards++;
}

static void
take_address (const struct nlmsghdr *message, void *data)
{
  Look *look = data;
  const struct ifaddrmsg *header = NLMSG_DATA (message);
  size_t size = 0;
  const uint8_t *address = value_of (message, sizeof *header, IFA_ADDRESS, &size);

  if (header->ifa_index == LOOPBACK)
    return;
  if (!is_ours (look, header->ifa_family, address, size, false)
      || header->ifa_prefixlen != size * 8)
    look->wrong = "it has another address";
  else
    look->addresses++;
}

static void
take_route (const struct nlmsghdr *message, void *data)
{
  Look *look = data;
  const struct rtmsg *header = NLMSG_DATA (message);
  size_t size = 0, gateway_size = 0;
  const uint8_t *to = value_of (message, sizeof *header, RTA_DST, &size);
  const uint8_t *gateway = value_of (message, sizeof *header, RTA_GATEWAY, &gateway_size);

  /* Those of the table "local" come with the addresses. */
  if (header->rtm_table != RT_TABLE_MAIN || header->rtm_type != RTN_UNICAST)
    return;
  if (gateway == NULL && to != NULL)
    {
      const uint8_t loopback[DN_ADDRESS_BYTES] = { [DN_ADDRESS_BYTES - 1] = 1 };

      /* To the gateway, and IPv6's to the address itself and to ::1. */
      if (!is_ours (look, header->rtm_family, to, size, true)
          && !is_ours (look, header->rtm_family, to, size, false)
          && (size != sizeof loopback || memcmp (to, loopback, size) != 0))
        look->wrong = "it has another route";
      return;
    }
  if (!is_ours (look, header->rtm_family, gateway, gateway_size, true)
      || header->rtm_dst_len
             != (header->rtm_family == AF_INET ? look->card->reach_ipv4 : look->card->reach_ipv6))
    look->wrong = "it has another route";
  else
    look->routes++;
}

/* The caller goes there for the moment in which it makes a socket, which stays there. */
int
dn_card_open_inside (int pidfd, DnFault *fault)
{
  dn_autofd int own = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  int fd;

  if (own < 0 || setns (pidfd, CLONE_NEWNET) < 0)
    return dn_fault_set_errno (fault, "look at the container's network");
  fd = dn_netlink_open (NETLINK_ROUTE);
  /* Cannot fail: it is the agent's own.  If it did, the guest's table would be looked for in a
   * container, so the agent would rather end. */
  if (setns (own, CLONE_NEWNET) < 0)
    abort ();
  return fd < 0 ? dn_fault_set (fault, -EIO, "look at the container's network: %s", strerror (-fd))
                : fd;
}

static int
ask (int fd, uint16_t type, DnNetlinkFunc take, Look *look)
{
  static DnNetlinkBatch batch;
  const struct ifinfomsg header = { .ifi_family = AF_UNSPEC }; /* no smaller than the others' */

  dn_netlink_clear (&batch);
  dn_netlink_begin (&batch, type, NLM_F_DUMP, &header, sizeof header);
  return dn_netlink_dump (fd, &batch, take, look);
}

int
dn_card_check (const DnCard *card, int pidfd, DnFault *fault)
{
  const bool has_card = card != NULL && card->has_card;
  const unsigned both = has_card ? 2 : 0; /* families */
  Look look = { .card = has_card ? card : NULL };
  dn_autofd int fd = dn_card_open_inside (pidfd, fault);

  if (fd < 0)
    return fault->status;
  if (ask (fd, RTM_GETLINK, take_link, &look) < 0 || ask (fd, RTM_GETADDR, take_address, &look) < 0
      || ask (fd, RTM_GETROUTE, take_route, &look) < 0)
    return dn_fault_set (fault, -EIO, "look at the container's network: the kernel does not say");
  if (look.wrong == NULL && look.cards != (has_card ? 1u : 0u))
    look.wrong = "it has no network card";
  if (look.wrong == NULL && look.addresses != both)
    look.wrong = "it lacks an address";
  if (look.wrong == NULL && look.routes != both)
    look.wrong = "it lacks a route";
  if (look.wrong != NULL)
    return dn_fault_set (fault, -EPERM, "the container's network is not as asked: %s", look.wrong);
  return has_card ? dn_firewall_check (&card->firewall, fault) : 0;
}
