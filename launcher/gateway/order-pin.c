/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver's pins.  It is a process of the guest's own uid that reads what strangers answer, so
 * all it says is checked here as if the guest had said it: the set it writes to is of its own tap,
 * an address is public, an end comes by itself, and there are so many a second and in all. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/pack.h"
#include "../base/gateway-pin.h"
#include "../base/public-address.h"
#include "orders.h"
#include "rules.h"

/* What nftables.so takes for one message is about a millisecond. */
#define MESSAGES_A_SECOND 50
#define MESSAGES_AT_ONCE 100
/* libnftables keeps some memory of each transaction. */
#define MESSAGES_OF_A_CONTEXT 1000

typedef struct
{
  double tokens;
  double filled_s; /* CLOCK_MONOTONIC */
  double a_second;
  double at_once;
} Bucket;

typedef struct
{
  DnNetwork *network;
  const DnGatewayResolver *resolver;
  Bucket pins;
  Bucket dials;
  unsigned messages;
} Pinning;

static double
now_s (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

static bool
take_token (Bucket *bucket)
{
  double now = now_s ();

  bucket->tokens += (now - bucket->filled_s) * bucket->a_second;
  bucket->filled_s = now;
  if (bucket->tokens > bucket->at_once)
    bucket->tokens = bucket->at_once;
  if (bucket->tokens < 1)
    return false;
  bucket->tokens -= 1;
  return true;
}

static uint32_t
bound_ttl (uint32_t ttl_s)
{
  if (ttl_s < DN_GATEWAY_PIN_TTL_MIN_S)
    return DN_GATEWAY_PIN_TTL_MIN_S;
  return ttl_s < DN_GATEWAY_PIN_TTL_MAX_S ? ttl_s : DN_GATEWAY_PIN_TTL_MAX_S;
}

static int
pin (Pinning *pinning, const uint8_t *bytes, size_t size)
{
  DnGatewayPin pins[DN_GATEWAY_PINS_MAX];
  DnGatewayAnswer *ignored;
  int count = dn_gateway_pins_unpack (bytes, size, pins), r;

  if (count < 0)
    return count;
  if (!take_token (&pinning->pins))
    return -EAGAIN;
  for (int i = 0; i < count; i++)
    if (pins[i].list > DN_GATEWAY_LISTS_MAX
        || !dn_address_is_public (pins[i].family, pins[i].address))
      return -EACCES;
  for (int i = 0; i < count; i++)
    dn_rules_write_pin (pinning->network->nft.text, pinning->resolver->slot, pins[i].family,
                        pins[i].list, pins[i].address, bound_ttl (pins[i].ttl_s));
  ignored = calloc (1, sizeof *ignored);
  r = ignored == NULL ? -ENOMEM : dn_nft_commit (&pinning->network->nft, NULL, ignored);
  free (ignored);
  if (++pinning->messages % MESSAGES_OF_A_CONTEXT == 0)
    {
      DnGatewayAnswer *answer = calloc (1, sizeof *answer);

      dn_nft_clear (&pinning->network->nft);
      if (answer == NULL || dn_nft_init (&pinning->network->nft, answer) < 0)
        _exit (EXIT_FAILURE);
      free (answer);
    }
  /* The set is full, or there is none of that number. */
  return r == 0 ? 0 : -ENOSPC;
}

/* A socket to one of the order's servers, which can speak to no other: its mark says so to the
 * rules.  Returns: a descriptor, or -errno */
static int
dial (Pinning *pinning, const uint8_t *bytes, size_t size)
{
  union
  {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
  } address = { .six = { .sin6_family = AF_UNSPEC } };
  const DnNetworkEnd *server;
  DnGatewayDial wish;
  int fd, r = dn_gateway_dial_unpack (bytes, size, &wish);

  if (r < 0)
    return r;
  if (wish.server >= pinning->resolver->server_count)
    return -EPERM;
  if (!take_token (&pinning->dials))
    return -EAGAIN;
  server = &pinning->resolver->servers[wish.server];
  if (server->family == 4)
    {
      address.four.sin_family = AF_INET;
      address.four.sin_port = htons (server->port);
      memcpy (&address.four.sin_addr, server->address, sizeof address.four.sin_addr);
    }
  else
    {
      address.six.sin6_family = AF_INET6;
      address.six.sin6_port = htons (server->port);
      memcpy (&address.six.sin6_addr, server->address, sizeof address.six.sin6_addr);
    }
  fd = socket (address.any.sa_family,
               (wish.is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -errno;
  r = dn_socket_confine (fd, DN_RULES_MARK_ASKS | pinning->resolver->slot, NULL);
  if (r == 0
      && connect (fd, &address.any, server->family == 4 ? sizeof address.four : sizeof address.six)
             < 0
      && errno != EINPROGRESS)
    r = -errno;
  if (r == 0)
    return fd;
  (void) close (fd);
  return r;
}

/* Returns: whether it could be sent. */
static bool
send_status (int to, int status, int fd)
{
  DnFdList fds = { .fds = { fd }, .count = fd >= 0 ? 1 : 0 };
  uint8_t answer[4];
  DnPacker packer = { .bytes = answer, .size = sizeof answer };
  bool is_sent;

  dn_pack_u32 (&packer, (uint32_t) status);
  is_sent = dn_fdpass_send (to, answer, sizeof answer, &fds) == sizeof answer;
  dn_fd_list_clear (&fds);
  return is_sent;
}

void
dn_order_pin (DnNetwork *network, const DnGatewayResolver *resolver, int fd)
{
  Pinning pinning = {
    .network = network,
    .resolver = resolver,
    .pins = { MESSAGES_AT_ONCE, now_s (), MESSAGES_A_SECOND, MESSAGES_AT_ONCE },
    .dials = { DN_GATEWAY_DIALS_PER_S, now_s (), DN_GATEWAY_DIALS_PER_S, DN_GATEWAY_DIALS_PER_S },
  };
  uint8_t bytes[DN_GATEWAY_PINS_MAX * DN_GATEWAY_PIN_BYTES + 1];
  ssize_t n;
  int r = 0;

  while (r != -EPROTO && (n = recv (fd, bytes, sizeof bytes, 0)) > 0)
    {
      bool is_dial = n == DN_GATEWAY_DIAL_BYTES;

      r = is_dial ? dial (&pinning, bytes, (size_t) n) : pin (&pinning, bytes, (size_t) n);
      if (!send_status (fd, r < 0 ? r : 0, is_dial ? r : -1))
        break;
    }
}
