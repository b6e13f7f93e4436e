/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define BUFFER_BYTES 65536
/* Ours among routes (rtm_protocol): those that went with an address are found by it. */
#define PROTOCOL 0xda
#define ANSWER_TIMEOUT_S 5

typedef struct
{
  guint8 family; /* AF_INET, AF_INET6 */
  guint8 bytes[16];
} Address;

char **
dn_upstream_words (gint pid)
{
  g_autofree char *network = g_strdup_printf ("/proc/%d/ns/net", pid);
  g_autofree char *user = g_strdup_printf ("/proc/%d/ns/user", pid);
  /* No port of either side is the other's: not the host's loopback services for the session (-T,
   * -U, the gateway's mapping), not the session's for the host (-t, -u). */
  const char *const words[] = {
    "pasta",
    "--foreground",
    "--quiet",
    "--config-net",
    "--netns",
    network,
    "--userns",
    user,
    "-t",
    "none",
    "-u",
    "none",
    "-T",
    "none",
    "-U",
    "none",
    "--no-map-gw",
    "-I",
    DN_UPSTREAM_INTERFACE,
    "-a",
    DN_UPSTREAM_ADDRESS,
    "-n",
    "24",
    "-g",
    DN_UPSTREAM_GATEWAY,
    "--dns-forward",
    DN_UPSTREAM_NAMES,
    NULL,
  };

  return g_strdupv ((char **) words);
}

int
dn_upstream_open (GError **error)
{
  const struct sockaddr_nl address
      = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
  const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
  dn_autofd int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0)
    {
      dn_throw_errno (error, "the host's addresses: netlink");
      return -1;
    }
  return g_steal_fd (&fd);
}

/* Asks for all of a kind: RTM_GETADDR, RTM_GETROUTE. */
static gboolean
ask (int fd, guint16 type, guint32 number)
{
  struct
  {
    struct nlmsghdr header;
    struct rtmsg message;
  } request = { .header = { .nlmsg_len = sizeof request,
                            .nlmsg_type = type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                            .nlmsg_seq = number },
                .message = { .rtm_family = AF_UNSPEC } };

  return send (fd, &request, sizeof request, 0) == (ssize_t) sizeof request;
}

static void
add (GArray *addresses, guint8 family, const struct rtattr *attribute)
{
  gsize size = family == AF_INET ? 4 : 16;
  Address address = { .family = family };

  if ((family != AF_INET && family != AF_INET6) || RTA_PAYLOAD (attribute) != size)
    return;
  memcpy (address.bytes, RTA_DATA (attribute), size);
  g_array_append_val (addresses, address);
}

/* An address of the host's.  IFA_LOCAL is the own end of a point-to-point link. */
static void
read_address (struct nlmsghdr *header, GArray *addresses)
{
  struct ifaddrmsg *message = NLMSG_DATA (header);
  int size = (int) IFA_PAYLOAD (header);
  const struct rtattr *found = NULL;

  for (struct rtattr *a = IFA_RTA (message); RTA_OK (a, size); a = RTA_NEXT (a, size))
    if (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && found == NULL))
      found = a;
  if (found != NULL)
    add (addresses, message->ifa_family, found);
}

/* A route of ours. */
static void
read_route (struct nlmsghdr *header, GArray *addresses)
{
  struct rtmsg *message = NLMSG_DATA (header);
  int size = (int) RTM_PAYLOAD (header);

  if (message->rtm_protocol != PROTOCOL)
    return;
  for (struct rtattr *a = RTM_RTA (message); RTA_OK (a, size); a = RTA_NEXT (a, size))
    if (a->rta_type == RTA_DST)
      add (addresses, message->rtm_family, a);
}

/* @addresses: of what the kernel dumps.  @ret_changed: whether it told of a change meanwhile, which
 * the dump may not have. */
