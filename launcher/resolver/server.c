/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "cache.h"

#define DATAGRAMS_A_TURN 32
#define MESSAGE_MAX_BYTES 65535

static void
drop_client (DnResolver *resolver, DnClient *client)
{
  dn_loop_close (&resolver->loop, &client->socket);
  dn_loop_remove_timer (&resolver->loop, &client->idle);
  free (client->out);
  *client = (DnClient){ .resolver = resolver, .socket = { .fd = -1 } };
}

/* The client that a connection's query came from, or NULL: it is gone. */
static DnClient *
client_of (DnResolver *resolver, const DnOrigin *origin)
{
  DnClient *client = origin->listener < 0 ? &resolver->clients[origin->client] : NULL;

  return client != NULL && client->socket.fd >= 0 && client->serial == origin->serial ? client
                                                                                      : NULL;
}

/* Whether a query waits in what was read; or what can be none, which is as good as one to look at.
 */
static bool
has_query (const DnClient *client)
{
  size_t size = (size_t) (client->in[0] << 8 | client->in[1]);

  return client->in_bytes >= 2
         && (client->in_bytes >= 2 + size || size < DN_DNS_HEADER_BYTES
             || size > DN_DNS_QUERY_MAX_BYTES);
}

static void
flush_client (DnResolver *resolver, DnClient *client)
{
  ssize_t n = send (client->socket.fd, client->out + client->out_sent,
                    client->out_bytes - client->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

  if (n < 0 && errno != EAGAIN && errno != EINTR)
    {
      drop_client (resolver, client);
      return;
    }
  client->out_sent += n > 0 ? (size_t) n : 0;
  if (client->out_sent < client->out_bytes)
    {
      (void) dn_loop_want (&resolver->loop, &client->socket, EPOLLOUT);
      return;
    }
  free (client->out);
  client->out = NULL;
  client->is_busy = false;
  dn_loop_set_timer (&resolver->loop, &client->idle, DN_RESOLVER_CLIENT_IDLE_NS);
  /* A query that came with this one is next: in a turn of its own, which EPOLLOUT brings. */
  (void) dn_loop_want (&resolver->loop, &client->socket,
                       has_query (client) ? EPOLLOUT : EPOLLIN | EPOLLRDHUP);
}

/* @bytes have room for the length in front. */
static void
send_to_client (DnResolver *resolver, DnClient *client, uint8_t *bytes, size_t size)
{
  bytes[0] = (uint8_t) (size >> 8);
  bytes[1] = (uint8_t) size;
  client->out = malloc (size + 2);
  if (client->out == NULL)
    {
      drop_client (resolver, client);
      return;
    }
  memcpy (client->out, bytes, size + 2);
  client->out_bytes = size + 2;
  client->out_sent = 0;
  flush_client (resolver, client);
}

void
dn_server_answer (DnResolver *resolver, const DnOrigin *origin, const DnQuery *query,
                  const DnReply *reply, uint32_t age_s)
{
  static uint8_t bytes[2 + MESSAGE_MAX_BYTES];
  DnClient *client = client_of (resolver, origin);
  size_t limit = origin->listener >= 0 ? query->udp_bytes : MESSAGE_MAX_BYTES;
  int size;

  if (origin->listener < 0 && client == NULL)
    return;
  size = dn_reply_pack (query, reply, age_s, limit, bytes + 2);
  if (size < 0)
    {
      dn_server_give_up (resolver, origin);
      return;
    }
  if (client != NULL)
    send_to_client (resolver, client, bytes, (size_t) size);
  else if (resolver->datagrams[origin->listener].fd >= 0)
    /* Not taken now: the guest asks again, as it does when a datagram is lost. */
    (void) !sendto (resolver->datagrams[origin->listener].fd, bytes + 2, (size_t) size,
                    MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *) &origin->peer,
                    origin->peer_size);
}

void
dn_server_give_up (DnResolver *resolver, const DnOrigin *origin)
{
  DnClient *client = client_of (resolver, origin);

  if (client != NULL)
    drop_client (resolver, client);
}

static void
answer_code (DnResolver *resolver, const DnOrigin *origin, const DnQuery *query, uint8_t rcode)
{
  DnReply reply = DN_REPLY_INIT;

  reply.rcode = rcode;
  dn_server_answer (resolver, origin, query, &reply, 0);
}

static void
serve (DnResolver *resolver, const DnOrigin *origin, const uint8_t *bytes, size_t size)
{
  const DnReply *cached;
  DnReply reply;
  DnQuery query;
  DnLists lists;
  uint32_t age_s;
  int rcode;

  resolver->counts.queries++;
  rcode = dn_bucket_take (&resolver->queries, 1, resolver->loop.now_ns)
              ? dn_query_parse (bytes, size, &query)
              : -EAGAIN;
  if (rcode < 0)
    {
      resolver->counts.dropped++;
      dn_server_give_up (resolver, origin);
    }
  else if (rcode != LDNS_RCODE_NOERROR)
    answer_code (resolver, origin, &query, (uint8_t) rcode);
  else if (dn_reply_make (resolver->table, &query, &reply, &lists))
    {
      resolver->counts.refused += reply.ede == DN_EDE_PROHIBITED;
      dn_server_answer (resolver, origin, &query, &reply, 0);
      dn_reply_clear (&reply);
    }
  else if ((cached = dn_cache_find (resolver, &query, &age_s)) != NULL)
    dn_server_answer (resolver, origin, &query, cached, age_s);
  else
    dn_ask_begin (resolver, &query, lists, origin);
}

