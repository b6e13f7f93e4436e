/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache.h"
#include "gateway-link.h"
#include "server.h"

#define ANSWERS_A_TURN 4 /* datagrams of one socket, so that a forger holds up nobody else */

static void try_again (DnResolver *resolver, DnAsk *ask);

/* Lets go of the server's socket. */
static void
hang_up (DnResolver *resolver, DnAsk *ask)
{
  dn_loop_close (&resolver->loop, &ask->socket);
  free (ask->buffer);
  ask->buffer = NULL;
  ask->wanted = ask->have = 0;
}

static void
finish (DnResolver *resolver, DnAsk *ask)
{
  hang_up (resolver, ask);
  dn_loop_remove_timer (&resolver->loop, &ask->timer);
  dn_reply_clear (&ask->reply);
  ask->state = DN_ASK_FREE;
}

static void
fail (DnResolver *resolver, DnAsk *ask)
{
  DnReply reply = DN_REPLY_INIT;

  reply.rcode = LDNS_RCODE_SERVFAIL;
  reply.ede = DN_EDE_NO_SERVER;
  resolver->counts.failed++;
  dn_server_answer (resolver, &ask->origin, &ask->query, &reply, 0);
  finish (resolver, ask);
}

/* The reply is whole, and what it names can be reached. */
static void
succeed (DnResolver *resolver, DnAsk *ask)
{
  dn_server_answer (resolver, &ask->origin, &ask->query, &ask->reply, 0);
  dn_cache_keep (resolver, &ask->query, &ask->reply);
  finish (resolver, ask);
}

static void
pin (DnResolver *resolver, DnAsk *ask)
{
  hang_up (resolver, ask);
  resolver->counts.rebound += ask->reply.rebound;
  ask->state = DN_ASK_PINNING;
  if (dn_gateway_link_pin (resolver, ask) < 0)
    fail (resolver, ask);
  else if (ask->state == DN_ASK_PINNING && ask->pins == 0)
    succeed (resolver, ask);
}

void
dn_ask_pinned (DnResolver *resolver, DnAsk *ask, int result)
{
  ask->has_failed = ask->has_failed || result < 0;
  if (--ask->pins > 0)
    return;
  if (ask->has_failed)
    fail (resolver, ask);
  else
    succeed (resolver, ask);
}

static void
fire (void *data)
{
  DnAsk *ask = data;
  DnResolver *resolver = ask->resolver;

  if (ask->state == DN_ASK_PINNING || resolver->loop.now_ns >= ask->deadline_ns)
    fail (resolver, ask);
  else
    {
      ask->server = (uint8_t) ((ask->server + 1) % resolver->table->server_count);
      try_again (resolver, ask);
    }
}

/* Another server, or the same in another way, as it is set in @ask. */
static void
try_again (DnResolver *resolver, DnAsk *ask)
{
  uint64_t left_ns;

  hang_up (resolver, ask);
  if (++ask->tries > DN_RESOLVER_TRIES_MAX || resolver->loop.now_ns >= ask->deadline_ns)
    {
      fail (resolver, ask);
      return;
    }
  left_ns = ask->deadline_ns - resolver->loop.now_ns;
  ask->state = DN_ASK_DIALING;
  dn_loop_set_timer (&resolver->loop, &ask->timer,
                     left_ns < DN_RESOLVER_TRY_NS ? left_ns : DN_RESOLVER_TRY_NS);
  if (dn_gateway_link_dial (resolver, ask) < 0)
    fail (resolver, ask);
}

/* The server said something that is no use. */
static void
try_next_server (DnResolver *resolver, DnAsk *ask)
{
  ask->server = (uint8_t) ((ask->server + 1) % resolver->table->server_count);
  ask->is_tcp = ask->is_old = false;
  try_again (resolver, ask);
}

/* Returns whether the waiting for this try is over. */
static bool
take_answer (DnResolver *resolver, DnAsk *ask, const uint8_t *bytes, size_t size)
{
  DnAnswerKind kind
      = dn_answer_read (resolver->table, &ask->query, ask->id, bytes, size, &ask->reply);

  switch (kind)
    {
    case DN_ANSWER_GOOD:
      pin (resolver, ask);
      return true;
    case DN_ANSWER_FOREIGN:
      if (ask->is_tcp)
        try_next_server (resolver, ask);
      return ask->is_tcp;
    case DN_ANSWER_CUT:
    case DN_ANSWER_OLD:
      if (kind == DN_ANSWER_CUT ? ask->is_tcp : ask->is_old)
        try_next_server (resolver, ask);
      else
        {
          *(kind == DN_ANSWER_CUT ? &ask->is_tcp : &ask->is_old) = true;
          try_again (resolver, ask);
        }
      return true;
    case DN_ANSWER_FAILED:
      try_next_server (resolver, ask);
      return true;
    }
  return true;
}

static void
receive_datagrams (DnResolver *resolver, DnAsk *ask)
{
  static uint8_t bytes[DN_DNS_ANSWER_MAX_BYTES + 1];
  bool is_over = false;

  for (int i = 0; i < ANSWERS_A_TURN && !is_over; i++)
    {
      ssize_t n = recv (ask->socket.fd, bytes, sizeof bytes, MSG_DONTWAIT);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
      /* ECONNREFUSED: there is no server at its port. */
      if (n < 0)
        {
          try_next_server (resolver, ask);
          return;
        }
      is_over = take_answer (resolver, ask, bytes, (size_t) n);
    }
}

