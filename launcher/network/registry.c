/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#include <string.h>

typedef struct
{
  DnNetworkChangeFunc func;
  gpointer data;
} Subscriber;

struct DnNetworkRegistry
{
  GMutex lock;
  GHashTable *members; /* container → DnNetworkMember */
  GHashTable *numbers; /* network → number */
  GHashTable *holders; /* holder → network */
  guint32 last_number;
  GArray *subscribers; /* Subscriber; fixed once there are members */
};

DnNetworkMember *
dn_network_member_ref (DnNetworkMember *member)
{
  g_atomic_int_inc (&member->ref_count);
  return member;
}

void
dn_network_member_unref (DnNetworkMember *member)
{
  if (member == NULL || !g_atomic_int_dec_and_test (&member->ref_count))
    return;
  g_free (member->name);
  g_free (member->hostname);
  g_free (member->context);
  g_free (member->network);
  g_free (member->mode);
  g_free (member->ports);
  g_free (member);
}

DnNetworkRegistry *
dn_network_registry_new (void)
{
  DnNetworkRegistry *registry = g_new0 (DnNetworkRegistry, 1);

  g_mutex_init (&registry->lock);
  registry->members = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                             (GDestroyNotify) dn_network_member_unref);
  registry->numbers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->holders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  registry->subscribers = g_array_new (FALSE, FALSE, sizeof (Subscriber));
  return registry;
}

void
dn_network_registry_free (DnNetworkRegistry *registry)
{
  if (registry == NULL)
    return;
  g_hash_table_unref (registry->members);
  g_hash_table_unref (registry->numbers);
  g_hash_table_unref (registry->holders);
  g_array_unref (registry->subscribers);
  g_mutex_clear (&registry->lock);
  g_free (registry);
}

DnNetworkRegistry *
dn_network_registry_get (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, (gsize) dn_network_registry_new ());
  return (DnNetworkRegistry *) once;
}

void
dn_network_registry_subscribe (DnNetworkRegistry *registry, DnNetworkChangeFunc func, gpointer data)
{
  const Subscriber subscriber = { func, data };

  g_mutex_lock (&registry->lock);
  g_array_append_val (registry->subscribers, subscriber);
  g_mutex_unlock (&registry->lock);
}

static void
tell (DnNetworkRegistry *registry, const DnNetworkMember *member, gboolean is_there)
{
  for (guint i = 0; i < registry->subscribers->len; i++)
    {
      const Subscriber *subscriber = &g_array_index (registry->subscribers, Subscriber, i);

      subscriber->func (registry, member, is_there, subscriber->data);
    }
}

/* Under the lock. */
static gboolean
has_member (DnNetworkRegistry *registry, const char *network)
{
  GHashTableIter iter;
  DnNetworkMember *member;
  const char *held;

  g_hash_table_iter_init (&iter, registry->members);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &member))
    if (g_strcmp0 (member->network, network) == 0)
      return TRUE;
  g_hash_table_iter_init (&iter, registry->holders);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &held))
    if (g_str_equal (held, network))
      return TRUE;
  return FALSE;
}

/* Under the lock. */
static void
drop_number (DnNetworkRegistry *registry, const char *network)
{
  if (network != NULL && !has_member (registry, network))
    g_hash_table_remove (registry->numbers, network);
}

/* Under the lock. */
static gboolean
is_taken (DnNetworkRegistry *registry, guint32 number)
{
  GHashTableIter iter;
  gpointer other;

  g_hash_table_iter_init (&iter, registry->numbers);
  while (g_hash_table_iter_next (&iter, NULL, &other))
    if (GPOINTER_TO_UINT (other) == number)
      return TRUE;
  return FALSE;
}

/* Under the lock. */
static guint32
number_of (DnNetworkRegistry *registry, const char *network)
{
  gpointer number = g_hash_table_lookup (registry->numbers, network);

  if (number != NULL)
    return GPOINTER_TO_UINT (number);
  do
    registry->last_number = registry->last_number == G_MAXUINT32 ? 1 : registry->last_number + 1;
  while (is_taken (registry, registry->last_number));
  g_hash_table_insert (registry->numbers, g_strdup (network),
                       GUINT_TO_POINTER (registry->last_number));
  return registry->last_number;
}

guint32
dn_network_registry_number (DnNetworkRegistry *registry, const char *network)
{
  guint32 number;

  g_mutex_lock (&registry->lock);
  number = number_of (registry, network);
  g_mutex_unlock (&registry->lock);
  return number;
}

guint32
dn_network_registry_hold (DnNetworkRegistry *registry, const char *network, const char *holder)
{
  guint32 number;

  g_mutex_lock (&registry->lock);
  g_hash_table_insert (registry->holders, g_strdup (holder), g_strdup (network));
  number = number_of (registry, network);
  g_mutex_unlock (&registry->lock);
  return number;
}

