/* SPDX-License-Identifier: Apache-2.0 */
#include "network-rule.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX_BYTES 63

bool
dn_address_is_within (const uint8_t *address, const uint8_t *range, unsigned bits)
{
  unsigned bytes = bits / 8, rest = bits % 8;

  return memcmp (address, range, bytes) == 0
         && (rest == 0 || (address[bytes] ^ range[bytes]) >> (8 - rest) == 0);
}

/* Whether a bit behind the first @bits is set. */
static bool
has_host_bits (const uint8_t *address, unsigned bits)
{
  for (unsigned i = bits; i < DN_ADDRESS_BYTES * 8; i++)
    if ((address[i / 8] & (0x80u >> i % 8)) != 0)
      return true;
  return false;
}

bool
dn_address_parse (const char *text, uint8_t *ret_family, uint8_t ret_address[DN_ADDRESS_BYTES])
{
  uint8_t address[DN_ADDRESS_BYTES] = { 0 };

  if (inet_pton (AF_INET, text, address) == 1)
    *ret_family = 4;
  else if (inet_pton (AF_INET6, text, address) == 1)
    *ret_family = 6;
  else
    return false;
  memcpy (ret_address, address, sizeof address);
  return true;
}

void
dn_address_print (unsigned family, const uint8_t *address, char ret_text[DN_ADDRESS_TEXT_BYTES])
{
  (void) inet_ntop (family == 4 ? AF_INET : AF_INET6, address, ret_text, DN_ADDRESS_TEXT_BYTES);
}

/* A whole number of at most five digits without a zero in front; -1: it is none. */
static long
read_number (const char *text, size_t size)
{
  long number = 0;

  if (size == 0 || size > 5 || (text[0] == '0' && size > 1))
    return -1;
  for (size_t i = 0; i < size; i++)
    {
      if (text[i] < '0' || text[i] > '9')
        return -1;
      number = number * 10 + (text[i] - '0');
    }
  return number;
}

bool
dn_port_range_parse (const char *text, DnPortRange *ret_range)
{
  const char *dash = strchr (text, '-');
  long first = read_number (text, dash != NULL ? (size_t) (dash - text) : strlen (text));
  long last = dash != NULL ? read_number (dash + 1, strlen (dash + 1)) : first;

  if (first < 1 || last < first || last > 65535)
    return false;
  *ret_range = (DnPortRange){ (uint16_t) first, (uint16_t) last };
  return true;
}

bool
dn_domain_is_valid (const char *text)
{
  size_t size = strlen (text), label = 0;
  bool is_number = true; /* the last label: "10.0.0.1", "1.2" */

  if (size == 0 || size > DN_DOMAIN_MAX_BYTES)
    return false;
  for (size_t i = 0; i <= size; i++)
    {
      unsigned char c = (unsigned char) text[i];

      if (c == '.' || c == '\0')
        {
          if (label == 0 || label > LABEL_MAX_BYTES || text[i - 1] == '-')
            return false;
          if (c == '.')
            is_number = true;
          label = 0;
          continue;
        }
      if (!islower (c) && !isdigit (c) && c != '_' && (c != '-' || label == 0))
        return false;
      is_number = is_number && isdigit (c);
      label++;
    }
  return !is_number;
}

/* "[ADDR/PREFIX]:PORTS", "ADDR6/PREFIX", "ADDR:PORTS", "NAME:PORTS": what is before the ports, and
 * the ports or NULL.  Changes @text. */
static const char *
split_ports (char *text, char **ret_place, char **ret_ports)
{
  char *end;

  *ret_place = text;
  *ret_ports = NULL;
  if (text[0] == '[')
    {
      end = strchr (text, ']');
      if (end == NULL || (end[1] != '\0' && end[1] != ':'))
        return "has a bracket too few or too many";
      *end = '\0';
      *ret_place = text + 1;
      *ret_ports = end[1] == ':' ? end + 2 : NULL;
      return strchr (text + 1, ':') != NULL ? NULL : "has brackets, which are for IPv6";
    }
  end = strchr (text, ':');
  if (end == NULL || strchr (end + 1, ':') != NULL) /* without a port; or IPv6 */
    return NULL;
  *end = '\0';
  *ret_ports = end + 1;
  return NULL;
}

/* Takes "/tcp" or "/udp" off the end. */
static uint8_t
take_protocol (char *text)
{
  size_t size = strlen (text);
  uint8_t protocol = 0;

  if (size > 4 && strcmp (text + size - 4, "/tcp") == 0)
    protocol = IPPROTO_TCP;
  else if (size > 4 && strcmp (text + size - 4, "/udp") == 0)
    protocol = IPPROTO_UDP;
  if (protocol != 0)
    text[size - 4] = '\0';
  return protocol;
}

