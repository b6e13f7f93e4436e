/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver's pins.  It is a process of the guest's own uid that reads what strangers answer, so
 * all it says is checked here as if the guest had said it: the set it writes to is of its own tap,
 * an address is public, an end comes by itself, and there are so many a second and in all. */
#include <errno.h>
#include <stdlib.h>
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
  DnNetwork *network;
  uint32_t slot;
  double tokens;
  double filled_s; /* CLOCK_MONOTONIC */
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
take_token (Pinning *pinning)
{
  double now = now_s ();

  pinning->tokens += (now - pinning->filled_s) * MESSAGES_A_SECOND;
  pinning->filled_s = now;
  if (pinning->tokens > MESSAGES_AT_ONCE)
    pinning->tokens = MESSAGES_AT_ONCE;
  if (pinning->tokens < 1)
    return false;
  pinning->tokens -= 1;
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
  if (!take_token (pinning))
    return -EAGAIN;
  for (int i = 0; i < count; i++)
    if (pins[i].list > DN_GATEWAY_LISTS_MAX
        || !dn_address_is_public (pins[i].family, pins[i].address))
      return -EACCES;
  for (int i = 0; i < count; i++)
    dn_rules_write_pin (pinning->network->nft.text, pinning->slot, pins[i].family, pins[i].list,
                        pins[i].address, bound_ttl (pins[i].ttl_s));
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

void
dn_order_pin (DnNetwork *network, uint32_t slot, int fd)
{
  Pinning pinning
      = { .network = network, .slot = slot, .tokens = MESSAGES_AT_ONCE, .filled_s = now_s () };
  uint8_t bytes[DN_GATEWAY_PINS_MAX * DN_GATEWAY_PIN_BYTES + 1], answer[4];
  ssize_t n;
  int r = 0;

  while (r != -EPROTO && (n = recv (fd, bytes, sizeof bytes, 0)) > 0)
    {
      DnPacker packer = { .bytes = answer, .size = sizeof answer };

      r = pin (&pinning, bytes, (size_t) n);
      dn_pack_u32 (&packer, (uint32_t) r);
      if (send (fd, answer, sizeof answer, MSG_NOSIGNAL) != sizeof answer)
        break;
    }
}
