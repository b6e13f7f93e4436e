/* SPDX-License-Identifier: Apache-2.0 */
/* What a context's guest may reach, and what may reach it: the group [network] of a context's file
 * and, for those that say nothing, of danchi.conf.
 *
 *     mode = none                  no network card at all
 *            internal              a card for published ports: nothing outgoing, no names
 *            egress                public addresses
 *            NAME                  a tenant network: with the other contexts of the same tenant
 *                                  that name it
 *     egress = no                  yes: a NAME context reaches public addresses, too
 *     containers = no              yes: containers of this context reach each other
 *     allow = *.debian.org:443     where something is named, that alone passes of what is outgoing;
 *                                  an explicit private block opens it (network-rule.h)
 *     deny = 203.0.113.0/24        counts for more than `allow`; a denied name is not resolved
 *     egress_kbit = 0              bandwidth in kbit/s; 0: no limit
 *     ingress_kbit = 0
 *     publish = loopback           on which addresses of the host ports may be published, and
 *                                  which: loopback, any, ADDR, each with :PORT or :PORT-PORT;
 *                                  without ports all from 1024 on.  Empty: none
 *     dns = 192.0.2.53             servers of names; empty: the host's (resolv.conf(5))
 *
 * Loopback, link-local addresses (metadata services), multicast and what else can never be opened
 * are an error in `allow`: better than a rule that does nothing.
 *
 * All but `publish` is settled when a guest starts.
 *
 * Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/network-rule.h"
#include "../common/key-file.h"

#define DN_NETWORK_POLICY_KEYS 9

#define DN_NETWORK_KBIT_MAX 100000000 /* 100 Gbit/s */
#define DN_NETWORK_PUBLISH_MAX 64     /* entries of `publish` */
#define DN_NETWORK_LOW_PORTS 1024     /* below it a port has to be named */
#define DN_NETWORK_DNS_PORT 53

typedef enum
{
  DN_NETWORK_NONE,
  DN_NETWORK_INTERNAL,
  DN_NETWORK_EGRESS,
  DN_NETWORK_NAMED, /* its name is `mode` */
} DnNetworkMode;

/* Where ports may be published. */
typedef struct
{
  enum
  {
    DN_PUBLISH_LOOPBACK, /* 127.0.0.0/8 and ::1 */
    DN_PUBLISH_ANY,      /* every address, 0.0.0.0 and :: among them */
    DN_PUBLISH_ADDRESS,
  } place;
  guint8 family; /* 4 or 6, of an address, likewise */
  guint8 address[DN_ADDRESS_BYTES];
  DnPortRange ports;
} DnPublishPlace;

typedef struct
{
  char *mode; /* owned, as is all; as the file has it */
  gboolean egress;
  gboolean containers;
  char **allow;
  char **deny;
  guint64 egress_kbit; /* 0: no limit */
  guint64 ingress_kbit;
  char **publish;
  char **dns;
  /* Of those, what dn_network_policy_check() read. */
  GArray *allow_rules;    /* DnNetworkRule, in the order of `allow` */
  GArray *deny_rules;     /* likewise of `deny` */
  GArray *publish_places; /* DnPublishPlace */
  GArray *servers;        /* DnNetworkEnd */
} DnNetworkPolicy;

/* What holds where no file says anything: none, and ports on the host's loopback addresses. */
void dn_network_policy_init (DnNetworkPolicy *policy);
void dn_network_policy_clear (DnNetworkPolicy *policy);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnNetworkPolicy, dn_network_policy_clear)

/* @ret_copy is taken for empty: nothing in it is freed. */
void dn_network_policy_copy (const DnNetworkPolicy *policy, DnNetworkPolicy *ret_copy);

/* The %DN_NETWORK_POLICY_KEYS keys that read @policy, for a table of dn_key_file_parse(). */
void dn_network_policy_fill_keys (DnNetworkPolicy *policy, DnKey *ret_keys);

/* What the table cannot say; after parsing.  Reads the rules.  As dn_policy_check(). */
gboolean dn_network_policy_check (DnNetworkPolicy *policy, const char *what,
                                  const DnKeyPlaces *places, GError **error);

/* What holds at once moves from @from to @policy: `publish`. */
void dn_network_policy_take_publish (DnNetworkPolicy *policy, DnNetworkPolicy *from);

/* Of a word as `mode` and --network have it; whatever is none of the others is a NAME. */
DnNetworkMode dn_network_mode (const char *word);

/* Whether it may stand there: one of the words, or a name that is none of another tool's networks.
 * DN_ERROR_USAGE: "@what 'WORD': ..." */
gboolean dn_network_mode_check (const char *word, const char *what, GError **error);

/* Sets `mode`; @word is checked. */
void dn_network_policy_set_mode (DnNetworkPolicy *policy, const char *word);

/* Whether a guest has a card; is served names; may reach public addresses at all; has names in
 * `allow`, so that it is served no others. */
gboolean dn_network_policy_has_card (const DnNetworkPolicy *policy);
gboolean dn_network_policy_has_names (const DnNetworkPolicy *policy);
gboolean dn_network_policy_has_egress (const DnNetworkPolicy *policy);
gboolean dn_network_policy_lists_domains (const DnNetworkPolicy *policy);

/* Which network of contexts it is, over all tenants: contexts with the same text are in one.
 * "tenant/NAME", or for contexts without a tenant, which are in one with their owner's alone,
 * "uid:1000/NAME".  NULL: of no such network. (transfer full)
 * @tenant: the context's; "none" counts as none */
char *dn_network_policy_network (const DnNetworkPolicy *policy, const char *tenant,
                                 guint owner_uid);

/* Whether ports @ports may be published on @address: 0.0.0.0 and :: want `any`, or themselves. */
gboolean dn_network_policy_may_publish (const DnNetworkPolicy *policy, guint family,
                                        const guint8 *address, DnPortRange ports);

/* {"mode", "egress", "containers", "allow", "deny", "egress_kbit", "ingress_kbit", "publish",
 * "dns"}. (transfer full) */
JsonObject *dn_network_policy_to_json (const DnNetworkPolicy *policy);

/* Back from what that made; @policy has been initialised.  DN_ERROR_CONFIG. */
gboolean dn_network_policy_read_json (DnNetworkPolicy *policy, JsonObject *object, const char *what,
                                      GError **error);
