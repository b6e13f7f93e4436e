/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers are in a network right now, with their addresses and what others may reach of
 * them.
 *
 * It is danchid's memory alone: a container enters before its CREATE and goes when it has left its
 * guest; a danchid that starts anew enters those again that it finds.  Who has to know of a change
 * (the gateway which ports are open to members, the resolver which names there are) subscribes.
 *
 * A network is a text that contexts share (dn_network_policy_network()).  Each has a number as long
 * as it has a member; a number is not given out again before all others were.
 *
 * Threads: any; subscribers are called without a lock, on the thread that made the change, and see
 * a registry that is at least as new as their change.
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"
#include "plan.h"

/* Immutable and counted. */
typedef struct
{
  gint ref_count;
  char container[DN_ID_BYTES + 1];
  char guest[DN_ID_BYTES + 1];
  char *name;        /* owned, as all texts are: the container's */
  char *hostname;    /* or NULL: the beginning of its id */
  char *context;     /* a context's name */
  char *network;     /* of the registry's networks, or NULL: it is in none */
  char *mode;        /* the context's: "egress", "internal", a network's NAME, "none" */
  gboolean is_named; /* others of its context know it by name: they reach each other */
  gboolean has_card; /* the guest's own is behind it */
  DnNetworkPlan plan;
  guint slot; /* its own in the guest */
  struct in_addr address4;
  struct in6_addr address6;
  DnCardPort *ports; /* owned */
  guint port_count;
} DnNetworkMember;

DnNetworkMember *dn_network_member_ref (DnNetworkMember *member);
void dn_network_member_unref (DnNetworkMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnNetworkMember, dn_network_member_unref)

typedef struct DnNetworkRegistry DnNetworkRegistry;

/* @member: who came or went; @is_there: it came, or is another than before. */
typedef void (*DnNetworkChangeFunc) (DnNetworkRegistry *registry, const DnNetworkMember *member,
                                     gboolean is_there, gpointer data);

/* danchid's, which is there from its start to its end. */
DnNetworkRegistry *dn_network_registry_get (void);

DnNetworkRegistry *dn_network_registry_new (void);
void dn_network_registry_free (DnNetworkRegistry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnNetworkRegistry, dn_network_registry_free)

/* For ever; before the first change. */
void dn_network_registry_subscribe (DnNetworkRegistry *registry, DnNetworkChangeFunc func,
                                    gpointer data);

/* @member: (transfer full); in the place of one with the same container. */
void dn_network_registry_put (DnNetworkRegistry *registry, DnNetworkMember *member);

/* What is not there is no error. */
void dn_network_registry_remove (DnNetworkRegistry *registry, const char *container);
/* All that are in it. */
void dn_network_registry_remove_guest (DnNetworkRegistry *registry, const char *guest);

/* (transfer full): or NULL */
DnNetworkMember *dn_network_registry_find (DnNetworkRegistry *registry, const char *container);

/* Of a context, or of a network; by guest and slot. (transfer full) (element-type
 * DnNetworkMember) */
GPtrArray *dn_network_registry_list_context (DnNetworkRegistry *registry, const char *context);
GPtrArray *dn_network_registry_list_network (DnNetworkRegistry *registry, const char *network);
GPtrArray *dn_network_registry_list (DnNetworkRegistry *registry);

/* The network's number, from 1; it has one from now on, until its last member has gone.  For guests
 * that are members before any container of theirs is: dn_network_registry_hold(), by any text that
 * is its own. */
guint32 dn_network_registry_number (DnNetworkRegistry *registry, const char *network);
guint32 dn_network_registry_hold (DnNetworkRegistry *registry, const char *network,
                                  const char *holder);
/* Likewise, with the number that it had when a danchid before this one gave it out: before any
 * other of these. */
void dn_network_registry_restore (DnNetworkRegistry *registry, const char *network,
                                  const char *holder, guint32 number);
void dn_network_registry_release (DnNetworkRegistry *registry, const char *holder);