static gboolean
dump (int fd, guint16 type, guint16 answer, void (*read) (struct nlmsghdr *, GArray *),
      GArray *addresses, gboolean *ret_changed)
{
  static guint32 number;
  g_autofree char *buffer = g_malloc (BUFFER_BYTES);

  g_array_set_size (addresses, 0);
  *ret_changed = FALSE;
  if (!ask (fd, type, ++number))
    return FALSE;
  for (;;)
    {
      ssize_t n = recv (fd, buffer, BUFFER_BYTES, 0);
      int size = (int) n;

      if (n < 0 && (errno == EINTR || errno == ENOBUFS))
        continue;
      if (n <= 0)
        return FALSE;
      for (struct nlmsghdr *header = (struct nlmsghdr *) buffer; NLMSG_OK (header, (guint32) size);
           header = NLMSG_NEXT (header, size))
        {
          if (header->nlmsg_seq != number)
            {
              *ret_changed = TRUE;
              continue;
            }
          if (header->nlmsg_type == NLMSG_DONE)
            return TRUE;
          if (header->nlmsg_type == NLMSG_ERROR)
            return FALSE;
          if (header->nlmsg_type == answer)
            read (header, addresses);
        }
    }
}

static gboolean
is_among (const GArray *addresses, const Address *address)
{
  for (guint i = 0; i < addresses->len; i++)
    if (memcmp (&g_array_index (addresses, Address, i), address, sizeof *address) == 0)
      return TRUE;
  return FALSE;
}

/* @type: RTM_NEWROUTE or RTM_DELROUTE of a `prohibit` route.  Returns: 0 or -errno */
static int
change_route (int fd, guint16 type, const Address *address)
{
  gsize size = address->family == AF_INET ? 4 : 16;
  struct
  {
    struct nlmsghdr header;
    struct rtmsg message;
    struct rtattr attribute;
    guint8 bytes[16];
  } request
      = { .header = { .nlmsg_type = type,
                      .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK
                                     | (type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0) },
          .message = { .rtm_family = address->family,
                       .rtm_dst_len = (guint8) (8 * size),
                       .rtm_table = RT_TABLE_MAIN,
                       .rtm_protocol = PROTOCOL,
                       .rtm_type = RTN_PROHIBIT },
          .attribute = { .rta_len = (guint16) RTA_LENGTH (size), .rta_type = RTA_DST } };
  struct
  {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[512];
  } answer;

  memcpy (request.bytes, address->bytes, size);
  request.header.nlmsg_len = (guint32) (NLMSG_LENGTH (sizeof request.message) + RTA_LENGTH (size));
  if (send (fd, &request, request.header.nlmsg_len, 0) < 0)
    return -errno;
  if (recv (fd, &answer, sizeof answer, 0) < (ssize_t) NLMSG_LENGTH (sizeof answer.error))
    return -EIO;
  return answer.error.error;
}

gboolean
dn_upstream_loopback (GError **error)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  dn_autofd int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  return (fd >= 0 && ioctl (fd, SIOCSIFFLAGS, &request) == 0)
         || dn_throw_errno (error, "session mode: the loopback");
}

gboolean
dn_upstream_update (int fd, GError **error)
{
  const struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT_S };
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (Address));
  g_autoptr (GArray) there = g_array_new (FALSE, FALSE, sizeof (Address));
  dn_autofd int own = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  gboolean has_changed;

  if (own < 0 || setsockopt (own, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0
      || !dump (own, RTM_GETROUTE, RTM_NEWROUTE, read_route, there, &has_changed))
    return dn_throw_errno (error, "the session's routes: netlink");
  do
    if (!dump (fd, RTM_GETADDR, RTM_NEWADDR, read_address, wanted, &has_changed))
      return dn_throw_errno (error, "the host's addresses: netlink");
  while (has_changed);
  for (guint i = 0; i < wanted->len; i++)
    {
      const Address *address = &g_array_index (wanted, Address, i);
      int r = is_among (there, address) ? 0 : change_route (own, RTM_NEWROUTE, address);

      if (r < 0)
        return dn_throw (error, DN_ERROR_FAILED, "the host's addresses: a route: %s",
                         g_strerror (-r));
    }
  /* After those that came: an address that changes its interface has no moment without. */
  for (guint i = 0; i < there->len; i++)
    if (!is_among (wanted, &g_array_index (there, Address, i)))
      (void) change_route (own, RTM_DELROUTE, &g_array_index (there, Address, i));
  return TRUE;
}
