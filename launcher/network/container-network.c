/* SPDX-License-Identifier: Apache-2.0 */
#include "container-network.h"

#include <arpa/inet.h>
#include <string.h>

#include "../common/error.h"
#include "../daemon/json-build.h"
#include "../pods/pod.h"
#include "../spec/network-options.h"
#include "../verify/promise.h"
#include "daemon-pool.h"
#include "guest-card.h"
#include "network-files.h"
#include "pod-network.h"

#define SHORT_ID_BYTES 12
/* For the names of one that came or went, in all others of its context. */
#define TELL_TIMEOUT_S 10
/* Of guests without a card of their own: nothing of it is seen outside of them. */
#define INNER_PREFIX6 "fd64:616e:6368::/48"

/* What holds for the context's guest: a copy. */
static void
get_policy (DnContainer *container, DnNetworkPolicy *ret_policy)
{
  g_mutex_lock (&container->daemon->lock);
  dn_network_policy_copy (&container->context->definition.network, ret_policy);
  g_mutex_unlock (&container->daemon->lock);
}

static gboolean
has_cards (const DnNetworkPolicy *policy)
{
  return dn_network_policy_has_card (policy) || policy->containers;
}

static gboolean
has_files (const DnContainerOptions *options)
{
  return (options->add_hosts != NULL && options->add_hosts[0] != NULL)
         || (options->dns_search != NULL && options->dns_search[0] != NULL);
}

static gboolean
find_plan (DnContainer *container, DnGuest *guest, const DnNetworkPolicy *policy,
           DnNetworkPlan *ret_plan, GError **error)
{
  DnNetworkPool pool;
  DnGuestInfo info = { 0 };
  guint slot;

  if (!dn_network_policy_has_card (policy))
    return (dn_network_pool_parse (NULL, INNER_PREFIX6, &pool) == 0
            && dn_network_plan_make (&pool, 0, ret_plan) == 0)
           || dn_throw (error, DN_ERROR_FAILED, "network: no plan");
  if (!dn_network_daemon_pool (container->daemon, &pool, error))
    return FALSE;
  dn_guest_get_info (guest, &info);
  slot = info.uid - DN_NETWORK_UID_FIRST;
  dn_guest_info_clear (&info);
  return dn_network_plan_make (&pool, slot, ret_plan) == 0
         || dn_throw (error, DN_ERROR_LIMIT,
                      "network: %u guests have one at most\nwiden [network] ipv4_pool in "
                      "danchi.conf",
                      dn_network_pool_count (&pool));
}

static GArray *
ports_of (DnContainer *container, const DnContainerOptions *options, GError **error)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);

  return dn_network_ports (image != NULL ? image->exposed_ports : NULL, options, error);
}

/* (transfer full): or NULL */
static DnNetworkMember *
make_member (DnContainer *container, const DnContainerOptions *options, guint slot, DnGuest *guest,
             GError **error)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  g_autoptr (DnNetworkMember) member = g_new0 (DnNetworkMember, 1);
  g_autoptr (GArray) ports = ports_of (container, options, error);
  DnContext *context = container->context;

  member->ref_count = 1;
  get_policy (container, &policy);
  if (ports == NULL || !find_plan (container, guest, &policy, &member->plan, error))
    return NULL;
  g_strlcpy (member->container, container->id, sizeof member->container);
  g_strlcpy (member->guest, dn_guest_id (guest), sizeof member->guest);
  g_mutex_lock (&container->daemon->lock);
  member->name = g_strdup (container->name);
  member->network
      = dn_network_mode (policy.mode) == DN_NETWORK_NAMED
            ? dn_network_policy_network (&policy, context->definition.tenant, context->owner_uid)
            : NULL;
  g_mutex_unlock (&container->daemon->lock);
  member->hostname = g_strdup (options->hostname);
  member->context = g_strdup (context->name);
  member->mode = g_strdup (policy.mode);
  member->is_named = policy.containers;
  member->has_card = dn_network_policy_has_card (&policy);
  member->slot = slot;
  member->port_count = ports->len;
  member->ports = (DnCardPort *) g_array_free (g_steal_pointer (&ports), FALSE);
  if (dn_network_plan_container (&member->plan, slot, &member->address4, &member->address6) != 0)
    {
      dn_throw (error, DN_ERROR_FAILED, "network: no address for container slot %u", slot);
      return NULL;
    }
  return g_steal_pointer (&member);
}

