/* SPDX-License-Identifier: Apache-2.0 */
/* One rule of a network policy, and addresses and ports, as texts and as fixed structs.
 *
 *     198.51.100.0/24           an address or a block of them, every port and protocol
 *     198.51.100.7:443          one port, TCP and UDP
 *     198.51.100.7:8000-8999/tcp
 *     2001:db8::/32             likewise; with ports in brackets: [2001:db8::/32]:443
 *     deb.debian.org:443/tcp    a name
 *     *.debian.org:443          all names below it, at any depth, and not itself
 *     *                         every name
 *
 * The structs have no pointers: they go as they are between programs of one build on one host.
 * Whoever takes them from a process that may be in a guest's hands checks them again.
 *
 * Pure; libc only.
 */
#pragma once

#include "public-address.h"

#define DN_ADDRESS_BYTES 16 /* an IPv4 address has the first four, and zeros behind them */

#define DN_DOMAIN_MAX_BYTES 253 /* without a dot at the end */
#define DN_RULE_TEXT_MAX_BYTES 512

/* Of one policy: `allow` and `deny` each, and servers of names. */
#define DN_NETWORK_RULES_MAX 256
#define DN_NETWORK_SERVERS_MAX 4
#define DN_NETWORK_LISTS_MAX 16 /* different ports and protocols of names */

typedef enum
{
  DN_RULE_ADDRESS,
  DN_RULE_DOMAIN,
} DnNetworkRuleKind;

/* An end of a connection. */
typedef struct
{
  uint8_t family; /* 4 or 6 */
  uint8_t address[DN_ADDRESS_BYTES];
  uint16_t port;
} DnNetworkEnd;

/* From the first to the last; 0 and 0: every port. */
typedef struct
{
  uint16_t first;
  uint16_t last;
} DnPortRange;

typedef struct
{
  uint8_t kind;          /* DnNetworkRuleKind */
  uint8_t protocol;      /* IPPROTO_TCP, IPPROTO_UDP; 0: both, and without ports every protocol */
  uint8_t is_below;      /* of a domain: the names below it */
  uint8_t opens_special; /* of an address: all of it lies in a range that is not public, so that it
                            opens them; without this a rule is for public addresses alone */
  uint8_t list;          /* of a domain: 1..16, the same for the same ports and protocol; 0 until a
                            policy numbers its rules */
  DnPortRange ports;
  uint8_t family; /* of an address: 4 or 6 */
  uint8_t prefix;
  uint8_t address[DN_ADDRESS_BYTES];
  char domain[DN_DOMAIN_MAX_BYTES + 1]; /* lower case, NUL behind it; "" and is_below: all */
} DnNetworkRule;

/* Why @text is no such rule, as the end of a sentence that begins with it; NULL: it is, and is in
 * @ret_rule, every byte of which is set. */
const char *dn_network_rule_parse (const char *text, DnNetworkRule *ret_rule);

/* Whether the rule is for this name: lower case, without a dot at the end. */
bool dn_network_rule_has_domain (const DnNetworkRule *rule, const char *domain);

/* Whether the rule is for this address, not regarding ports; a rule without `opens_special` holds
 * no special address. */
bool dn_network_rule_has_address (const DnNetworkRule *rule, unsigned family,
                                  const uint8_t *address);

/* Whether @text, lower case, is a name as the DNS knows names of hosts ('_' among its letters), and
 * could not be taken for an address. */
bool dn_domain_is_valid (const char *text);

/* "ADDR", "ADDR:PORT", "[ADDR6]:PORT", "ADDR6"; without a port it is @port.  Likewise: NULL, or
 * what is wrong. */
const char *dn_network_end_parse (const char *text, uint16_t port, DnNetworkEnd *ret_end);

/* "PORT" or "PORT-PORT", from 1 to 65535. */
bool dn_port_range_parse (const char *text, DnPortRange *ret_range);

/* Whether the first @bits of both are the same. */
bool dn_address_is_within (const uint8_t *address, const uint8_t *range, unsigned bits);

/* A numeric address, nothing else; IPv6 not in brackets and without a zone. */
bool dn_address_parse (const char *text, uint8_t *ret_family,
                       uint8_t ret_address[DN_ADDRESS_BYTES]);

#define DN_ADDRESS_TEXT_BYTES 46

/* The address as text. */
void dn_address_print (unsigned family, const uint8_t *address,
                       char ret_text[DN_ADDRESS_TEXT_BYTES]);
