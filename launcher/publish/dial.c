/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stale datagrams that are thrown away at once when a socket is used again. */
#define DRAIN_MAX 1024

DnDialKind
dn_dial_kind (bool is_udp, int family)
{
  return (DnDialKind) ((is_udp ? DN_DIAL_UDP4 : DN_DIAL_TCP4) + (family == 6 ? 1 : 0));
}

bool
dn_dial_kind_is_udp (DnDialKind kind)
{
  return kind == DN_DIAL_UDP4 || kind == DN_DIAL_UDP6;
}

uint8_t
dn_dial_kind_family (DnDialKind kind)
{
  return kind == DN_DIAL_TCP6 || kind == DN_DIAL_UDP6 ? 6 : 4;
}

int
dn_dial_stock_init (DnDialStock *stock, DnDialKind kind, uint32_t max)
{
  *stock = (DnDialStock){ .kind = kind, .max = max };
  stock->free_fds = calloc (max, sizeof *stock->free_fds);
  stock->cooling = calloc (max, sizeof *stock->cooling);
  return stock->free_fds == NULL || stock->cooling == NULL ? -ENOMEM : 0;
}

void
dn_dial_stock_clear (DnDialStock *stock)
{
  for (uint32_t i = 0; i < stock->free_count; i++)
    (void) close (stock->free_fds[i]);
  for (uint32_t i = 0; i < stock->cooling_count; i++)
    (void) close (stock->cooling[i].fd);
  free (stock->free_fds);
  free (stock->cooling);
  *stock = (DnDialStock){ .kind = stock->kind };
}

void
dn_dial_stock_add (DnDialStock *stock, int fd)
{
  socklen_t size = sizeof stock->device;

  stock->asked -= stock->asked > 0;
  if (stock->count >= stock->max)
    {
      (void) close (fd);
      return;
    }
  if (stock->count == 0)
    {
      memset (stock->device, 0, sizeof stock->device);
      if (getsockopt (fd, SOL_SOCKET, SO_BINDTODEVICE, stock->device, &size) < 0)
        stock->device[0] = '\0';
    }
  stock->free_fds[stock->free_count++] = fd;
  stock->count++;
}

static void
lose (DnDialStock *stock, int fd)
{
  (void) close (fd);
  stock->count--;
}

int
dn_dial_disconnect (int fd)
{
  const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

  return connect (fd, &nowhere, sizeof nowhere) < 0 ? -errno : 0;
}

/* Late answers to the flow before: nobody else's.  And the device, which UDP forgets. */
static int
renew_udp (const DnDialStock *stock, int fd)
{
  char byte;

  for (int i = 0; i < DRAIN_MAX; i++)
    if (recv (fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno == EAGAIN)
      break;
  if (stock->device[0] == '\0')
    return 0;
  return setsockopt (fd, SOL_SOCKET, SO_BINDTODEVICE, stock->device,
                     (socklen_t) strnlen (stock->device, sizeof stock->device))
                 < 0
             ? -errno
             : 0;
}

static void
make_free (DnDialStock *stock, int fd)
{
  int r = dn_dial_disconnect (fd);

  if (r == 0 && dn_dial_kind_is_udp (stock->kind))
    r = renew_udp (stock, fd);
  if (r < 0)
    lose (stock, fd);
  else
    stock->free_fds[stock->free_count++] = fd;
}

/* Whether the kernel has nothing more to do for it. */
static bool
has_cooled (int fd)
{
  uint8_t state = 0; /* tcp_info begins with it */
  socklen_t size = sizeof state;

  return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &state, &size) < 0 || state == TCP_CLOSE;
}

static void
cool_down (DnDialStock *stock, uint64_t now_ns)
{
  for (uint32_t i = stock->cooling_count; i-- > 0;)
    {
      DnCoolingDial *dial = &stock->cooling[i];
      int fd = dial->fd;

      if (now_ns < dial->until_ns && !has_cooled (fd))
        continue;
      *dial = stock->cooling[--stock->cooling_count];
      make_free (stock, fd);
    }
}

int
dn_dial_stock_take (DnDialStock *stock, uint64_t now_ns)
{
  if (stock->free_count == 0)
    cool_down (stock, now_ns);
  if (stock->free_count == 0)
    {
      stock->is_wanted = true;
      return -1;
    }
  return stock->free_fds[--stock->free_count];
}

void
dn_dial_stock_give (DnDialStock *stock, int fd, bool is_over, uint64_t now_ns)
{
  if (is_over && !dn_dial_kind_is_udp (stock->kind) && !has_cooled (fd))
    stock->cooling[stock->cooling_count++]
        = (DnCoolingDial){ .fd = fd, .until_ns = now_ns + DN_DIAL_COOLING_MAX_NS };
  else
    make_free (stock, fd);
}

uint32_t
dn_dial_stock_ask (DnDialStock *stock, uint64_t now_ns)
{
  uint32_t room = stock->max - stock->count;

  if (stock->asked > 0 && now_ns - stock->asked_ns < DN_DIAL_ASK_AGAIN_NS)
    return 0;
  stock->asked = 0;
  if (room == 0 || stock->free_count >= DN_DIAL_LOW)
    return 0;
  stock->asked = room < DN_DIAL_KEPT ? room : DN_DIAL_KEPT;
  stock->asked_ns = now_ns;
  return stock->asked;
}

void
dn_dial_stock_forget_asked (DnDialStock *stock)
{
  stock->asked = 0;
}

void
dn_dial_stock_tidy (DnDialStock *stock, uint64_t now_ns)
{
  cool_down (stock, now_ns);
  /* An eighth at a time: a load that comes and goes in waves finds most of them still there. */
  for (uint32_t surplus
       = stock->free_count > DN_DIAL_KEPT ? (stock->free_count - DN_DIAL_KEPT + 7) / 8 : 0;
       surplus > 0; surplus--)
    lose (stock, stock->free_fds[--stock->free_count]);
}
