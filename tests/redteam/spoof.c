/* SPDX-License-Identifier: Apache-2.0 */
#include "spoof.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CARD "eth0"
#define PUBLIC "93.184.216.34"
#define ECHO 7777

int
dn_spoof_flush_rules (void)
{
  struct
  {
    struct nlmsghdr header;
    struct nfgenmsg message;
  } batch[3] = { 0 };
  static const uint16_t types[]
      = { NFNL_MSG_BATCH_BEGIN, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE, NFNL_MSG_BATCH_END };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

  for (int i = 0; i < 3; i++)
    {
      batch[i].header.nlmsg_len = sizeof batch[i];
      batch[i].header.nlmsg_type = types[i];
      batch[i].header.nlmsg_flags = NLM_F_REQUEST;
      batch[i].message.version = NFNETLINK_V0;
      batch[i].message.res_id = i == 1 ? 0 : htons (NFNL_SUBSYS_NFTABLES);
    }
  return fd >= 0 && send (fd, batch, sizeof batch, 0) == sizeof batch ? 0 : -errno;
}

typedef struct
{
  int fd;
  int index;
  uint8_t mac[6];
  uint8_t gateway_mac[6];
  uint8_t address[4];
} Card;

static bool
open_card (Card *card)
{
  struct ifreq request = { .ifr_name = CARD };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  *card = (Card){ .fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) };
  if (fd < 0 || card->fd < 0 || ioctl (fd, SIOCGIFINDEX, &request) < 0)
    return false;
  card->index = request.ifr_ifindex;
  if (ioctl (fd, SIOCGIFHWADDR, &request) < 0)
    return false;
  (void) memcpy (card->mac, request.ifr_hwaddr.sa_data, 6);
  (void) memcpy (card->gateway_mac, card->mac, 6);
  card->gateway_mac[3] = 1; /* docs/network.md, "Addresses" */
  if (ioctl (fd, SIOCGIFADDR, &request) < 0)
    return false;
  (void) memcpy (card->address, &((struct sockaddr_in *) &request.ifr_addr)->sin_addr, 4);
  return close (fd) == 0;
}

static bool
send_frame (const Card *card, const uint8_t *to, const uint8_t *from, uint16_t type,
            const void *payload, size_t size)
{
  const struct sockaddr_ll place = { .sll_family = AF_PACKET, .sll_ifindex = card->index };
  uint8_t frame[512];

  (void) memcpy (frame, to, 6);
  (void) memcpy (frame + 6, from, 6);
  frame[12] = (uint8_t) (type >> 8);
  frame[13] = (uint8_t) type;
  (void) memcpy (frame + 14, payload, size);
  return sendto (card->fd, frame, 14 + size, 0, (const struct sockaddr *) &place, sizeof place)
         == (ssize_t) (14 + size);
}

typedef struct
{
  const char *from; /* NULL: the guest's own */
  const char *to;
  uint16_t port;
  uint16_t fragment;  /* as in the header */
  uint8_t options[4]; /* the first of them 0: none */
  const char *mark;
} Datagram;

