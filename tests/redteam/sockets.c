/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: families with a kernel behind them, the way to the host, and management interfaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define REFUSED "EPERM"
#define NO_WAY "ENETUNREACH EHOSTUNREACH EADDRNOTAVAIL EACCES EPERM"
#define DIRTY (1L << 32)

static int
make_socket (const DnAim *aim)
{
  return dn_seen (syscall (SYS_socket, aim->a, aim->b, aim->c));
}

static int
make_pair (const DnAim *aim)
{
  int ends[2];

  return dn_seen (syscall (SYS_socketpair, aim->a, aim->b, aim->c, ends));
}

/* aim.a: the CID, aim.b: the port.  The socket is what must be refused. */
static int
dial_vsock (const DnAim *aim)
{
  struct sockaddr_vm address = { .svm_family = AF_VSOCK };
  int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return errno;
  address.svm_cid = (unsigned int) aim->a;
  address.svm_port = (unsigned int) aim->b;
  return dn_seen (connect (fd, (const struct sockaddr *) &address, sizeof address));
}

/* Whether a connection comes to stand, or is under way, to a numeric address and port aim.a. */
static int
dial (const DnAim *aim)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons ((uint16_t) aim->a) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons ((uint16_t) aim->a) };
  int is_v6 = inet_pton (AF_INET, aim->path, &v4.sin_addr) != 1;
  int fd = socket (is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int seen;

  if (fd < 0)
    return errno;
  if (is_v6 && inet_pton (AF_INET6, aim->path, &v6.sin6_addr) != 1)
    return DN_SEEN_UNKNOWN;
  seen = dn_seen (is_v6 ? connect (fd, (const struct sockaddr *) &v6, sizeof v6)
                        : connect (fd, (const struct sockaddr *) &v4, sizeof v4));
  /* A packet that left is one too many: nobody needs to have answered. */
  return seen == EINPROGRESS ? 0 : seen;
}

/* Asks the kernel by rtnetlink for a network device; takes it away again where it comes. */
static int
make_link (const DnAim *aim)
{
  struct
  {
    struct nlmsghdr header;
    struct ifinfomsg link;
    struct rtattr info;
    struct rtattr kind;
    char name[8];
  } ask = { .header = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_NEWLINK },
            .info = { .rta_len = 2 * sizeof (struct rtattr) + 8, .rta_type = IFLA_LINKINFO },
            .kind = { .rta_len = sizeof (struct rtattr) + 6, .rta_type = 1 /* kind */ } };
  struct
  {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer = { 0 };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

  if (fd < 0)
    return errno;
  ask.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
  (void) snprintf (ask.name, sizeof ask.name, "%s", aim->path);
  if (send (fd, &ask, sizeof ask, 0) < 0 || recv (fd, &answer, sizeof answer, 0) < 0)
    return errno;
  return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error.error : DN_SEEN_UNKNOWN;
}

/* Loopback down and up: aim.b is the address family to ask with. */
static int
set_interface (const DnAim *aim)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket ((int) aim->b, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0 || ioctl (fd, SIOCGIFFLAGS, &request) < 0)
    return errno;
  return dn_seen (ioctl (fd, SIOCSIFFLAGS, &request));
}

/* Old packet filter interface, with a size that it refuses.  EPERM comes first where it must;
 * ENOPROTOOPT where the kernel has no such tables, nor can load them. */
