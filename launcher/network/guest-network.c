/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-network.h"

#include "../common/error.h"
#include "../daemon/settings-file.h"
#include "../pods/pod.h"
#include "daemon-pool.h"
#include "pod-network.h"
#include "registry.h"

/* Orders about members, in the order in which the registry changed. */
static GMutex members_lock;

/* Under the daemon's lock. (transfer full): the tenant network, or NULL */
static char *
network_of (const DnContext *context)
{
  const DnContextDefinition *definition = &context->definition;

  if (dn_network_mode (definition->network.mode) != DN_NETWORK_NAMED)
    return NULL;
  return dn_network_policy_network (&definition->network, definition->tenant, context->owner_uid);
}

/* What is copied for the start: files may change meanwhile. */
typedef struct
{
  DnNetworkPolicy policy;
  DnNetworkPool pool;
  guint32 group;
  guint connections;
} CardWish;

static void
card_wish_free (gpointer data)
{
  CardWish *wish = data;

  dn_network_policy_clear (&wish->policy);
  g_free (wish);
}

static gboolean
open_card (guint slot, gpointer data, GError **error)
{
  const CardWish *wish = data;
  g_autofree DnGatewayGuest *guest = g_new0 (DnGatewayGuest, 1);

  dn_gateway_guest_from_policy (&wish->policy, &wish->pool, slot, wish->group, wish->connections,
                                guest);
  return dn_gateway_open (guest, error);
}

/* CNI's network and none of ours: no addresses of the pool, no group, no rules of a policy. */
static void
plan_pod (const DnPod *pod, DnGuestPlan *plan)
{
  if (pod->netns[0] == '\0')
    return;
  plan->has_network = TRUE;
  plan->card_slots = DN_NETWORK_SLOTS;
  plan->open_card = dn_pod_network_open_tap;
}

gboolean
dn_guest_network_plan (DnContext *context, DnGuestPlan *plan, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *network = NULL;
  CardWish *wish;
  gboolean has_card;

  if (context->pod != NULL)
    {
      plan_pod (context->pod, plan);
      return TRUE;
    }
  g_mutex_lock (&daemon->lock);
  has_card = dn_network_policy_has_card (&context->definition.network);
  plan->has_network = has_card || context->definition.network.containers;
  g_mutex_unlock (&daemon->lock);
  if (!has_card)
    return TRUE;
  wish = g_new0 (CardWish, 1);
  plan->card_data = wish;
  plan->card_data_free = card_wish_free;
  g_mutex_lock (&daemon->lock);
  dn_network_policy_copy (&context->definition.network, &wish->policy);
  network = network_of (context);
  g_mutex_unlock (&daemon->lock);
  wish->connections = (guint) settings->network_connections;
  if (!dn_network_daemon_pool (daemon, &wish->pool, error))
    return FALSE;
  if (network != NULL)
    wish->group = dn_network_registry_hold (dn_network_registry_get (), network, plan->id);
  plan->card_group = wish->group;
  plan->card_slots = dn_network_pool_count (&wish->pool);
  plan->open_card = open_card;
  return TRUE;
}

void
dn_guest_network_adopt (DnContext *context, DnGuest *guest)
{
  g_autofree char *network = NULL;
  DnGuestInfo info = { 0 };

  dn_guest_get_info (guest, &info);
  g_mutex_lock (&context->daemon->lock);
  network = network_of (context);
  g_mutex_unlock (&context->daemon->lock);
  if (network != NULL && info.card_group != 0)
    dn_network_registry_restore (dn_network_registry_get (), network, dn_guest_id (guest),
                                 info.card_group);
  dn_guest_info_clear (&info);
}

void
dn_guest_network_gone (const char *guest_id)
{
  dn_network_registry_release (dn_network_registry_get (), guest_id);
}

gboolean
dn_guest_network_get (DnContext *context, DnGuest *guest, DnGatewayGuest *ret_guest, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  DnGuestInfo info = { 0 };
  DnNetworkPool pool;

  dn_guest_get_info (guest, &info);
  dn_guest_info_clear (&info);
  /* A pod's is CNI's, and no policy of ours has promised anything of it. */
  if (!info.has_card || context->pod != NULL)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "the guest has no card");
  if (!dn_network_daemon_pool (daemon, &pool, error))
    return FALSE;
  g_mutex_lock (&daemon->lock);
  dn_gateway_guest_from_policy (&context->definition.network, &pool,
                                info.uid - DN_NETWORK_UID_FIRST, info.card_group,
                                (guint) settings->network_connections, ret_guest);
  g_mutex_unlock (&daemon->lock);
  return TRUE;
}

/* Returns: whether all found room. */
static gboolean
add_ports (DnGatewayMembers *members, const DnNetworkMember *member)
{
  for (guint i = 0; i < member->port_count; i++)
    {
      if (members->count == DN_GATEWAY_EXPOSED_MAX)
        return FALSE;
      members->exposed[members->count++]
          = (DnGatewayExposed){ .slot = member->plan.slot,
                                .container_slot = (guint8) member->slot,
                                .protocol = member->ports[i].protocol,
                                .port_first = member->ports[i].first,
                                .port_last = member->ports[i].last };
    }
  return TRUE;
}

/* All of a network anew: what a guest that came late, or a danchid that was away, has missed is in
 * it, too. */
static void
on_change (DnNetworkRegistry *registry, const DnNetworkMember *changed, gboolean is_there,
           gpointer data)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  g_autoptr (GPtrArray) all = NULL;
  g_autoptr (GError) error = NULL;

  (void) is_there;
  order->type = DN_GATEWAY_MEMBERS;
  if (changed->network == NULL || !changed->has_card
      || !dn_network_daemon_pool (data, &order->members.pool, NULL))
    return;
  g_mutex_lock (&members_lock);
  order->members.group = dn_network_registry_number (registry, changed->network);
  all = dn_network_registry_list_network (registry, changed->network);
  for (guint i = 0; i < all->len; i++)
    if (!add_ports (&order->members, all->pdata[i]))
      {
        g_warning ("network %s: more than %u exposed ports; those of later containers are closed",
                   changed->network, DN_GATEWAY_EXPOSED_MAX);
        break;
      }
  if (!dn_gateway_order (order, NULL, NULL, NULL, &error))
    g_warning ("network %s: %s", changed->network, error->message);
  g_mutex_unlock (&members_lock);
}

void
dn_guest_network_watch (DnDaemon *daemon)
{
  dn_network_registry_subscribe (dn_network_registry_get (), on_change, daemon);
}