static const char *
read_block (char *text, DnNetworkRule *rule)
{
  char *slash = strchr (text, '/');
  long bits;

  if (slash != NULL)
    *slash = '\0';
  if (!dn_address_parse (text, &rule->family, rule->address))
    return "is no address";
  bits = rule->family == 4 ? 32 : 128;
  if (slash != NULL)
    {
      long prefix = read_number (slash + 1, strlen (slash + 1));

      if (prefix < 0 || prefix > bits)
        return "has no prefix length that its address can have";
      bits = prefix;
    }
  rule->prefix = (uint8_t) bits;
  if (has_host_bits (rule->address, rule->prefix))
    return "has bits behind its prefix: write the block's first address";
  rule->opens_special = dn_range_is_special (rule->family, rule->address, rule->prefix);
  return NULL;
}

static const char *
read_domain (const char *text, DnNetworkRule *rule)
{
  size_t size;

  rule->kind = DN_RULE_DOMAIN;
  if (strcmp (text, "*") == 0)
    {
      rule->is_below = 1;
      return NULL;
    }
  if (text[0] == '*' && text[1] == '.')
    {
      rule->is_below = 1;
      text += 2;
    }
  size = strlen (text);
  if (size > DN_DOMAIN_MAX_BYTES)
    return "is longer than a name can be";
  for (size_t i = 0; i < size; i++)
    rule->domain[i] = (char) tolower ((unsigned char) text[i]);
  return dn_domain_is_valid (rule->domain) ? NULL : "is neither an address nor a name";
}

/* Whether it is meant as an address, so that what is wrong is said of that. */
static bool
looks_like_address (const char *text)
{
  return strchr (text, ':') != NULL || strchr (text, '/') != NULL
         || strspn (text, "0123456789.") == strlen (text);
}

const char *
dn_network_rule_parse (const char *text, DnNetworkRule *ret_rule)
{
  char copy[DN_RULE_TEXT_MAX_BYTES + 1];
  const char *fault;
  char *place, *ports;

  memset (ret_rule, 0, sizeof *ret_rule);
  if (strlen (text) > DN_RULE_TEXT_MAX_BYTES)
    return "is too long";
  strcpy (copy, text);
  ret_rule->protocol = take_protocol (copy);
  fault = split_ports (copy, &place, &ports);
  if (fault != NULL)
    return fault;
  if (ports != NULL && !dn_port_range_parse (ports, &ret_rule->ports))
    return "has no ports from 1 to 65535 (PORT or PORT-PORT)";
  if (place[0] == '\0')
    return "names no address";
  return looks_like_address (place) ? read_block (place, ret_rule) : read_domain (place, ret_rule);
}

bool
dn_network_rule_has_domain (const DnNetworkRule *rule, const char *domain)
{
  size_t own = strlen (rule->domain), size = strlen (domain);

  if (rule->kind != DN_RULE_DOMAIN)
    return false;
  if (!rule->is_below)
    return strcmp (rule->domain, domain) == 0;
  return own == 0
         || (size > own && domain[size - own - 1] == '.'
             && strcmp (domain + size - own, rule->domain) == 0);
}

bool
dn_network_rule_has_address (const DnNetworkRule *rule, unsigned family, const uint8_t *address)
{
  return rule->kind == DN_RULE_ADDRESS && rule->family == family
         && dn_address_is_within (address, rule->address, rule->prefix)
         && (rule->opens_special || dn_address_is_public ((uint8_t) family, address));
}

const char *
dn_network_end_parse (const char *text, uint16_t port, DnNetworkEnd *ret_end)
{
  char copy[DN_RULE_TEXT_MAX_BYTES + 1];
  DnPortRange range = { port, port };
  DnNetworkEnd end = { 0 };
  const char *fault;
  char *place, *ports;

  if (strlen (text) > DN_RULE_TEXT_MAX_BYTES)
    return "is too long";
  strcpy (copy, text);
  fault = split_ports (copy, &place, &ports);
  if (fault != NULL)
    return fault;
  if (ports != NULL && (!dn_port_range_parse (ports, &range) || range.first != range.last))
    return "has no port from 1 to 65535";
  if (!dn_address_parse (place, &end.family, end.address))
    return "is no address";
  end.port = range.first;
  *ret_end = end;
  return NULL;
}
