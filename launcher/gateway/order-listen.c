/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets for danchi-publish and resolvers.  Those that are bound listen already where they are
 * TCP's: two sockets may be bound to one port as long as neither does, and a conflict is to be an
 * error now. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "orders.h"
#include "rules.h"

/* danchi-publish takes a client when it has a socket to reach the container with; until then the
 * client waits here. */
#define BACKLOG 1024

typedef union
{
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
} Address;

static socklen_t
make_address (const DnGatewaySocket *wish, const DnNetworkPlan *plan, Address *address)
{
  *address = (Address){ .six = { .sin6_family = AF_UNSPEC } };
  if (wish->family == 4)
    {
      address->four.sin_family = AF_INET;
      address->four.sin_port = htons (wish->port);
      if (wish->is_on_tap)
        address->four.sin_addr = plan->gateway4;
      else
        memcpy (&address->four.sin_addr, wish->address, 4);
      return sizeof address->four;
    }
  address->six.sin6_family = AF_INET6;
  address->six.sin6_port = htons (wish->port);
  if (wish->is_on_tap)
    address->six.sin6_addr = plan->gateway6;
  else
    memcpy (&address->six.sin6_addr, wish->address, 16);
  return sizeof address->six;
}

int
dn_socket_confine (int fd, uint32_t mark, const char *tap)
{
  if (setsockopt (fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0
      || (tap != NULL
          && setsockopt (fd, SOL_SOCKET, SO_BINDTODEVICE, tap, (socklen_t) strlen (tap)) < 0))
    return -errno;
  return 0;
}

/* Returns: a descriptor, or -errno */
static int
make_socket (const DnGatewaySocket *wish, const DnNetworkPlan *plan)
{
  bool is_tcp = wish->protocol == IPPROTO_TCP;
  int fd = socket (wish->family == 4 ? AF_INET : AF_INET6,
                   (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  Address address;
  socklen_t size = make_address (wish, plan, &address);

  if (fd < 0)
    return -errno;
  /* IPv6 sockets take IPv6 alone: [::]:80 and 0.0.0.0:80 are two wishes.  Only for TCP may the
   * port be one of connections that are over. */
  if ((wish->family == 4 || setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0)
      && (!is_tcp || setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0)
      && dn_socket_confine (fd, DN_RULES_MARK_ANSWERS, wish->is_on_tap ? plan->tap : NULL) == 0
      && bind (fd, &address.any, size) == 0 && (!is_tcp || listen (fd, BACKLOG) == 0))
    return fd;
  size = (socklen_t) errno;
  (void) close (fd);
  return -(int) size;
}

static const char *
why (int code)
{
  switch (code)
    {
    case -EADDRINUSE:
      return "the port is in use\nsee ss -lntup, or take another port";
    case -EADDRNOTAVAIL:
      return "the host has no such address\nsee ip address";
    case -EAFNOSUPPORT:
      return "the host has no IPv6\ntake an IPv4 address";
    default:
      return strerror (-code);
    }
}

static int
fail (const DnGatewaySocket *wish, const DnNetworkPlan *plan, int code, DnGatewayAnswer *answer)
{
  char text[INET6_ADDRSTRLEN];
  Address address;

  (void) make_address (wish, plan, &address);
  (void) inet_ntop (address.any.sa_family,
                    wish->family == 4 ? (void *) &address.four.sin_addr
                                      : (void *) &address.six.sin6_addr,
                    text, sizeof text);
  return dn_fault (answer, code, wish->family == 4 ? "%s:%u/%s: %s" : "[%s]:%u/%s: %s", text,
                   wish->port, wish->protocol == IPPROTO_TCP ? "tcp" : "udp", why (code));
}

int
dn_order_listen (const DnGatewayListen *listen_wishes, DnGatewayAnswer *answer, DnFdList *ret_fds)
{
  DnNetworkPlan plan = { .slot = 0 };

  for (uint32_t i = 0; i < listen_wishes->count; i++)
    {
      const DnGatewaySocket *wish = &listen_wishes->sockets[i];
      int fd;

      if (wish->is_on_tap
          && dn_network_plan_make (&listen_wishes->pool, listen_wishes->slot, &plan) < 0)
        return dn_fault (answer, -ERANGE, "identity slot %u has no addresses", listen_wishes->slot);
      fd = make_socket (wish, &plan);
      if (fd < 0)
        {
          dn_fd_list_clear (ret_fds);
          return fail (wish, &plan, fd, answer);
        }
      ret_fds->fds[ret_fds->count++] = fd;
    }
  return 0;
}

int
dn_order_reach (const DnGatewayReach *reach, DnGatewayAnswer *answer, DnFdList *ret_fds)
{
  int type = reach->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
  char tap[DN_NETWORK_TAP_BYTES];

  dn_network_tap_name (reach->slot, tap);
  for (uint32_t i = 0; i < reach->count; i++)
    {
      int fd = socket (reach->family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       0);
      int r = fd < 0 ? -errno : dn_socket_confine (fd, DN_RULES_MARK_REACH | reach->slot, tap);

      if (r < 0)
        {
          if (fd >= 0)
            (void) close (fd);
          dn_fd_list_clear (ret_fds);
          return dn_fault (answer, r, "socket to tap '%s': %s", tap, strerror (-r));
        }
      ret_fds->fds[ret_fds->count++] = fd;
    }
  return 0;
}