/* What the container finds in its /etc/hosts.  @own: NULL: it has no card. (transfer full) */
static char *
hosts_of (DnContainer *container, const DnContainerOptions *options, const DnNetworkMember *own)
{
  g_autoptr (GPtrArray) others
      = own != NULL && own->is_named
            ? dn_network_registry_list_context (dn_network_registry_get (), own->context)
            : NULL;
  g_autofree char *name = NULL;
  g_autofree char *short_id = g_strndup (container->id, SHORT_ID_BYTES);

  g_mutex_lock (&container->daemon->lock);
  name = g_strdup (container->name);
  g_mutex_unlock (&container->daemon->lock);
  return dn_network_hosts (options->hostname != NULL ? options->hostname : short_id, name,
                           options->add_hosts, own, others);
}

static DnContainer *
find_container (DnDaemon *daemon, const char *id)
{
  DnContainer *container;

  g_mutex_lock (&daemon->lock);
  container = g_hash_table_lookup (daemon->containers, id);
  if (container != NULL)
    (void) dn_container_ref (container);
  g_mutex_unlock (&daemon->lock);
  return container;
}

/* With the context's network_lock: all of them but @except know who is there now. */
static void
tell_others (DnContainer *except, DnGuest *guest)
{
  g_autoptr (GPtrArray) members
      = dn_network_registry_list_context (dn_network_registry_get (), except->context->name);
  gint64 end_us = g_get_monotonic_time () + TELL_TIMEOUT_S * G_TIME_SPAN_SECOND;

  /* An agent that does not answer is given up for one, not for each of them. */
  for (guint i = 0; i < members->len && g_get_monotonic_time () < end_us; i++)
    {
      const DnNetworkMember *member = members->pdata[i];
      g_autoptr (DnContainer) other = NULL;
      g_autoptr (DnContainerOptions) options = NULL;
      g_autofree char *hosts = NULL;
      g_autoptr (GError) error = NULL;

      if (!member->is_named || g_str_equal (member->container, except->id)
          || !g_str_equal (member->guest, dn_guest_id (guest))
          || (other = find_container (except->daemon, member->container)) == NULL)
        continue;
      options = dn_container_copy_options (other);
      hosts = hosts_of (other, options, member);
      /* It may be on its way out, or not quite there: then it is told all when it comes. */
      if (!dn_guest_card_write (guest, other->id, DN_CARD_FILE_HOSTS, hosts, &error))
        g_debug ("container %s: its /etc/hosts: %s", other->id, error->message);
    }
}

static gboolean
write_files (DnPartStart *start, const DnNetworkMember *own, gboolean has_resolver, GError **error)
{
  g_autofree char *hosts = hosts_of (start->container, start->options, own);
  g_autofree char *resolv_conf = dn_network_resolv_conf (start->options, own, has_resolver);

  return dn_guest_card_write (start->guest, start->container->id, DN_CARD_FILE_HOSTS, hosts, error)
         && dn_guest_card_write (start->guest, start->container->id, DN_CARD_FILE_RESOLV_CONF,
                                 resolv_conf, error);
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  g_autoptr (GArray) ports = ports_of (start->container, start->options, error);

  get_policy (start->container, &policy);
  return ports != NULL
         && dn_network_dns_check (start->options->dns, &policy, start->container->context->name,
                                  error);
}

/* NETWORK is said before the first container of a guest; one that is there says that it was. */
static gboolean
is_set_up (const char *context, DnGuest *guest)
{
  g_autoptr (GPtrArray) members
      = dn_network_registry_list_context (dn_network_registry_get (), context);

  for (guint i = 0; i < members->len; i++)
    if (g_str_equal (((DnNetworkMember *) members->pdata[i])->guest, dn_guest_id (guest)))
      return TRUE;
  return FALSE;
}

