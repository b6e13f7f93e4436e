/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's line to one guest's danchi-resolver: starts it, tells it rules and names, and starts it
 * anew when it has ended, with a pause that grows.
 *
 * A thread of its own listens, from the first start to the guest's end.  A line that fails is cut;
 * what was not told then is told again, whole, on the next one.
 *
 * Calls may be made from any thread; each waits some seconds at most, dn_resolver_link_open() also
 * for the gateway.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../guest/guest.h"
#include "../spec/network-policy.h"
#include "registry.h"

typedef struct DnResolverLink DnResolverLink;

/* What the resolver is to know. */
typedef struct
{
  DnGuest *guest;      /* a reference is taken */
  const char *context; /* copied, as all below */
  const char *network; /* a tenant network, or NULL */
  DnNetworkPool pool;
  const DnNetworkPolicy *policy;
} DnResolverPlan;

/* The guest is gone; on the link's thread, its last act. */
typedef void (*DnResolverEndFunc) (DnResolverLink *link);

/**
 * dn_resolver_link_open:
 *
 * Connects to the one that lives, or starts one; when it returns names are answered.
 *
 * Returns: (transfer full): or NULL with DN_ERROR_FAILED
 */
DnResolverLink *dn_resolver_link_open (const DnResolverPlan *plan, DnResolverEndFunc end,
                                       GError **error);
DnResolverLink *dn_resolver_link_ref (DnResolverLink *link);
void dn_resolver_link_unref (DnResolverLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnResolverLink, dn_resolver_link_unref)

const char *dn_resolver_link_guest (const DnResolverLink *link);

/* A member of some network came, changed or went: tells it where it is this one's. */
void dn_resolver_link_tell (DnResolverLink *link, DnNetworkRegistry *registry,
                            const DnNetworkMember *member);

/* The host's servers may be others than before: where they are, all is told anew. */
void dn_resolver_link_check_servers (DnResolverLink *link);

/* {"is_running", "servers", "rules", "names", "queries", "refused", "dropped", "asked", "failed",
 * "rebound", "pinned", "starts"}. (transfer full) */
JsonObject *dn_resolver_link_to_json (DnResolverLink *link);
