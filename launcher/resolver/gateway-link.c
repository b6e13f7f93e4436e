/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway-link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../protocol/pack.h"
#include "../confined/say.h"
#include "ask.h"
#include "control.h"

#define ANSWER_BYTES 4

static DnGatewayWish *
wish_at (DnGatewayLink *link, size_t index)
{
  return &link->wishes[(link->first + index) % DN_RESOLVER_ORDERS_MAX];
}

/* The ask that a wish is of, or NULL. */
static DnAsk *
ask_of (DnResolver *resolver, const DnGatewayWish *wish)
{
  DnAsk *ask = &resolver->asks[wish->ask];

  return ask->serial == wish->serial && ask->state != DN_ASK_FREE ? ask : NULL;
}

static unsigned
list_count (DnLists lists)
{
  return (unsigned) __builtin_popcount (lists);
}

/* The number of the @index'th list that is set, from 1. */
static uint8_t
list_at (DnLists lists, unsigned index)
{
  for (uint8_t i = 0; i < DN_NETWORK_LISTS_MAX; i++)
    if ((lists & 1u << i) != 0 && index-- == 0)
      return (uint8_t) (i + 1);
  return 0;
}

/* A pin has to be there longer than the guest, or our cache, may take the answer for good. */
static uint32_t
pin_ttl (const DnReply *reply)
{
  return reply->ttl_s + DN_GATEWAY_PIN_TTL_MIN_S;
}

/* Only public addresses are pinned: a private one that passed is opened by a rule of its own. */
static size_t
collect_pins (const DnAsk *ask, size_t first, DnGatewayPin *pins)
{
  size_t number = 0, count = 0;

  for (size_t i = 0; i < ask->reply.address_count; i++)
    for (unsigned j = 0; j < list_count (ask->lists); j++)
      {
        const DnAnswerAddress *address = &ask->reply.addresses[i];

        if (!dn_address_is_public (address->family, address->address))
          continue;
        if (number++ < first || count == DN_GATEWAY_PINS_MAX)
          continue;
        pins[count] = (DnGatewayPin){ .family = address->family,
                                      .list = list_at (ask->lists, j),
                                      .ttl_s = pin_ttl (&ask->reply) };
        memcpy (pins[count++].address, address->address, sizeof address->address);
      }
  return count;
}

static size_t
count_pins (const DnAsk *ask)
{
  size_t addresses = 0;

  for (size_t i = 0; i < ask->reply.address_count; i++)
    addresses
        += dn_address_is_public (ask->reply.addresses[i].family, ask->reply.addresses[i].address);
  return addresses * list_count (ask->lists);
}

