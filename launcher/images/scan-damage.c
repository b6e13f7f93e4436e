/* SPDX-License-Identifier: Apache-2.0 */
#include "scan-damage.h"

static GMutex lock;
static GHashTable *watched; /* guest's id → whether damage was seen */

void
dn_scan_damage_take (DnGuest *guest, const DnMsgDiskDamage *damage, gpointer data)
{
  const char *id = dn_guest_id (guest);

  (void) damage;
  (void) data;
  g_mutex_lock (&lock);
  if (watched != NULL && g_hash_table_contains (watched, id))
    g_hash_table_insert (watched, g_strdup (id), GINT_TO_POINTER (TRUE));
  g_mutex_unlock (&lock);
}

void
dn_scan_damage_watch (DnGuest *guest)
{
  g_mutex_lock (&lock);
  if (watched == NULL)
    watched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (watched, g_strdup (dn_guest_id (guest)), GINT_TO_POINTER (FALSE));
  g_mutex_unlock (&lock);
}

gboolean
dn_scan_damage_was_seen (DnGuest *guest)
{
  gboolean was_seen;

  g_mutex_lock (&lock);
  was_seen = watched != NULL && g_hash_table_lookup (watched, dn_guest_id (guest)) != NULL;
  g_mutex_unlock (&lock);
  return was_seen;
}

void
dn_scan_damage_forget (DnGuest *guest)
{
  g_mutex_lock (&lock);
  if (watched != NULL)
    g_hash_table_remove (watched, dn_guest_id (guest));
  g_mutex_unlock (&lock);
}
