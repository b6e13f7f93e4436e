/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REVERSE4 ".in-addr.arpa"
#define REVERSE6 ".ip6.arpa"

/* Top-level domains that no server of the public DNS is to be asked for (RFC 6761, 6762, 7686). */
static const char *const private_tops[] = { "invalid", "local", "onion" };

void
dn_table_clear (DnTable *table)
{
  table->has_public = table->lists_domains = false;
  table->server_count = 0;
  table->allow_count = table->deny_count = table->name_count = 0;
}

int
dn_table_add_rule (DnTable *table, const DnMsgResolverRule *message)
{
  size_t *count = message->is_allow ? &table->allow_count : &table->deny_count;
  DnNetworkRule *rule = &(message->is_allow ? table->allow : table->deny)[*count];
  bool is_domain = message->kind == DN_RULE_DOMAIN;

  if (*count == DN_NETWORK_RULES_MAX)
    return -ENOSPC;
  if (message->is_allow > 1 || message->kind > DN_RULE_DOMAIN || message->is_below > 1
      || message->opens_special > 1 || message->list > DN_NETWORK_LISTS_MAX)
    return -EPROTO;
  if (is_domain
          ? message->domain[0] == '\0' ? !message->is_below : !dn_domain_is_valid (message->domain)
          : (message->family != 4 && message->family != 6)
                || message->prefix > (message->family == 4 ? 32 : 128))
    return -EPROTO;
  memset (rule, 0, sizeof *rule);
  rule->kind = message->kind;
  rule->is_below = message->is_below;
  rule->opens_special = message->opens_special;
  rule->list = message->list;
  rule->family = message->family;
  rule->prefix = message->prefix;
  memcpy (rule->address, message->address, sizeof rule->address);
  memcpy (rule->domain, message->domain, sizeof rule->domain);
  table->lists_domains = table->lists_domains || (message->is_allow && is_domain);
  *count += 1;
  return 0;
}

static void
copy_lower (char *to, const char *from)
{
  while ((*to++ = (char) tolower ((unsigned char) *from++)) != '\0')
    ;
}

int
dn_table_add_name (DnTable *table, const DnMsgResolverName *message)
{
  DnContainerName *name;

  if (message->slot == DN_RESOLVER_ALL_SLOTS || message->is_own > 1 || message->name[0] == '\0'
      || message->context[0] == '\0')
    return -EPROTO;
  dn_table_remove_names (table, message->guest, message->slot);
  if (table->name_count == DN_RESOLVER_NAMES_MAX)
    return -ENOSPC;
  name = &table->names[table->name_count++];
  *name = (DnContainerName){ .guest = message->guest,
                             .slot = message->slot,
                             .is_own = message->is_own };
  memcpy (name->address4, message->address4, sizeof name->address4);
  memcpy (name->address6, message->address6, sizeof name->address6);
  copy_lower (name->name, message->name);
  copy_lower (name->context, message->context);
  return 0;
}

void
dn_table_remove_names (DnTable *table, uint32_t guest, uint8_t slot)
{
  size_t kept = 0;

  for (size_t i = 0; i < table->name_count; i++)
    if (table->names[i].guest != guest
        || (slot != DN_RESOLVER_ALL_SLOTS && table->names[i].slot != slot))
      {
        if (kept != i)
          table->names[kept] = table->names[i];
        kept++;
      }
  table->name_count = kept;
}

/* "NAME.CONTEXT" */
static bool
is_full_name (const DnContainerName *name, const char *text)
{
  size_t size = strlen (name->name);

  return strncmp (text, name->name, size) == 0 && text[size] == '.'
         && strcmp (text + size + 1, name->context) == 0;
}

size_t
dn_table_find (const DnTable *table, const char *text,
               const DnContainerName *ret_found[DN_ADDRESSES_MAX])
{
  bool is_word = strchr (text, '.') == NULL, has_own = false;
  size_t count = 0;

  for (size_t i = 0; is_word && i < table->name_count; i++)
    has_own = has_own || (table->names[i].is_own && strcmp (table->names[i].name, text) == 0);
  for (size_t i = 0; i < table->name_count && count < DN_ADDRESSES_MAX; i++)
    {
      const DnContainerName *name = &table->names[i];

      if (is_word ? strcmp (name->name, text) == 0 && name->is_own == has_own
                  : is_full_name (name, text))
        ret_found[count++] = name;
    }
  return count;
}

/* Takes the label before @end off: moves @end to the dot before it. */
static const char *
last_label (const char *text, const char **end)
{
  const char *at = *end;

  while (at > text && at[-1] != '.')
    at--;
  *end = at > text ? at - 1 : text;
  return at;
}