static void
datagrams_ready (void *data, uint32_t events)
{
  static uint8_t bytes[DN_DNS_QUERY_MAX_BYTES + 1];
  DnResolver *resolver = data;

  (void) events;
  /* One handler for both: whichever is not ready says so at once. */
  for (int which = 0; which < 2; which++)
    for (int i = 0; i < DATAGRAMS_A_TURN && resolver->datagrams[which].fd >= 0; i++)
      {
        DnOrigin origin = { .listener = which, .peer_size = sizeof origin.peer };
        ssize_t n = recvfrom (resolver->datagrams[which].fd, bytes, sizeof bytes, MSG_DONTWAIT,
                              (struct sockaddr *) &origin.peer, &origin.peer_size);

        if (n < 0)
          break;
        serve (resolver, &origin, bytes, (size_t) n);
      }
}

/* The first query of what has come. */
static void
serve_client (DnResolver *resolver, DnClient *client)
{
  size_t size = (size_t) (client->in[0] << 8 | client->in[1]);
  uint8_t bytes[DN_DNS_QUERY_MAX_BYTES];
  DnOrigin origin = { .listener = -1,
                      .client = (unsigned) (client - resolver->clients),
                      .serial = client->serial };

  if (size < DN_DNS_HEADER_BYTES || size > DN_DNS_QUERY_MAX_BYTES)
    {
      drop_client (resolver, client);
      return;
    }
  memcpy (bytes, client->in + 2, size);
  client->in_bytes -= 2 + size;
  memmove (client->in, client->in + 2 + size, client->in_bytes);
  client->is_busy = true;
  /* Nothing is read until this one is answered. */
  (void) dn_loop_want (&resolver->loop, &client->socket, DN_LOOP_HANGUP);
  serve (resolver, &origin, bytes, size);
}

static void
read_client (DnResolver *resolver, DnClient *client)
{
  ssize_t n = recv (client->socket.fd, client->in + client->in_bytes,
                    sizeof client->in - client->in_bytes, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    drop_client (resolver, client);
  else
    client->in_bytes += (size_t) n;
}

static void
client_ready (void *data, uint32_t events)
{
  DnClient *client = data;
  DnResolver *resolver = client->resolver;

  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    drop_client (resolver, client);
  else if (client->out != NULL)
    flush_client (resolver, client);
  else if (!has_query (client))
    read_client (resolver, client);
  if (client->socket.fd >= 0 && !client->is_busy && has_query (client))
    serve_client (resolver, client);
}

static void
idle_fired (void *data)
{
  DnClient *client = data;

  drop_client (client->resolver, client);
}

/* A place for a new one; the longest idle one's where all are in use. */
static DnClient *
find_place (DnResolver *resolver)
{
  DnClient *oldest = NULL;

  for (size_t i = 0; i < DN_RESOLVER_CLIENTS_MAX; i++)
    {
      DnClient *client = &resolver->clients[i];

      if (client->socket.fd < 0)
        return client;
      if (oldest == NULL || client->idle.deadline_ns < oldest->idle.deadline_ns)
        oldest = client;
    }
  drop_client (resolver, oldest);
  return oldest;
}

static void
accept_client (DnResolver *resolver, DnSource *listener)
{
  int fd = accept4 (listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  DnClient *client;

  if (fd < 0)
    return;
  client = find_place (resolver);
  client->serial = ++resolver->serials;
  client->socket = (DnSource){ .fd = fd, .ready = client_ready, .data = client };
  client->idle = (DnTimer){ .fire = idle_fired, .data = client };
  dn_loop_add_timer (&resolver->loop, &client->idle);
  dn_loop_set_timer (&resolver->loop, &client->idle, DN_RESOLVER_CLIENT_IDLE_NS);
  (void) dn_loop_want (&resolver->loop, &client->socket, EPOLLIN | EPOLLRDHUP);
}

static void
connections_ready (void *data, uint32_t events)
{
  DnResolver *resolver = data;

  (void) events;
  for (int which = 0; which < 2; which++)
    if (resolver->connections[which].fd >= 0)
      accept_client (resolver, &resolver->connections[which]);
}

static int
listen_on (DnResolver *resolver, DnSource *source, int fd, void (*ready) (void *, uint32_t))
{
  *source = (DnSource){ .fd = fd, .ready = ready, .data = resolver };
  if (fd >= 0)
    dn_resolver_unblock (fd);
  return fd >= 0 ? dn_loop_want (&resolver->loop, source, EPOLLIN) : 0;
}

int
dn_server_init (DnResolver *resolver, const int datagram_fds[2], const int connection_fds[2])
{
  int r = 0;

  for (size_t i = 0; i < DN_RESOLVER_CLIENTS_MAX; i++)
    resolver->clients[i] = (DnClient){ .resolver = resolver, .socket = { .fd = -1 } };
  for (int i = 0; i < 2; i++)
    {
      int first = listen_on (resolver, &resolver->datagrams[i], datagram_fds[i], datagrams_ready);
      int second
          = listen_on (resolver, &resolver->connections[i], connection_fds[i], connections_ready);

      r = r < 0 ? r : first < 0 ? first : second;
    }
  return r;
}

void
dn_server_clear (DnResolver *resolver)
{
  for (size_t i = 0; i < DN_RESOLVER_CLIENTS_MAX; i++)
    if (resolver->clients[i].socket.fd >= 0)
      drop_client (resolver, &resolver->clients[i]);
  for (int i = 0; i < 2; i++)
    {
      dn_loop_close (&resolver->loop, &resolver->datagrams[i]);
      dn_loop_close (&resolver->loop, &resolver->connections[i]);
    }
}
