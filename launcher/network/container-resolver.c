/* SPDX-License-Identifier: Apache-2.0 */
#include "container-resolver.h"

#include "../common/error.h"
#include "daemon-pool.h"
#include "resolver-link.h"

/* guest id → DnResolverLink */
static GMutex lock;
static GHashTable *links;

static DnResolverLink *
find (const char *guest_id)
{
  DnResolverLink *link;

  g_mutex_lock (&lock);
  link = links != NULL ? g_hash_table_lookup (links, guest_id) : NULL;
  if (link != NULL)
    (void) dn_resolver_link_ref (link);
  g_mutex_unlock (&lock);
  return link;
}

static void
ended (DnResolverLink *link)
{
  g_mutex_lock (&lock);
  if (links != NULL && g_hash_table_lookup (links, dn_resolver_link_guest (link)) == link)
    (void) g_hash_table_remove (links, dn_resolver_link_guest (link));
  g_mutex_unlock (&lock);
}

static void
keep (DnResolverLink *link)
{
  g_mutex_lock (&lock);
  if (links == NULL)
    links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                   (GDestroyNotify) dn_resolver_link_unref);
  g_hash_table_replace (links, g_strdup (dn_resolver_link_guest (link)),
                        dn_resolver_link_ref (link));
  g_mutex_unlock (&lock);
}

/* (transfer full): a copy of all links: telling one takes its time. */
static GPtrArray *
list (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_resolver_link_unref);
  GHashTableIter iter;
  gpointer link;

  g_mutex_lock (&lock);
  if (links != NULL)
    {
      g_hash_table_iter_init (&iter, links);
      while (g_hash_table_iter_next (&iter, NULL, &link))
        g_ptr_array_add (all, dn_resolver_link_ref (link));
    }
  g_mutex_unlock (&lock);
  return all;
}

static void
on_change (DnNetworkRegistry *registry, const DnNetworkMember *member, gboolean is_there,
           gpointer data)
{
  g_autoptr (GPtrArray) all = list ();

  (void) is_there;
  (void) data;
  for (guint i = 0; i < all->len; i++)
    dn_resolver_link_tell (all->pdata[i], registry, member);
}

void
dn_container_resolver_watch (void)
{
  dn_network_registry_subscribe (dn_network_registry_get (), on_change, NULL);
}

/* With the context's network_lock. */
static gboolean
open_link (DnContext *context, DnGuest *guest, const DnNetworkPolicy *policy, const char *network,
           GError **error)
{
  g_autoptr (DnResolverLink) link = NULL;
  DnResolverPlan plan
      = { .guest = guest, .context = context->name, .network = network, .policy = policy };

  if (!dn_network_daemon_pool (context->daemon, &plan.pool, error))
    return FALSE;
  link = dn_resolver_link_open (&plan, ended, error);
  if (link == NULL)
    return FALSE;
  keep (link);
  return TRUE;
}

static gboolean
ensure (DnContext *context, DnGuest *guest, GError **error)
{
  g_auto (DnNetworkPolicy) policy = { 0 };
  g_autoptr (DnResolverLink) link = NULL;
  g_autofree char *network = NULL;
  gboolean is_fine = TRUE;

  g_mutex_lock (&context->daemon->lock);
  dn_network_policy_copy (&context->definition.network, &policy);
  network = dn_network_policy_network (&policy, context->definition.tenant, context->owner_uid);
  g_mutex_unlock (&context->daemon->lock);
  if (!dn_network_policy_has_names (&policy))
    return TRUE;
  g_mutex_lock (&context->network_lock);
  link = find (dn_guest_id (guest));
  if (link == NULL)
    is_fine = open_link (context, guest, &policy, network, error);
  g_mutex_unlock (&context->network_lock);
  if (link != NULL)
    dn_resolver_link_check_servers (link);
  if (!is_fine)
    g_prefix_error (error, "context '%s': names: ", context->name);
  return is_fine;
}

static gboolean
enter (DnPartStart *start, GError **error)
{
  return ensure (start->container->context, start->guest, error);
}

static void
resume (DnContainer *container, DnGuest *guest)
{
  g_autoptr (GError) error = NULL;

  if (!ensure (container->context, guest, &error))
    g_warning ("container %s: %s", container->id, error->message);
}

gboolean
dn_guest_has_resolver (const char *guest_id)
{
  g_autoptr (DnResolverLink) link = find (guest_id);

  return link != NULL;
}

JsonObject *
dn_guest_resolver_to_json (const char *guest_id)
{
  g_autoptr (DnResolverLink) link = find (guest_id);

  return link != NULL ? dn_resolver_link_to_json (link) : NULL;
}

const DnContainerPart dn_container_resolver_part
    = { .name = "names", .enter = enter, .resume = resume };