static ssize_t
send_wish (DnResolver *resolver, const DnGatewayWish *wish)
{
  uint8_t bytes[DN_GATEWAY_PINS_MAX * DN_GATEWAY_PIN_BYTES];
  DnGatewayPin pins[DN_GATEWAY_PINS_MAX];
  const DnAsk *ask = &resolver->asks[wish->ask];
  size_t size = DN_GATEWAY_DIAL_BYTES;

  if (wish->is_dial)
    dn_gateway_dial_pack (&(DnGatewayDial){ .server = ask->server, .is_tcp = ask->is_tcp }, bytes);
  else
    size = dn_gateway_pins_pack (pins, collect_pins (ask, wish->first_pin, pins), bytes);
  return send (resolver->gateway.socket.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
forget_first (DnGatewayLink *link)
{
  link->first = (link->first + 1) % DN_RESOLVER_ORDERS_MAX;
  link->count--;
}

/* Takes a wish out of those that wait, wherever it stands there. */
static void
forget_waiting (DnGatewayLink *link)
{
  for (size_t i = link->under_way; i + 1 < link->count; i++)
    *wish_at (link, i) = *wish_at (link, i + 1);
  link->count--;
}

static void
lose (DnResolver *resolver)
{
  dn_gateway_link_set (resolver, -1);
  dn_control_want_gateway (resolver);
}

static void
send_more (DnResolver *resolver)
{
  DnGatewayLink *link = &resolver->gateway;
  bool is_full = false;

  while (!is_full && link->under_way < link->count
         && link->under_way < DN_GATEWAY_PIN_OUTSTANDING_MAX)
    {
      const DnGatewayWish *wish = wish_at (link, link->under_way);

      if (ask_of (resolver, wish) == NULL)
        forget_waiting (link);
      else if (send_wish (resolver, wish) >= 0)
        link->under_way++;
      else if (errno == EAGAIN || errno == EINTR)
        is_full = true;
      else
        {
          lose (resolver);
          return;
        }
    }
  (void) dn_loop_want (&resolver->loop, &link->socket, EPOLLIN | (is_full ? EPOLLOUT : 0));
}

static void
tell (DnResolver *resolver, const DnGatewayWish *wish, int result, int fd)
{
  DnAsk *ask = ask_of (resolver, wish);

  if (ask != NULL && wish->is_dial && ask->state == DN_ASK_DIALING)
    {
      dn_ask_dialled (resolver, ask, result, fd);
      return;
    }
  if (fd >= 0)
    (void) close (fd);
  if (ask != NULL && !wish->is_dial && ask->state == DN_ASK_PINNING)
    dn_ask_pinned (resolver, ask, result);
}

static void
link_ready (void *data, uint32_t events)
{
  DnResolver *resolver = data;
  DnGatewayLink *link = &resolver->gateway;

  while ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && link->socket.fd >= 0)
    {
      uint8_t bytes[ANSWER_BYTES + 1];
      DnFdList fds = DN_FD_LIST_INIT;
      ssize_t n = dn_fdpass_receive (link->socket.fd, bytes, sizeof bytes, &fds);
      DnUnpacker unpacker = { .bytes = bytes, .size = n > 0 ? (size_t) n : 0 };
      DnGatewayWish wish;
      int result, fd = -1;

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        break;
      if (n != ANSWER_BYTES || link->under_way == 0)
        {
          dn_fd_list_clear (&fds);
          dn_say ("gateway: %s", n <= 0 ? "went away" : "sent what is no answer");
          lose (resolver);
          return;
        }
      result = (int32_t) dn_unpack_u32 (&unpacker);
      wish = *wish_at (link, 0);
      forget_first (link);
      link->under_way--;
      if (fds.count == 1)
        {
          fd = fds.fds[0];
          fds.count = 0;
        }
      dn_fd_list_clear (&fds);
      if (result == 0 && wish.is_dial && fd < 0)
        result = -EPROTO;
      tell (resolver, &wish, result, fd);
    }
  if (link->socket.fd >= 0)
    send_more (resolver);
}

void
dn_gateway_link_set (DnResolver *resolver, int fd)
{
  DnGatewayLink *link = &resolver->gateway;

  dn_loop_close (&resolver->loop, &link->socket);
  /* Each is told once; what they wish for now is told that there is no link. */
  while (link->count > 0)
    {
      DnGatewayWish wish = *wish_at (link, 0);

      forget_first (link);
      tell (resolver, &wish, -ENOTCONN, -1);
    }
  link->under_way = 0;
  link->socket = (DnSource){ .fd = fd, .ready = link_ready, .data = resolver };
  if (fd < 0)
    return;
  dn_resolver_unblock (fd);
  (void) dn_loop_want (&resolver->loop, &link->socket, EPOLLIN);
}

void
dn_gateway_link_clear (DnResolver *resolver)
{
  dn_loop_close (&resolver->loop, &resolver->gateway.socket);
  resolver->gateway.count = resolver->gateway.under_way = 0;
}

static int
add_wish (DnResolver *resolver, DnAsk *ask, bool is_dial, size_t first_pin)
{
  DnGatewayLink *link = &resolver->gateway;

  if (link->socket.fd < 0)
    return -ENOTCONN;
  if (link->count == DN_RESOLVER_ORDERS_MAX)
    return -ENOSPC;
  *wish_at (link, link->count++) = (DnGatewayWish){ .is_dial = is_dial,
                                                    .ask = (unsigned) (ask - resolver->asks),
                                                    .serial = ask->serial,
                                                    .first_pin = first_pin };
  return 0;
}

int
dn_gateway_link_dial (DnResolver *resolver, DnAsk *ask)
{
  int r = add_wish (resolver, ask, true, 0);

  if (r == 0)
    send_more (resolver);
  return r;
}

int
dn_gateway_link_pin (DnResolver *resolver, DnAsk *ask)
{
  size_t count = count_pins (ask);
  int r = 0;

  ask->pins = 0;
  for (size_t first = 0; r == 0 && first < count; first += DN_GATEWAY_PINS_MAX)
    {
      r = add_wish (resolver, ask, false, first);
      ask->pins += r == 0;
    }
  if (r < 0)
    return r;
  resolver->counts.pinned += count;
  if (count > 0)
    send_more (resolver);
  return 0;
}
