/* SPDX-License-Identifier: Apache-2.0 */
/* What a resolver knows: the rules of its guest's policy and the names of its network; and what
 * follows from them for a name.
 *
 * Names of containers come before those of servers: "db" (the own context's first), "db.backend"
 * (of the context backend).  A container's name with a dot in it counts with its context alone, so
 * that nobody can put up "github.com" in front of the real one; and a single word that is no
 * container's is never asked of a server.
 *
 * Pure; libc only.  Texts of names are lower case, without a dot at the end.
 */
#pragma once

#include "../base/network-rule.h"
#include "../base/resolver-control.h"

#define DN_CONTAINER_NAME_BYTES 63

/* What one answer has, and what it may be pinned to. */
#define DN_ADDRESSES_MAX 16

typedef struct
{
  uint32_t guest;
  uint8_t slot;
  bool is_own;
  uint8_t address4[4];
  uint8_t address6[16];
  char name[DN_CONTAINER_NAME_BYTES + 1]; /* lower case, likewise */
  char context[DN_CONTAINER_NAME_BYTES + 1];
} DnContainerName;

typedef struct
{
  bool has_public;
  bool lists_domains; /* `allow` names some: others are refused */
  uint8_t server_count;
  size_t allow_count;
  size_t deny_count;
  size_t name_count;
  DnNetworkRule allow[DN_NETWORK_RULES_MAX];
  DnNetworkRule deny[DN_NETWORK_RULES_MAX];
  DnContainerName names[DN_RESOLVER_NAMES_MAX];
} DnTable;

typedef enum
{
  DN_NAME_OF_CONTAINER, /* and of its addresses the other way round */
  DN_NAME_OF_LOOPBACK,
  DN_NAME_ASK,     /* of a server */
  DN_NAME_UNKNOWN, /* there is none such, and no server is asked */
  DN_NAME_REFUSED, /* by the policy */
} DnNameKind;

/* By a bit for each, 1 << (list - 1). */
typedef uint16_t DnLists;

void dn_table_clear (DnTable *table);

/* Return 0; -EPROTO where a field is none that it can be; -ENOSPC. */
int dn_table_add_rule (DnTable *table, const DnMsgResolverRule *message);
int dn_table_add_name (DnTable *table, const DnMsgResolverName *message);

void dn_table_remove_names (DnTable *table, uint32_t guest, uint8_t slot);

/* @ret_lists: (out): where it is to be asked: those that the addresses are pinned to */
DnNameKind dn_table_judge (const DnTable *table, const char *name, DnLists *ret_lists);

/* Whether `deny` names it. */
bool dn_table_denies (const DnTable *table, const char *name);

/* Whether a server's answer may have this address: a public one, or one that a rule opens. */
bool dn_table_takes_address (const DnTable *table, uint8_t family, const uint8_t *address);

/* The containers of a name. (borrowed) Returns: how many, at most %DN_ADDRESSES_MAX */
size_t dn_table_find (const DnTable *table, const char *name,
                      const DnContainerName *ret_found[DN_ADDRESSES_MAX]);

/* Of "7.2.0.192.in-addr.arpa" and the like in ip6.arpa: the address.  False: it is none. */
bool dn_reverse_parse (const char *name, uint8_t *ret_family,
                       uint8_t ret_address[DN_ADDRESS_BYTES]);

/* The container with that address, or NULL. */
const DnContainerName *dn_table_find_address (const DnTable *table, uint8_t family,
                                              const uint8_t *address);
