/* SPDX-License-Identifier: Apache-2.0 */
#include "share-turn.h"

#include "../common/error.h"

static GMutex lock;
static GCond given_back;
/* Party to the number of its orders under way, both as pointers; those without are not in it. */
static GHashTable *taken;

static guint
count_of (gpointer party)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (taken, party));
}

/* With the lock held. */
static void
set_count (gpointer party, guint count)
{
  if (count == 0)
    (void) g_hash_table_remove (taken, party);
  else
    (void) g_hash_table_insert (taken, party, GUINT_TO_POINTER (count));
}

gboolean
dn_share_turn_take (const DnShareOrder *order, guint timeout_ms, GError **error)
{
  const gint64 deadline = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  gpointer party = GUINT_TO_POINTER (dn_share_order_party (order));
  gboolean is_in_time = TRUE;

  if (!dn_share_order_has_source (order->verb))
    return TRUE;
  g_mutex_lock (&lock);
  if (taken == NULL)
    taken = g_hash_table_new (NULL, NULL);
  while (is_in_time && count_of (party) >= DN_SHARE_TURNS_OF_ONE)
    is_in_time = g_cond_wait_until (&given_back, &lock, deadline);
  if (is_in_time)
    set_count (party, count_of (party) + 1);
  g_mutex_unlock (&lock);
  return is_in_time
         || dn_throw (error, DN_ERROR_FAILED,
                      "%d earlier ones for the same did not end within %u s\n"
                      "see whether a file system of the host hangs, and mend or unmount it",
                      DN_SHARE_TURNS_OF_ONE, timeout_ms / 1000);
}

void
dn_share_turn_give_back (const DnShareOrder *order)
{
  gpointer party = GUINT_TO_POINTER (dn_share_order_party (order));

  if (!dn_share_order_has_source (order->verb))
    return;
  g_mutex_lock (&lock);
  set_count (party, count_of (party) - 1);
  g_cond_broadcast (&given_back);
  g_mutex_unlock (&lock);
}