/* With the context's network_lock. */
static gboolean
enter_network (DnPartStart *start, const DnNetworkPolicy *policy, GError **error)
{
  DnContainer *container = start->container;
  g_autoptr (DnNetworkMember) member
      = make_member (container, start->options, start->slot, start->guest, error);

  if (member == NULL
      || (!is_set_up (container->context->name, start->guest)
          && !dn_guest_card_set_up (start->guest, &member->plan, policy, error))
      || !dn_guest_card_add (start->guest, member, error))
    return FALSE;
  dn_network_registry_put (dn_network_registry_get (), dn_network_member_ref (member));
  if (!write_files (start, member, dn_network_policy_has_names (policy), error))
    return FALSE;
  if (policy->containers)
    tell_others (container, start->guest);
  return TRUE;
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  GMutex *lock = &start->container->context->network_lock;
  gboolean is_fine;

  get_policy (start->container, &policy);
  if (!has_cards (&policy))
    return !has_files (start->options) || write_files (start, NULL, FALSE, error);
  g_mutex_lock (lock);
  is_fine = enter_network (start, &policy, error);
  g_mutex_unlock (lock);
  return is_fine;
}

static void
resume (DnContainer *container, DnGuest *guest)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  g_autoptr (DnContainerOptions) options = dn_container_copy_options (container);
  g_autoptr (GError) error = NULL;
  DnNetworkMember *member;

  get_policy (container, &policy);
  if (!has_cards (&policy))
    return;
  member = make_member (container, options, container->slot, guest, &error);
  if (member == NULL)
    g_warning ("container %s: %s", container->id, error->message);
  else
    dn_network_registry_put (dn_network_registry_get (), member);
}

static void
leave (DnContainer *container, DnGuest *guest)
{
  DnNetworkRegistry *registry = dn_network_registry_get ();
  g_autoptr (DnNetworkMember) member = dn_network_registry_find (registry, container->id);
  GMutex *lock = &container->context->network_lock;

  if (member == NULL)
    return;
  g_mutex_lock (lock);
  dn_network_registry_remove (registry, container->id);
  if (guest != NULL && member->is_named)
    tell_others (container, guest);
  g_mutex_unlock (lock);
}