/* IPv4 and UDP.  Returns: the size */
static size_t
write_datagram (const Card *card, const Datagram *datagram, uint8_t *bytes)
{
  size_t options = datagram->options[0] != 0 ? 4 : 0, text = strlen (datagram->mark);
  size_t total = 20 + options + 8 + text;
  uint8_t *udp = bytes + 20 + options;
  uint32_t sum = 0;

  (void) memset (bytes, 0, total);
  bytes[0] = (uint8_t) (0x45 + options / 4);
  bytes[3] = (uint8_t) total;
  bytes[6] = (uint8_t) (datagram->fragment >> 8);
  bytes[7] = (uint8_t) datagram->fragment;
  bytes[8] = 64;
  bytes[9] = IPPROTO_UDP;
  (void) memcpy (bytes + 12, card->address, 4);
  if (datagram->from != NULL)
    (void) inet_pton (AF_INET, datagram->from, bytes + 12);
  (void) inet_pton (AF_INET, datagram->to, bytes + 16);
  (void) memcpy (bytes + 20, datagram->options, options);
  for (size_t i = 0; i < 20 + options; i += 2)
    sum += (uint32_t) (bytes[i] << 8 | bytes[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~(sum + (sum >> 16));
  bytes[10] = (uint8_t) (sum >> 8);
  bytes[11] = (uint8_t) sum;
  udp[0] = 0x40; /* from port 16384 on */
  udp[2] = (uint8_t) (datagram->port >> 8);
  udp[3] = (uint8_t) datagram->port;
  udp[5] = (uint8_t) (8 + text);
  (void) memcpy (udp + 8, datagram->mark, text);
  return total;
}

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Datagrams that are forged in one way each, by the true card's address. */
static int
send_datagrams (const Card *card)
{
  static const Datagram forged[] = {
    { "10.217.5.10", PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_MARK " another guest's address" },
    { "192.168.77.2", PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_MARK " the host's address" },
    { PUBLIC, "1.0.0.7", ECHO, 0, { 0 }, DN_SPOOF_MARK " a public address" },
    { "127.0.0.1", PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_MARK " the loopback" },
    { NULL, PUBLIC, ECHO, 0x2000, { 0 }, DN_SPOOF_MARK " a fragment" },
    { NULL, PUBLIC, ECHO, 0, { 148, 4, 0, 0 }, DN_SPOOF_MARK " an IPv4 option" },
    { NULL, "192.168.77.2", ECHO, 0, { 0 }, DN_SPOOF_MARK " to the host" },
    { NULL, "10.217.0.138", ECHO, 0, { 0 }, DN_SPOOF_MARK " to a guest" },
    { NULL, "10.217.1.10", ECHO, 0, { 0 }, DN_SPOOF_MARK " to another guest" },
    { NULL, "10.1.1.1", ECHO, 0, { 0 }, DN_SPOOF_MARK " to a private address" },
  };
  uint8_t bytes[256];
  int sent = 0;

  for (size_t i = 0; i < sizeof forged / sizeof *forged; i++)
    sent += send_frame (card, card->gateway_mac, card->mac, ETHERTYPE_IP, bytes,
                        write_datagram (card, &forged[i], bytes));
  return sent;
}

/* What a shared wire would believe: each is for everybody, with the mark behind it. */
static int
send_lies (const Card *card)
{
  static const Datagram offer
      = { "10.217.0.1", "255.255.255.255", 68, 0, { 0 }, DN_SPOOF_MARK " a DHCP server's" };
  static const Datagram plain = { NULL, PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_MARK " another card's" };
  static const Datagram tagged = { NULL, PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_MARK " in a VLAN" };
  const uint8_t other_mac[6] = { 2, 0x64, 0x6e, 0, 0x12, 0x34 };
  uint8_t bytes[256] = { 0, 1, 8, 0, 6, 4, 0, 2 }; /* an ARP reply */
  size_t mark = strlen (DN_SPOOF_MARK);
  int sent = 0;

  (void) memcpy (bytes + 8, card->mac, 6);
  (void) memcpy (bytes + 14, card->address, 4);
  bytes[17] = (uint8_t) (card->address[3] - 1); /* the gateway is me */
  (void) memcpy (bytes + 28, DN_SPOOF_MARK, mark);
  sent += send_frame (card, everybody, card->mac, ETHERTYPE_ARP, bytes, 28 + mark);
  bytes[16]++; /* and so is another guest */
  sent += send_frame (card, everybody, card->mac, ETHERTYPE_ARP, bytes, 28 + mark);
  sent += send_frame (card, everybody, card->mac, ETHERTYPE_IP, bytes,
                      write_datagram (card, &offer, bytes));
  sent += send_frame (card, card->gateway_mac, other_mac, ETHERTYPE_IP, bytes,
                      write_datagram (card, &plain, bytes));
  bytes[0] = 0;
  bytes[1] = 7;
  bytes[2] = 8;
  bytes[3] = 0;
  sent += send_frame (card, card->gateway_mac, card->mac, ETHERTYPE_VLAN, bytes,
                      4 + write_datagram (card, &tagged, bytes + 4));
  return sent + send_frame (card, everybody, card->mac, 0x88cc, DN_SPOOF_MARK, mark); /* LLDP */
}

/* Router and neighbour advertisements to all nodes. */
static int
send_advertisements (const Card *card)
{
  static const uint8_t kinds[] = { 134, 136, 137 };
  const uint8_t all_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
  uint8_t bytes[128] = { 0x60 };
  size_t mark = strlen (DN_SPOOF_MARK);
  int sent = 0;

  bytes[5] = (uint8_t) (24 + mark);
  bytes[6] = IPPROTO_ICMPV6;
  bytes[7] = 255;
  (void) inet_pton (AF_INET6, "fe80::1", bytes + 8);
  (void) inet_pton (AF_INET6, "ff02::1", bytes + 24);
  (void) memcpy (bytes + 64, DN_SPOOF_MARK, mark);
  for (size_t i = 0; i < sizeof kinds; i++)
    {
      bytes[40] = kinds[i];
      sent += send_frame (card, all_mac, card->mac, ETHERTYPE_IPV6, bytes, 64 + mark);
    }
  return sent;
}

static bool
send_honest (const Card *card)
{
  static const Datagram honest = { NULL, PUBLIC, ECHO, 0, { 0 }, DN_SPOOF_HONEST };
  uint8_t bytes[128];

  return send_frame (card, card->gateway_mac, card->mac, ETHERTYPE_IP, bytes,
                     write_datagram (card, &honest, bytes));
}

int
dn_spoof_send (void)
{
  Card card;
  int sent;

  if (!open_card (&card) || !send_honest (&card))
    return -errno;
  sent = send_datagrams (&card) + send_lies (&card) + send_advertisements (&card);
  return send_honest (&card) ? sent : -errno;
}
