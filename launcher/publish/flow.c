/* SPDX-License-Identifier: Apache-2.0 */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "publisher.h"

/* Datagrams of one socket in one turn. */
#define TURN_DATAGRAMS 64
#define DATAGRAM_MAX_BYTES 65535
#define S_NS 1000000000ull
/* Unanswered for less than this, a flow keeps its place: the answer may be on its way. */
#define GRACE_NS (1 * S_NS)

/* The address of ours that a client wrote to: answers come from it. */
typedef union
{
  struct cmsghdr alignment;
  char bytes[CMSG_SPACE (sizeof (struct in6_pktinfo))];
} LocalAddress;

struct DnFlow
{
  DnPort *port;
  DnSource source; /* a dial socket */
  DnAddress client;
  socklen_t client_bytes;
  LocalAddress local;
  socklen_t local_bytes;
  bool is_answered;
  uint64_t active_ns;
  DnFlow *next; /* in its bucket */
};

static uint8_t buffer[DATAGRAM_MAX_BYTES + 1];

/* Not secret: a client that fills one bucket is slow to itself, with at most some thousand flows.
 */
static uint32_t
bucket_of (const DnAddress *client)
{
  const uint8_t *bytes = client->any.sa_family == AF_INET6 ? client->v6.sin6_addr.s6_addr
                                                           : (const uint8_t *) &client->v4.sin_addr;
  size_t size = client->any.sa_family == AF_INET6 ? 16 : 4;
  uint32_t hash = client->any.sa_family == AF_INET6 ? client->v6.sin6_port : client->v4.sin_port;

  for (size_t i = 0; i < size; i++)
    hash = hash * 16777619u ^ bytes[i];
  hash ^= hash >> 15;
  hash *= 2654435761u;
  return hash >> 16 & (DN_PORT_BUCKETS - 1);
}