/* As the agent makes it, of the address. (transfer full) */
static char *
format_mac (const DnNetworkMember *member)
{
  const guint8 *bytes = (const guint8 *) &member->address4;

  return g_strdup_printf ("02:64:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
}

/* By what CNI has made, as the host's kernel has it now. */
static void
promise_of_pod (const DnPod *pod, JsonObject *spec, GPtrArray *promises)
{
  g_auto (DnPodPromise) promise = { NULL };
  g_autoptr (GError) error = NULL;

  if (!dn_pod_network_promise (pod->netns, &promise, &error))
    {
      /* What is not known is not kept. */
      error->message[strcspn (error->message, "\n")] = '\0';
      dn_verify_promise_pod_network (promises, spec, error->message, error->message,
                                     error->message);
      return;
    }
  dn_verify_promise_pod_network (promises, spec, promise.card, promise.addresses, promise.ways);
}

void
dn_container_network_promise (DnContainer *container, DnGuest *guest, JsonObject *spec,
                              GPtrArray *promises)
{
  g_autoptr (DnNetworkMember) member
      = dn_network_registry_find (dn_network_registry_get (), container->id);
  char own4[INET_ADDRSTRLEN], own6[INET6_ADDRSTRLEN], way4[INET_ADDRSTRLEN], way6[INET6_ADDRSTRLEN];
  g_autofree char *card = NULL, *addresses = NULL, *ways = NULL;
  DnGuestInfo info = { 0 };
  gboolean is_asked, is_pods;

  dn_guest_get_info (guest, &info);
  is_asked = info.generation >= DN_PROTOCOL_GENERATION_OUTSIDE;
  is_pods = container->context->pod != NULL && info.has_card;
  dn_guest_info_clear (&info);
  if (is_asked && is_pods)
    promise_of_pod (container->context->pod, spec, promises);
  if (!is_asked || is_pods)
    return;
  if (member != NULL)
    {
      (void) inet_ntop (AF_INET, &member->address4, own4, sizeof own4);
      (void) inet_ntop (AF_INET6, &member->address6, own6, sizeof own6);
      (void) inet_ntop (AF_INET, &member->plan.gateway4, way4, sizeof way4);
      (void) inet_ntop (AF_INET6, &member->plan.gateway6, way6, sizeof way6);
      card = format_mac (member);
      addresses = g_strdup_printf ("%s/32 %s/128", own4, own6);
      ways = g_strdup_printf ("%s/%d %s/%d", way4, member->has_card ? 0 : DN_NETWORK_BLOCK4_BITS,
                              way6, member->has_card ? 0 : DN_NETWORK_BLOCK6_BITS);
    }
  dn_verify_promise_network (promises, spec, card, addresses, ways,
                             member != NULL ? member->port_count : 0);
}

static void
set_address (JsonObject *object, const char *name, int family, const void *address)
{
  char text[INET6_ADDRSTRLEN];

  if (inet_ntop (family, address, text, sizeof text) != NULL)
    json_object_set_string_member (object, name, text);
}

JsonObject *
dn_container_network_to_json (const DnNetworkMember *member)
{
  JsonObject *object = json_object_new ();
  JsonArray *ports = json_array_new ();
  g_autofree char *mac = format_mac (member);

  json_object_set_string_member (object, "mode", member->mode);
  if (member->network != NULL)
    json_object_set_string_member (object, "network", member->network);
  set_address (object, "ipv4_address", AF_INET, &member->address4);
  set_address (object, "ipv6_address", AF_INET6, &member->address6);
  set_address (object, "ipv4_gateway", AF_INET, &member->plan.gateway4);
  set_address (object, "ipv6_gateway", AF_INET6, &member->plan.gateway6);
  json_object_set_string_member (object, "mac_address", mac);
  json_object_set_boolean_member (object, "containers", member->is_named);
  for (guint i = 0; i < member->port_count; i++)
    {
      g_autofree char *port = dn_network_port_format (&member->ports[i]);

      json_array_add_string_element (ports, port);
    }
  json_object_set_array_member (object, "exposed", ports);
  return object;
}

static void
describe (DnContainer *container, JsonObject *object)
{
  g_autoptr (DnNetworkMember) member
      = dn_network_registry_find (dn_network_registry_get (), container->id);
  g_auto (DnNetworkPolicy) policy = { 0 };
  JsonObject *network;

  get_policy (container, &policy);
  network = member != NULL ? dn_container_network_to_json (member) : json_object_new ();
  if (member == NULL)
    json_object_set_string_member (network, "mode", policy.mode);
  json_object_set_object_member (object, "network", network);
}

void
dn_container_network_guest_gone (const char *guest_id)
{
  dn_network_registry_remove_guest (dn_network_registry_get (), guest_id);
}

void
dn_container_network_renamed (DnContainer *container)
{
  DnNetworkRegistry *registry = dn_network_registry_get ();
  g_autoptr (DnNetworkMember) member = dn_network_registry_find (registry, container->id);
  g_autoptr (DnGuest) guest = NULL;

  g_mutex_lock (&container->daemon->lock);
  if (container->context->guest != NULL)
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  if (member == NULL || guest == NULL || !g_str_equal (member->guest, dn_guest_id (guest)))
    return;
  g_mutex_lock (&container->context->network_lock);
  resume (container, guest);
  if (member->is_named)
    tell_others (container, guest);
  g_mutex_unlock (&container->context->network_lock);
}

const DnContainerPart dn_container_network_part = { .name = "network",
                                                    .prepare = prepare,
                                                    .enter = enter,
                                                    .resume = resume,
                                                    .leave = leave,
                                                    .describe = describe };
