/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "publisher.h"
#include "stream.h"

/* Clients taken in one turn: a flood at one port leaves the others their turns. */
#define ACCEPTS_AT_ONCE 64

static bool
has_room (const DnPort *port)
{
  const DnPublisher *publisher = port->publisher;

  return port->now < publisher->limits.port_connections_max
         && publisher->connection_count < publisher->limits.connections_max;
}

void
dn_port_adjust (DnPort *port)
{
  bool is_ready = dn_dial_kind_is_udp (port->kind)
                  || (has_room (port) && !port->publisher->dials[port->kind].is_wanted);

  (void) dn_loop_want (&port->publisher->loop, &port->source, is_ready ? EPOLLIN : 0);
}

static void
take_clients (void *data, uint32_t events)
{
  DnPort *port = data;
  DnDialStock *dials = &port->publisher->dials[port->kind];

  (void) events;
  for (int i = 0; i < ACCEPTS_AT_ONCE && has_room (port); i++)
    {
      int dial = dn_dial_stock_take (dials, port->publisher->loop.now_ns);
      int client;

      /* First the way on, then the client: one that cannot be served yet waits in the queue. */
      if (dial < 0)
        break;
      client = accept4 (port->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (client < 0)
        {
          /* Also EMFILE and ENOBUFS: what is taken will be given back; looked at again at the tick.
           */
          dials->is_wanted = dials->is_wanted || (errno == EMFILE || errno == ENFILE);
          dn_dial_stock_give (dials, dial, false, port->publisher->loop.now_ns);
          break;
        }
      dn_stream_start (port, client, dial);
    }
  dn_port_adjust (port);
}

static void
take_datagrams (void *data, uint32_t events)
{
  (void) events;
  dn_flow_take (data);
}

static int
set_option (int fd, int level, int name)
{
  const int yes = 1;

  return setsockopt (fd, level, name, &yes, sizeof yes) < 0 ? -errno : 0;
}

/* What the socket really is, whatever danchid thinks; and what it needs for its work. */
static int
check_socket (const DnPort *port, bool is_udp)
{
  int fd = port->source.fd;
  int type = 0, listens = 0, r;
  socklen_t size = sizeof type;
  DnAddress bound = { 0 };
  socklen_t bound_bytes = sizeof bound;

  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0
      || getsockname (fd, &bound.any, &bound_bytes) < 0)
    return -errno;
  if ((bound.any.sa_family != AF_INET && bound.any.sa_family != AF_INET6)
      || type != (is_udp ? SOCK_DGRAM : SOCK_STREAM))
    return -EINVAL;
  if (!is_udp)
    {
      size = sizeof listens;
      if (getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return -errno;
      /* What is accepted inherits both: no waiting for more bytes, and dead peers are noticed. */
      r = listens != 0 ? set_option (fd, IPPROTO_TCP, TCP_NODELAY) : -EINVAL;
      return r < 0 ? r : set_option (fd, SOL_SOCKET, SO_KEEPALIVE);
    }
  /* An answer has to come from the address that was asked. */
  return bound.any.sa_family == AF_INET ? set_option (fd, IPPROTO_IP, IP_PKTINFO)
                                        : set_option (fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

static void
set_destination (DnPort *port, const DnMsgPublishAdd *order)
{
  if (order->family == 6)
    {
      port->to.v6
          = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons (order->port) };
      memcpy (&port->to.v6.sin6_addr, order->address, 16);
      port->to_bytes = sizeof port->to.v6;
      return;
    }
  port->to.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (order->port) };
  memcpy (&port->to.v4.sin_addr, order->address, 4);
  port->to_bytes = sizeof port->to.v4;
}

static void
free_port (DnPort *port)
{
  DnPublisher *publisher = port->publisher;

  while (port->streams != NULL)
    dn_stream_abort (port->streams);
  if (port->flows != NULL)
    dn_flow_end_all (port);
  dn_loop_close (&publisher->loop, &port->source);
  free (port->flows);
  free (port);
}

int
dn_port_add (DnPublisher *publisher, const DnMsgPublishAdd *order, int fd)
{
  DnPort *port = calloc (1, sizeof *port);
  int r = 0;

  if (port == NULL || publisher->port_count >= DN_PUBLISH_PORTS_MAX || order->port == 0
      || (order->family != 4 && order->family != 6))
    {
      r = port == NULL                                    ? -ENOMEM
          : publisher->port_count >= DN_PUBLISH_PORTS_MAX ? -ENOSPC
                                                          : -EINVAL;
      free (port);
      (void) close (fd);
      return r;
    }
  port->publisher = publisher;
  port->source = (DnSource){ .fd = fd,
                             .ready = order->is_udp ? take_datagrams : take_clients,
                             .data = port };
  memcpy (port->container, order->container, sizeof port->container);
  port->kind = dn_dial_kind (order->is_udp, order->family);
  set_destination (port, order);
  r = check_socket (port, order->is_udp);
  if (r == 0 && order->is_udp)
    {
      port->flows = calloc (DN_PORT_BUCKETS, sizeof *port->flows);
      r = port->flows == NULL ? -ENOMEM : 0;
    }
  if (r == 0)
    r = dn_loop_want (&publisher->loop, &port->source, EPOLLIN);
  if (r < 0)
    {
      free_port (port);
      return r;
    }
  port->next = publisher->ports;
  publisher->ports = port;
  publisher->port_count++;
  return 0;
}

void
dn_port_remove (DnPublisher *publisher, const char *container)
{
  for (DnPort **at = &publisher->ports; *at != NULL;)
    {
      DnPort *port = *at;

      if (container != NULL && strcmp (port->container, container) != 0)
        {
          at = &port->next;
          continue;
        }
      *at = port->next;
      publisher->port_count--;
      free_port (port);
    }
}

void
dn_port_retry (DnPublisher *publisher)
{
  for (DnPort *port = publisher->ports; port != NULL; port = port->next)
    dn_port_adjust (port);
}

void
dn_port_describe (DnPort *port, DnMsgPublishPort *ret_message)
{
  DnMsgPublishPort message = { .is_udp = dn_dial_kind_is_udp (port->kind),
                               .now = port->now,
                               .total = port->total,
                               .refused = port->refused,
                               .bytes_in = port->bytes_in,
                               .bytes_out = port->bytes_out };
  DnAddress bound = { 0 };
  socklen_t size = sizeof bound;

  memcpy (message.container, port->container, sizeof message.container);
  message.family = dn_dial_kind_family (port->kind);
  if (message.family == 6)
    memcpy (message.address, &port->to.v6.sin6_addr, 16);
  else
    memcpy (message.address, &port->to.v4.sin_addr, 4);
  message.port
      = ntohs (port->to.any.sa_family == AF_INET6 ? port->to.v6.sin6_port : port->to.v4.sin_port);
  if (getsockname (port->source.fd, &bound.any, &size) == 0)
    {
      bool is_v6 = bound.any.sa_family == AF_INET6;

      message.host_family = is_v6 ? 6 : 4;
      message.host_port = ntohs (is_v6 ? bound.v6.sin6_port : bound.v4.sin_port);
      if (is_v6)
        memcpy (message.host_address, &bound.v6.sin6_addr, 16);
      else
        memcpy (message.host_address, &bound.v4.sin_addr, 4);
    }
  *ret_message = message;
}