static bool
read_reverse4 (const char *text, const char *end, uint8_t *address)
{
  for (int i = 0; i < 4; i++)
    {
      const char *label_end = end, *label = last_label (text, &end);
      size_t size = (size_t) (label_end - label);
      unsigned value = 0;

      if (size == 0 || size > 3 || (size > 1 && label[0] == '0') || (end == text) != (i == 3))
        return false;
      for (size_t j = 0; j < size; j++)
        {
          if (!isdigit ((unsigned char) label[j]))
            return false;
          value = value * 10 + (unsigned) (label[j] - '0');
        }
      if (value > 255)
        return false;
      address[i] = (uint8_t) value;
    }
  return true;
}

static bool
read_reverse6 (const char *text, const char *end, uint8_t *address)
{
  static const char digits[] = "0123456789abcdef";

  if (end - text != 63)
    return false;
  for (int i = 0; i < 32; i++)
    {
      const char *at = end - 1 - 2 * i, *digit = strchr (digits, *at);

      if (digit == NULL || *digit == '\0' || (i < 31 && at[-1] != '.'))
        return false;
      address[i / 2] = (uint8_t) (address[i / 2] << 4 | (digit - digits));
    }
  return true;
}

bool
dn_reverse_parse (const char *name, uint8_t *ret_family, uint8_t ret_address[DN_ADDRESS_BYTES])
{
  size_t size = strlen (name);
  uint8_t address[DN_ADDRESS_BYTES] = { 0 };
  size_t tail4 = strlen (REVERSE4), tail6 = strlen (REVERSE6);

  if (size > tail4 && strcmp (name + size - tail4, REVERSE4) == 0
      && read_reverse4 (name, name + size - tail4, address))
    *ret_family = 4;
  else if (size > tail6 && strcmp (name + size - tail6, REVERSE6) == 0
           && read_reverse6 (name, name + size - tail6, address))
    *ret_family = 6;
  else
    return false;
  memcpy (ret_address, address, sizeof address);
  return true;
}

const DnContainerName *
dn_table_find_address (const DnTable *table, uint8_t family, const uint8_t *address)
{
  for (size_t i = 0; i < table->name_count; i++)
    if (family == 4 ? memcmp (table->names[i].address4, address, 4) == 0
                    : memcmp (table->names[i].address6, address, 16) == 0)
      return &table->names[i];
  return NULL;
}

bool
dn_table_denies (const DnTable *table, const char *name)
{
  for (size_t i = 0; i < table->deny_count; i++)
    if (dn_network_rule_has_domain (&table->deny[i], name))
      return true;
  return false;
}

bool
dn_table_takes_address (const DnTable *table, uint8_t family, const uint8_t *address)
{
  if (dn_address_is_public (family, address))
    return true;
  if (dn_range_is_never (family, address, family == 4 ? 32 : 128))
    return false;
  for (size_t i = 0; i < table->allow_count; i++)
    if (dn_network_rule_has_address (&table->allow[i], family, address))
      return true;
  return false;
}

static DnLists
find_lists (const DnTable *table, const char *name)
{
  DnLists lists = 0;

  for (size_t i = 0; i < table->allow_count; i++)
    if (table->allow[i].list != 0 && dn_network_rule_has_domain (&table->allow[i], name))
      lists |= (DnLists) (1u << (table->allow[i].list - 1));
  return lists;
}

/* What a word says by itself, where no container is called so. */
static bool
is_private (const char *name)
{
  const char *end = name + strlen (name), *top = last_label (name, &end);
  uint8_t family, address[DN_ADDRESS_BYTES];

  if (top == name)
    return true;
  for (size_t i = 0; i < sizeof private_tops / sizeof private_tops[0]; i++)
    if (strcmp (top, private_tops[i]) == 0)
      return true;
  /* Who has which private address is nobody's business outside. */
  return dn_reverse_parse (name, &family, address) && !dn_address_is_public (family, address);
}

DnNameKind
dn_table_judge (const DnTable *table, const char *name, DnLists *ret_lists)
{
  const DnContainerName *found[DN_ADDRESSES_MAX];
  uint8_t family, address[DN_ADDRESS_BYTES];
  const char *end = name + strlen (name);

  *ret_lists = 0;
  if (strcmp (last_label (name, &end), "localhost") == 0)
    return DN_NAME_OF_LOOPBACK;
  if (dn_table_find (table, name, found) > 0
      || (dn_reverse_parse (name, &family, address)
          && dn_table_find_address (table, family, address) != NULL))
    return DN_NAME_OF_CONTAINER;
  if (is_private (name))
    return DN_NAME_UNKNOWN;
  *ret_lists = find_lists (table, name);
  if (!table->has_public || dn_table_denies (table, name)
      || (table->lists_domains && *ret_lists == 0))
    return DN_NAME_REFUSED;
  return DN_NAME_ASK;
}
