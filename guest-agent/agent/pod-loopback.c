/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-loopback.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "autofd.h"
#include "link.h"
#include "network.h"
#include "nft.h"

#define PRIORITY_RAW (-300)
#define PRIORITY_LAST 300
#define METRIC 4096 /* behind the loopback's own */

typedef struct
{
  int family;
  unsigned source; /* offsets in the header */
  unsigned destination;
  size_t bytes;
  size_t prefix; /* bytes of the loopback's network */
  const char *peer;
  uint8_t self[DN_ADDRESS_BYTES];
} Family;

static const Family families[] = {
  { AF_INET, 12, 16, DN_IPV4_BYTES, 1, DN_POD_PEER_IPV4, { 127, 0, 0, 1 } },
  { AF_INET6,
    8,
    24,
    DN_ADDRESS_BYTES,
    DN_ADDRESS_BYTES,
    DN_POD_PEER_IPV6,
    { [DN_ADDRESS_BYTES - 1] = 1 } },
};

static DnNetlinkBatch batch;

static void
begin_rule (DnNft *nft, const Family *family, bool is_out)
{
  dn_nft_begin_rule (nft, is_out ? "postrouting" : "prerouting");
  dn_nft_match_card (nft, is_out, DN_LINK_PEER);
  dn_nft_match_family (nft, family->family);
}

static void
match (DnNft *nft, unsigned offset, const uint8_t *address, size_t size)
{
  dn_nft_match_bytes (nft, NFT_PAYLOAD_NETWORK_HEADER, offset, address, size);
}

static void
write_family (DnNft *nft, const Family *family, const uint8_t *own)
{
  uint8_t peer[DN_ADDRESS_BYTES];

  (void) inet_pton (family->family, family->peer, peer);
  begin_rule (nft, family, false);
  match (nft, family->destination, family->self, family->prefix);
  dn_nft_drop (nft);
  dn_nft_end_rule (nft);
  begin_rule (nft, family, false);
  match (nft, family->source, peer, family->bytes);
  match (nft, family->destination, own, family->bytes);
  dn_nft_match_protocol (nft, IPPROTO_TCP);
  dn_nft_set_address (nft, family->family, family->destination, family->self);
  dn_nft_end_rule (nft);
  begin_rule (nft, family, true);
  match (nft, family->source, family->self, family->bytes);
  match (nft, family->destination, peer, family->bytes);
  dn_nft_set_address (nft, family->family, family->source, own);
  dn_nft_end_rule (nft);
}

static int
write_rules (const uint8_t *const own[])
{
  DnNft nft;

  dn_nft_begin (&nft, &batch);
  dn_nft_add_table (&nft);
  dn_nft_add_open_hook (&nft, "prerouting", DN_NFT_HOOK_PREROUTING, PRIORITY_RAW);
  dn_nft_add_open_hook (&nft, "postrouting", DN_NFT_HOOK_POSTROUTING, PRIORITY_LAST);
  dn_nft_flush_chain (&nft, "prerouting");
  dn_nft_flush_chain (&nft, "postrouting");
  for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
    if (own[i] != NULL)
      write_family (&nft, &families[i], own[i]);
  return dn_nft_commit (&nft);
}

static int
add_way_to_six (void)
{
  dn_autofd int fd = dn_netlink_open (NETLINK_ROUTE);
  DnLinkAddress self = { .family = AF_INET6 };

  if (fd < 0)
    return fd;
  memcpy (self.bytes, families[1].self, DN_ADDRESS_BYTES);
  dn_netlink_clear (&batch);
  dn_link_add_local (&batch, (int) if_nametoindex (DN_LINK_PEER), &self, METRIC);
  return dn_netlink_talk (fd, &batch);
}

int
dn_pod_loopback_open (const uint8_t *own4, const uint8_t *own6)
{
  const uint8_t *const own[] = { own4, own6 };
  int r = 0;

  if (own4 != NULL || own6 != NULL)
    r = write_rules (own);
  /* Last: the rules that keep the wire from the loopback stand. */
  if (r == 0 && own4 != NULL)
    r = dn_network_set ("net/ipv4/conf/" DN_LINK_PEER "/route_localnet", "1");
  return r == 0 && own6 != NULL ? add_way_to_six () : r;
}