void
dn_network_registry_restore (DnNetworkRegistry *registry, const char *network, const char *holder,
                             guint32 number)
{
  g_mutex_lock (&registry->lock);
  g_hash_table_insert (registry->holders, g_strdup (holder), g_strdup (network));
  if (!g_hash_table_contains (registry->numbers, network))
    g_hash_table_insert (registry->numbers, g_strdup (network), GUINT_TO_POINTER (number));
  registry->last_number = MAX (registry->last_number, number);
  g_mutex_unlock (&registry->lock);
}

void
dn_network_registry_release (DnNetworkRegistry *registry, const char *holder)
{
  g_autofree char *network = NULL;

  g_mutex_lock (&registry->lock);
  network = g_strdup (g_hash_table_lookup (registry->holders, holder));
  g_hash_table_remove (registry->holders, holder);
  drop_number (registry, network);
  g_mutex_unlock (&registry->lock);
}

/* Under the lock: as gone, or put into another network. */
static DnNetworkMember *
take_out (DnNetworkRegistry *registry, const char *container)
{
  DnNetworkMember *member = NULL;

  if (g_hash_table_steal_extended (registry->members, container, NULL, (gpointer *) &member))
    drop_number (registry, member->network);
  return member;
}

void
dn_network_registry_put (DnNetworkRegistry *registry, DnNetworkMember *member)
{
  g_autoptr (DnNetworkMember) before = NULL;
  g_autoptr (DnNetworkMember) now = dn_network_member_ref (member);

  g_mutex_lock (&registry->lock);
  if (member->network != NULL)
    (void) number_of (registry, member->network);
  before = g_hash_table_lookup (registry->members, member->container);
  if (before != NULL)
    (void) dn_network_member_ref (before);
  /* The key is the member's own: both go together. */
  g_hash_table_replace (registry->members, member->container, member);
  if (before != NULL)
    drop_number (registry, before->network);
  g_mutex_unlock (&registry->lock);
  tell (registry, now, TRUE);
}

void
dn_network_registry_remove (DnNetworkRegistry *registry, const char *container)
{
  g_autoptr (DnNetworkMember) member = NULL;

  g_mutex_lock (&registry->lock);
  member = take_out (registry, container);
  g_mutex_unlock (&registry->lock);
  if (member != NULL)
    tell (registry, member, FALSE);
}

void
dn_network_registry_remove_guest (DnNetworkRegistry *registry, const char *guest)
{
  g_autoptr (GPtrArray) all = dn_network_registry_list (registry);

  for (guint i = 0; i < all->len; i++)
    {
      const DnNetworkMember *member = all->pdata[i];

      if (g_str_equal (member->guest, guest))
        dn_network_registry_remove (registry, member->container);
    }
}

DnNetworkMember *
dn_network_registry_find (DnNetworkRegistry *registry, const char *container)
{
  DnNetworkMember *member;

  g_mutex_lock (&registry->lock);
  member = g_hash_table_lookup (registry->members, container);
  if (member != NULL)
    (void) dn_network_member_ref (member);
  g_mutex_unlock (&registry->lock);
  return member;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const DnNetworkMember *one = *(DnNetworkMember *const *) a;
  const DnNetworkMember *other = *(DnNetworkMember *const *) b;

  if (one->plan.slot != other->plan.slot)
    return one->plan.slot < other->plan.slot ? -1 : 1;
  return one->slot < other->slot ? -1 : one->slot > other->slot;
}

/* @context, @network: NULL for any. */
static GPtrArray *
list (DnNetworkRegistry *registry, const char *context, const char *network)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_network_member_unref);
  GHashTableIter iter;
  DnNetworkMember *member;

  g_mutex_lock (&registry->lock);
  g_hash_table_iter_init (&iter, registry->members);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &member))
    if ((context == NULL || g_str_equal (member->context, context))
        && (network == NULL || g_strcmp0 (member->network, network) == 0))
      g_ptr_array_add (found, dn_network_member_ref (member));
  g_mutex_unlock (&registry->lock);
  g_ptr_array_sort (found, compare);
  return found;
}

GPtrArray *
dn_network_registry_list_context (DnNetworkRegistry *registry, const char *context)
{
  return list (registry, context, NULL);
}

GPtrArray *
dn_network_registry_list_network (DnNetworkRegistry *registry, const char *network)
{
  return list (registry, NULL, network);
}

GPtrArray *
dn_network_registry_list (DnNetworkRegistry *registry)
{
  return list (registry, NULL, NULL);
}
