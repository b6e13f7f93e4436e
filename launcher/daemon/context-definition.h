/* SPDX-License-Identifier: Apache-2.0 */
/* What a context's file says: CONFIG/contexts.d/NAME.conf.
 *
 *     [context]
 *     tenant = acme
 *     stage = prod
 *     tier = frontend
 *     [guest]
 *     memory_mib = 512
 *     vcpus = 2
 *     transport = auto
 *     allow_emulation = no
 *     mcs = c1,c2             SELinux hosts: this context's own pair of categories
 *     cpu_shares = 2048       and more of what it takes of the host: ../limits/guest-limits.h
 *     [access]
 *     ...                     ../spec/access.h
 *     [confinement]
 *     ...                     ../spec/policy.h
 *     [images] [lifetime]
 *     ...                     ../spec/terms.h
 *     [network]
 *     ...                     ../spec/network-policy.h
 *
 * [context], [guest] and [network] but for its `publish` are settled when a guest starts; all else
 * holds at once.  So there are two origins: what a context's guest was started by, and what the
 * file says now.
 *
 * Pure.
 */
#pragma once

#include "../spec/access.h"
#include "../spec/placement.h"
#include "settings.h"

/* What values came from: the file, and for what is not in it, danchi.conf. */
typedef struct
{
  DnKeyPlaces *places;  /* owned; of the context's file */
  DnSettings *settings; /* a reference */
} DnOrigin;

typedef struct
{
  char *tenant; /* owned */
  char *stage;  /* owned */
  char *tier;   /* owned */
  guint64 guest_memory_bytes;
  guint64 guest_vcpus;
  DnGuestLimits limits;
  int transport; /* DnTransport */
  gboolean allow_emulation;
  char **mcs; /* owned; empty: libvirt chooses; else one text, "cA,cB" with A < B */
  DnNetworkPolicy network;
  DnOrigin guest_origin; /* of all above, but for [network] publish */
  DnPolicy policy;
  DnTerms terms;
  DnAccessRules access;
  DnOrigin origin; /* of all below guest_origin, and [network] publish */
} DnContextDefinition;

/* Keys of a context's file. */
#define DN_CONTEXT_OWN_KEYS 8
#define DN_CONTEXT_KEYS                                                                            \
  (DN_CONTEXT_OWN_KEYS + DN_GUEST_LIMITS_KEYS + DN_ACCESS_KEYS + DN_POLICY_KEYS + DN_TERMS_KEYS    \
   + DN_NETWORK_POLICY_KEYS)

/* What holds where the file says nothing: tenant, stage and tier are "none".  Takes references to
 * @settings. */
void dn_context_definition_init (DnContextDefinition *definition, DnSettings *settings);
void dn_context_definition_clear (DnContextDefinition *definition);
void dn_context_definition_copy (const DnContextDefinition *definition,
                                 DnContextDefinition *ret_copy);

/* What holds at once moves from @from to @definition; the rest stays. */
void dn_context_definition_take_policy (DnContextDefinition *definition, DnContextDefinition *from);

/* The %DN_CONTEXT_KEYS keys that read @definition, and one that ends the table. */
void dn_context_definition_fill_keys (DnContextDefinition *definition, DnKey *ret_keys);

/* Whether a key is settled when a guest starts, and not at once. */
gboolean dn_context_definition_is_of_guest (const DnKey *key);

/* What a key's value came from. (transfer none) */
const DnOrigin *dn_context_definition_origin (const DnContextDefinition *definition,
                                              const DnKey *key);

/* @what: the file's name.  DN_ERROR_CONFIG, naming file, line, group and key. */
gboolean dn_context_definition_parse (DnContextDefinition *definition, const char *text, gsize size,
                                      const char *what, GError **error);

/* Whether @text is a pair of SELinux categories as libvirt writes them: "cA,cB", A < B <= 1023, no
 * zero in front. Pure. */
gboolean dn_mcs_is_valid (const char *text);

/* The pair, or NULL; borrowed. */
const char *dn_context_definition_mcs (const DnContextDefinition *definition);

/* tenant, stage and tier. (transfer none) */
DnLabels dn_context_definition_labels (const DnContextDefinition *definition);

/* The text of a file that says all of it. (transfer full) */
char *dn_context_definition_print (DnContextDefinition *definition);