/* With the scope of a link-local client, which belongs to its address. */
static bool
is_same (const DnAddress *a, const DnAddress *b)
{
  if (a->any.sa_family != b->any.sa_family)
    return false;
  if (a->any.sa_family == AF_INET6)
    return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id
           && IN6_ARE_ADDR_EQUAL (&a->v6.sin6_addr, &b->v6.sin6_addr);
  return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static DnFlow *
find (DnPort *port, const DnAddress *client)
{
  DnFlow *flow = port->flows[bucket_of (client)];

  while (flow != NULL && !is_same (&flow->client, client))
    flow = flow->next;
  return flow;
}

static void
end (DnFlow *flow)
{
  DnPort *port = flow->port;
  DnPublisher *publisher = port->publisher;
  DnFlow **at = &port->flows[bucket_of (&flow->client)];

  while (*at != flow)
    at = &(*at)->next;
  *at = flow->next;
  dn_loop_unwatch (&publisher->loop, &flow->source);
  dn_dial_stock_give (&publisher->dials[port->kind], flow->source.fd, false,
                      publisher->loop.now_ns);
  port->now--;
  publisher->flow_count--;
  free (flow);
}

/* Gives a place free that nobody has earned.  Looks through one port's flows, which are few. */
static bool
make_place (DnPort *port)
{
  uint64_t now_ns = port->publisher->loop.now_ns;
  DnFlow *oldest = NULL;

  for (uint32_t i = 0; i < DN_PORT_BUCKETS; i++)
    for (DnFlow *flow = port->flows[i]; flow != NULL; flow = flow->next)
      if (!flow->is_answered && now_ns - flow->active_ns > GRACE_NS
          && (oldest == NULL || flow->active_ns < oldest->active_ns))
        oldest = flow;
  if (oldest == NULL)
    return false;
  end (oldest);
  return true;
}

static void
answer (DnFlow *flow, const uint8_t *bytes, size_t size)
{
  struct iovec vector = { .iov_base = (void *) bytes, .iov_len = size };
  struct msghdr message = { .msg_name = &flow->client,
                            .msg_namelen = flow->client_bytes,
                            .msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = flow->local_bytes > 0 ? &flow->local : NULL,
                            .msg_controllen = flow->local_bytes };

  /* One that cannot be sent now is lost, as on any link that is full. */
  if (sendmsg (flow->port->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
    flow->port->bytes_out += size;
}

static void
take_answers (void *data, uint32_t events)
{
  DnFlow *flow = data;

  (void) events;
  for (int i = 0; i < TURN_DATAGRAMS; i++)
    {
      ssize_t n = recv (flow->source.fd, buffer, sizeof buffer, MSG_DONTWAIT);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno != EAGAIN) /* ECONNREFUSED: nobody listens there, or not any more */
        {
          flow->port->refused++;
          end (flow);
          return;
        }
      if (n < 0)
        return;
      flow->is_answered = true;
      flow->active_ns = flow->port->publisher->loop.now_ns;
      answer (flow, buffer, (size_t) n);
    }
}

/* What of a received message's control data says where it was sent to, in the form in which it
 * says where an answer comes from. */
static void
note_local (DnFlow *flow, struct msghdr *message)
{
  flow->local_bytes = 0;
  for (struct cmsghdr *at = CMSG_FIRSTHDR (message); at != NULL; at = CMSG_NXTHDR (message, at))
    {
      bool is_v4 = at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO;
      bool is_v6 = at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO;

      if ((!is_v4 && !is_v6) || at->cmsg_len > sizeof flow->local.bytes)
        continue;
      memcpy (flow->local.bytes, at, at->cmsg_len);
      if (is_v4)
        {
          struct in_pktinfo *info
              = (struct in_pktinfo *) (void *) CMSG_DATA (&flow->local.alignment);

          info->ipi_spec_dst = info->ipi_addr;
          info->ipi_ifindex = 0; /* by the routes, as any answer */
          flow->local_bytes = CMSG_SPACE (sizeof *info);
        }
      else /* with its interface, without which a link-local address means nothing */
        flow->local_bytes = CMSG_SPACE (sizeof (struct in6_pktinfo));
      return;
    }
}

static DnFlow *
start (DnPort *port, struct msghdr *message)
{
  DnPublisher *publisher = port->publisher;
  DnDialStock *dials = &publisher->dials[port->kind];
  DnFlow *flow;
  int fd;

  if ((port->now >= publisher->limits.port_flows_max
       || publisher->flow_count >= publisher->limits.flows_max)
      && !make_place (port))
    return NULL;
  fd = dn_dial_stock_take (dials, publisher->loop.now_ns);
  if (fd < 0)
    return NULL;
  flow = calloc (1, sizeof *flow);
  if (flow == NULL || connect (fd, &port->to.any, port->to_bytes) < 0)
    {
      dn_dial_stock_give (dials, fd, false, publisher->loop.now_ns);
      free (flow);
      return NULL;
    }
  flow->port = port;
  flow->source = (DnSource){ .fd = fd, .ready = take_answers, .data = flow };
  memcpy (&flow->client, message->msg_name, message->msg_namelen);
  flow->client_bytes = message->msg_namelen;
  note_local (flow, message);
  flow->next = port->flows[bucket_of (&flow->client)];
  port->flows[bucket_of (&flow->client)] = flow;
  port->now++;
  port->total++;
  publisher->flow_count++;
  (void) dn_loop_want (&publisher->loop, &flow->source, EPOLLIN);
  return flow;
}

/* Returns false where there is no more. */
static bool
take_one (DnPort *port)
{
  DnAddress client = { 0 };
  LocalAddress control;
  struct iovec vector = { .iov_base = buffer, .iov_len = sizeof buffer };
  struct msghdr message = { .msg_name = &client,
                            .msg_namelen = sizeof client,
                            .msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control };
  ssize_t n = recvmsg (port->source.fd, &message, MSG_DONTWAIT);
  DnFlow *flow;

  if (n < 0)
    return errno != EAGAIN; /* another one's error, an ICMP of a client that has gone */
  flow = find (port, &client);
  if (flow == NULL)
    flow = start (port, &message);
  if (flow == NULL)
    {
      port->refused++;
      return true;
    }
  flow->active_ns = port->publisher->loop.now_ns;
  if (send (flow->source.fd, buffer, (size_t) n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
    port->bytes_in += (uint64_t) n;
  return true;
}

void
dn_flow_take (DnPort *port)
{
  for (int i = 0; i < TURN_DATAGRAMS; i++)
    if (!take_one (port))
      return;
}

void
dn_flow_end_all (DnPort *port)
{
  for (uint32_t i = 0; i < DN_PORT_BUCKETS; i++)
    while (port->flows[i] != NULL)
      end (port->flows[i]);
}

void
dn_flow_expire (DnPort *port)
{
  const DnPublisher *publisher = port->publisher;

  for (uint32_t i = 0; port->flows != NULL && i < DN_PORT_BUCKETS; i++)
    for (DnFlow *flow = port->flows[i], *next; flow != NULL; flow = next)
      {
        uint64_t most_s
            = flow->is_answered ? publisher->limits.flow_s : publisher->limits.flow_new_s;

        next = flow->next;
        if (publisher->loop.now_ns - flow->active_ns > most_s * S_NS)
          end (flow);
      }
}
