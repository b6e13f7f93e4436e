/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-memory.h"

#include <unistd.h>

/* How often who waits is asked whether it still does. */
#define WAIT_US (200 * 1000)

static GMutex lock;
static GCond changed;
static guint64 used_bytes;
static GQueue row = G_QUEUE_INIT; /* who waits, in the order of their coming */

/* Unless it is set: a quarter of the host's memory. */
static guint64
limit_bytes (const DnSettings *settings)
{
  guint64 all = (guint64) MAX (sysconf (_SC_PHYS_PAGES), 0) * (guint64) sysconf (_SC_PAGESIZE);

  return settings->unpack_total_memory_bytes != 0 ? settings->unpack_total_memory_bytes : all / 4;
}

gboolean
dn_guest_memory_take (const DnSettings *settings, guint64 bytes, DnGuestMemoryWait wait,
                      gpointer data, GError **error)
{
  guint64 limit = limit_bytes (settings);
  gboolean is_fine = TRUE;
  int place; /* its address is this call's place in the row */

  g_mutex_lock (&lock);
  g_queue_push_tail (&row, &place);
  while (is_fine
         && (g_queue_peek_head (&row) != &place || (used_bytes > 0 && used_bytes + bytes > limit)))
    {
      g_mutex_unlock (&lock);
      is_fine = wait (data, error);
      g_mutex_lock (&lock);
      if (is_fine)
        (void) g_cond_wait_until (&changed, &lock, g_get_monotonic_time () + WAIT_US);
    }
  (void) g_queue_remove (&row, &place);
  if (is_fine)
    used_bytes += bytes;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return is_fine;
}

void
dn_guest_memory_give (guint64 bytes)
{
  g_mutex_lock (&lock);
  used_bytes -= bytes;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}