static int
set_filter (const DnAim *aim)
{
  char bytes[128] = { 0 };
  int fd = socket (aim->b == 0 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return errno;
  return dn_seen (
      setsockopt (fd, aim->b == 0 ? IPPROTO_IP : IPPROTO_IPV6, (int) aim->a, bytes, sizeof bytes));
}

/* Interfaces other than loopback. */
static int
count_interfaces (const DnAim *aim)
{
  struct if_nameindex *all = if_nameindex ();
  int seen = DN_SEEN_ABSENT;

  (void) aim;
  if (all == NULL)
    return errno;
  for (struct if_nameindex *one = all; one->if_index != 0; one++)
    /* The tunnels' fallback devices lead nowhere: they are down, and stay so. */
    if (strcmp (one->if_name, "lo") != 0 && strchr (one->if_name, '0') != NULL
        && strncmp (one->if_name, "tunl", 4) != 0 && strncmp (one->if_name, "sit", 3) != 0
        && strncmp (one->if_name, "gre", 3) != 0 && strncmp (one->if_name, "erspan", 6) != 0
        && strncmp (one->if_name, "ip", 2) != 0)
      seen = 0;
  if_freenameindex (all);
  return seen;
}

/* Abstract sockets that the probe did not make (CVE-2020-15257). */
static int
find_abstract (const DnAim *aim)
{
  char line[512];
  FILE *file = fopen (aim->path, "re");
  int seen = DN_SEEN_HIDDEN;

  if (file == NULL)
    return errno;
  while (fgets (line, sizeof line, file) != NULL)
    if (strchr (line, '@') != NULL)
      seen = 0;
  (void) fclose (file);
  return seen;
}

#define MAKE(id, technique, family, type, protocol, answers)                                       \
  {                                                                                                \
    "sockets." id, technique, "R3.6", answers, NULL, make_socket,                                  \
    {                                                                                              \
      .a = family, .b = type, .c = protocol                                                        \
    }                                                                                              \
  }
#define DIAL(id, technique, address, port)                                                         \
  {                                                                                                \
    "sockets." id, technique, "R5.17", NO_WAY, NULL, dial, { .path = address, .a = port }          \
  }
#define DIAL_VSOCK(id, technique, cid, port)                                                       \
  {                                                                                                \
    "sockets." id, technique, "R2.1", REFUSED, NULL, dial_vsock, { .a = cid, .b = port }           \
  }

static const DnProbe probes[] = {
  MAKE ("vsock", "AF_VSOCK: the way to the host", AF_VSOCK, SOCK_STREAM, 0, REFUSED),
  MAKE ("vsock-datagram", "AF_VSOCK, datagrams", AF_VSOCK, SOCK_DGRAM, 0, REFUSED),
  MAKE ("vsock-dirty", "AF_VSOCK with a dirty upper half (CVE-2019-7303 class)", AF_VSOCK | DIRTY,
        SOCK_STREAM, 0, REFUSED),
  { "sockets.vsock-pair",
    "a pair of vsock sockets",
    "R3.6",
    "EPERM",
    NULL,
    make_pair,
    { .a = AF_VSOCK, .b = SOCK_STREAM } },
  DIAL_VSOCK ("vsock-hypervisor", "vsock to CID 0, the hypervisor", VMADDR_CID_HYPERVISOR, 832),
  DIAL_VSOCK ("vsock-local", "vsock to CID 1, the agent's own port", VMADDR_CID_LOCAL, 832),
  DIAL_VSOCK ("vsock-host", "vsock to CID 2, the host", VMADDR_CID_HOST, 832),
  DIAL_VSOCK ("vsock-host-ssh", "vsock to CID 2, port 22", VMADDR_CID_HOST, 22),
  DIAL_VSOCK ("vsock-guest", "vsock to CID 3, another guest", 3, 832),
  MAKE ("alg", "AF_ALG: the kernel's ciphers (CVE-2026-31431)", 38, SOCK_SEQPACKET, 0, REFUSED),
  MAKE ("packet", "AF_PACKET: all frames (CVE-2020-14386)", AF_PACKET, SOCK_RAW, 0, REFUSED),
  MAKE ("packet-datagram", "AF_PACKET, cooked", AF_PACKET, SOCK_DGRAM, 0, REFUSED),
  MAKE ("raw", "raw IPv4: spoofing within the context", AF_INET, SOCK_RAW, IPPROTO_ICMP, REFUSED),
  MAKE ("raw6", "raw IPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, REFUSED),
  MAKE ("raw-dirty", "raw IPv4 with a dirty upper half", AF_INET | DIRTY, SOCK_RAW, IPPROTO_ICMP,
        REFUSED),
  MAKE ("netfilter", "nftables (CVE-2024-1086)", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER, REFUSED),
  MAKE ("xfrm", "IPsec (CVE-2022-27666 class)", AF_NETLINK, SOCK_RAW, NETLINK_XFRM, REFUSED),
  MAKE ("audit", "the audit log", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT, REFUSED " EINVAL"),
  MAKE ("uevent", "device events", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT, REFUSED),
  MAKE ("connector", "processes of the machine", AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR,
        REFUSED),
  MAKE ("sock-diag", "sockets of the machine (CVE-2013-1763)", AF_NETLINK, SOCK_RAW,
        NETLINK_SOCK_DIAG, REFUSED),
  MAKE ("generic", "generic netlink", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, REFUSED),
  MAKE ("key", "AF_KEY", AF_KEY, SOCK_RAW, 2, REFUSED),
  MAKE ("xdp", "AF_XDP", 44, SOCK_RAW, 0, REFUSED),
  MAKE ("tipc", "AF_TIPC (CVE-2021-43267)", 30, SOCK_SEQPACKET, 0, REFUSED),
  MAKE ("can", "AF_CAN (CVE-2021-32606)", 29, SOCK_RAW, 1, REFUSED),
  MAKE ("bluetooth", "AF_BLUETOOTH (CVE-2020-12351 class)", 31, SOCK_RAW, 1, REFUSED),
  MAKE ("rds", "AF_RDS (CVE-2010-3904)", 21, SOCK_SEQPACKET, 0, REFUSED),
  MAKE ("ax25", "AF_AX25", AF_AX25, SOCK_SEQPACKET, 0, REFUSED),
  MAKE ("sctp", "SCTP as a stream", AF_INET, SOCK_STREAM, IPPROTO_SCTP, REFUSED " EPROTONOSUPPORT"),
  MAKE ("dccp", "DCCP (CVE-2017-6074)", AF_INET, 6, 33, REFUSED),
  { "sockets.link",
    "a network device by rtnetlink",
    "R3.5",
    "EPERM",
    NULL,
    make_link,
    { .path = "dummy" } },
  { "sockets.interface",
    "the flags of loopback",
    "R3.5",
    "EPERM",
    NULL,
    set_interface,
    { .b = AF_INET } },
  { "sockets.iptables",
    "iptables' old interface (CVE-2021-22555)",
    "R3.5",
    "EPERM ENOPROTOOPT",
    NULL,
    set_filter,
    { .a = 64 } },
  { "sockets.ip6tables",
    "ip6tables' old interface",
    "R3.5",
    "EPERM ENOPROTOOPT",
    NULL,
    set_filter,
    { .a = 64, .b = 1 } },
  { "sockets.interfaces",
    "interfaces other than loopback",
    "R5.13",
    "absent",
    NULL,
    count_interfaces,
    { 0 } },
  { "sockets.abstract",
    "others' abstract sockets (CVE-2020-15257)",
    "R1.6",
    "hidden",
    NULL,
    find_abstract,
    { .path = "/proc/net/unix" } },
  DIAL ("metadata", "a cloud's metadata service", "169.254.169.254", 80),
  DIAL ("metadata6", "a cloud's metadata service", "fd00:ec2::254", 80),
  DIAL ("gateway", "the host as the usual gateway", "10.0.2.2", 22),
  DIAL ("libvirt-gateway", "the host on libvirt's bridge", "192.168.122.1", 16509),
  DIAL ("cluster", "a cluster's interface", "10.96.0.1", 443),
  DIAL ("internet", "the world", "192.0.2.1", 443),
};

DN_FAMILY (dn_sockets, probes);
