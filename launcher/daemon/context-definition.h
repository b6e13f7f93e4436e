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
 *     [access]
 *     ...                     ../spec/access.h
 *     [confinement]
 *     ...                     ../spec/policy.h
 *
 * Pure.
 */
#pragma once

#include "../spec/access.h"
#include "settings.h"

typedef struct
{
  char *tenant; /* owned */
  char *stage;  /* owned */
  char *tier;   /* owned */
  guint64 guest_memory_bytes;
  guint64 guest_vcpus;
  int transport; /* DnTransport */
  gboolean allow_emulation;
  char **mcs; /* owned; NULL or empty: libvirt chooses; else one text, "cA,cB" with A < B */
  DnPolicy policy;
  DnAccessRules access;
} DnContextDefinition;

/* What holds where the file says nothing: tenant, stage and tier are "none". */
void dn_context_definition_init (DnContextDefinition *definition, const DnSettings *settings);
void dn_context_definition_clear (DnContextDefinition *definition);

/* @what: the file's name.  DN_ERROR_CONFIG, naming file, group and key. */
gboolean dn_context_definition_parse (DnContextDefinition *definition, const char *text, gsize size,
                                      const char *what, GError **error);

/* Whether @text is a pair of SELinux categories as libvirt writes them: "cA,cB", A < B <= 1023, no
 * zero in front. Pure. */
gboolean dn_mcs_is_valid (const char *text);

/* The pair, or NULL; borrowed. */
const char *dn_context_definition_mcs (const DnContextDefinition *definition);

/* The text of such a file. (transfer full) */
char *dn_context_definition_print (const DnContextDefinition *definition);