static void
send_stream (DnResolver *resolver, DnAsk *ask)
{
  ssize_t n = send (ask->socket.fd, ask->buffer + ask->have, ask->wanted - ask->have,
                    MSG_DONTWAIT | MSG_NOSIGNAL);

  /* ENOTCONN: it is connecting still. */
  if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
    return;
  if (n < 0)
    {
      try_next_server (resolver, ask);
      return;
    }
  ask->have += (size_t) n;
  if (ask->have < ask->wanted)
    return;
  /* From here on the buffer is the answer's: its length first. */
  ask->state = DN_ASK_WAITING;
  ask->have = 0;
  ask->wanted = 2;
  (void) dn_loop_want (&resolver->loop, &ask->socket, EPOLLIN);
}

static void
receive_stream (DnResolver *resolver, DnAsk *ask)
{
  ssize_t n = recv (ask->socket.fd, ask->buffer + ask->have, ask->wanted - ask->have, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      try_next_server (resolver, ask);
      return;
    }
  ask->have += (size_t) n;
  if (ask->have < ask->wanted)
    return;
  if (ask->wanted > 2)
    {
      (void) take_answer (resolver, ask, ask->buffer + 2, ask->wanted - 2);
      return;
    }
  ask->wanted = 2u + (size_t) (ask->buffer[0] << 8 | ask->buffer[1]);
  if (ask->wanted == 2 || ask->wanted > 2 + DN_DNS_ANSWER_MAX_BYTES)
    try_next_server (resolver, ask);
}

static void
socket_ready (void *data, uint32_t events)
{
  DnAsk *ask = data;
  DnResolver *resolver = ask->resolver;

  (void) events;
  if (ask->state == DN_ASK_SENDING)
    send_stream (resolver, ask);
  else if (ask->state == DN_ASK_WAITING && ask->is_tcp)
    receive_stream (resolver, ask);
  else if (ask->state == DN_ASK_WAITING)
    receive_datagrams (resolver, ask);
}

/* Returns 0 or -errno. */
static int
send_query (DnResolver *resolver, DnAsk *ask)
{
  uint8_t bytes[DN_DNS_QUERY_MAX_BYTES];
  int size;

  if (getrandom (&ask->id, sizeof ask->id, 0) != sizeof ask->id)
    return -EIO;
  size = dn_query_pack (&ask->query, ask->id, !ask->is_old, bytes);
  if (size < 0)
    return size;
  if (!ask->is_tcp)
    {
      ask->state = DN_ASK_WAITING;
      if (send (ask->socket.fd, bytes, (size_t) size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
      return dn_loop_want (&resolver->loop, &ask->socket, EPOLLIN);
    }
  ask->buffer = malloc (2 + DN_DNS_ANSWER_MAX_BYTES);
  if (ask->buffer == NULL)
    return -ENOMEM;
  ask->buffer[0] = (uint8_t) (size >> 8);
  ask->buffer[1] = (uint8_t) size;
  memcpy (ask->buffer + 2, bytes, (size_t) size);
  ask->wanted = 2 + (size_t) size;
  ask->have = 0;
  ask->state = DN_ASK_SENDING;
  return dn_loop_want (&resolver->loop, &ask->socket, EPOLLOUT);
}

void
dn_ask_dialled (DnResolver *resolver, DnAsk *ask, int result, int fd)
{
  if (result < 0)
    {
      if (fd >= 0)
        (void) close (fd);
      if (result == -ENOTCONN)
        fail (resolver, ask); /* there is no gateway to ask once more */
      else
        try_next_server (resolver, ask);
      return;
    }
  dn_resolver_unblock (fd);
  ask->socket = (DnSource){ .fd = fd, .ready = socket_ready, .data = ask };
  resolver->counts.asked++;
  if (send_query (resolver, ask) < 0)
    try_next_server (resolver, ask);
}

static DnAsk *
find_free (DnResolver *resolver)
{
  for (size_t i = 0; i < DN_RESOLVER_ASKS_MAX; i++)
    if (resolver->asks[i].state == DN_ASK_FREE)
      return &resolver->asks[i];
  return NULL;
}

void
dn_ask_begin (DnResolver *resolver, const DnQuery *query, DnLists lists, const DnOrigin *origin)
{
  DnAsk *ask = find_free (resolver);

  if (ask == NULL || !dn_bucket_take (&resolver->asked, 1, resolver->loop.now_ns))
    {
      resolver->counts.dropped++;
      dn_server_give_up (resolver, origin);
      return;
    }
  *ask = (DnAsk){ .state = DN_ASK_DIALING,
                  .resolver = resolver,
                  .serial = ++resolver->serials,
                  .query = *query,
                  .lists = lists,
                  .origin = *origin,
                  .socket = { .fd = -1 },
                  .reply = DN_REPLY_INIT,
                  .deadline_ns = resolver->loop.now_ns + DN_RESOLVER_QUERY_NS };
  ask->timer = (DnTimer){ .fire = fire, .data = ask };
  dn_loop_add_timer (&resolver->loop, &ask->timer);
  if (resolver->table->server_count == 0)
    fail (resolver, ask);
  else
    try_again (resolver, ask);
}

void
dn_ask_clear_all (DnResolver *resolver)
{
  for (size_t i = 0; i < DN_RESOLVER_ASKS_MAX; i++)
    if (resolver->asks[i].state != DN_ASK_FREE)
      {
        dn_server_give_up (resolver, &resolver->asks[i].origin);
        finish (resolver, &resolver->asks[i]);
      }
}
