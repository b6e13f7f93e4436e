/* SPDX-License-Identifier: Apache-2.0 */
#include "lifetime.h"

#include <time.h>

#include "context-end.h"
#include "context-freeze.h"
#include "context-guest.h"

/* How long a container may take to end by itself when its time is over. Its own timeout is its
 * owner's to choose, up to a day: it would make a longer life of it. */
#define END_TIMEOUT_S 10

/* How often files are looked at while guests run and nobody asks for anything. */
#define REFRESH_EVERY 10

typedef struct
{
  DnContext *context; /* a reference */
  DnLifetime verdict;
  guint64 limit_s;
} End;

gint64
dn_lifetime_now_us (void)
{
  struct timespec now = { 0 };

  (void) clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

void
dn_lifetime_adopt (DnContext *context)
{
  gint64 now_us = dn_lifetime_now_us ();

  g_mutex_lock (&context->daemon->lock);
  if (context->guest_since_us == 0 || context->guest_since_us > now_us)
    context->guest_since_us = now_us;
  if (context->users > 0)
    context->idle_since_us = 0;
  else if (context->idle_since_us == 0 || context->idle_since_us > now_us)
    context->idle_since_us = now_us;
  g_mutex_unlock (&context->daemon->lock);
}

static void
run_end (gpointer data)
{
  End *end = data;
  DnContext *context = end->context;
  gboolean is_idle = end->verdict == DN_LIFETIME_IDLE;
  g_autofree char *limit = g_strdup_printf ("%" G_GUINT64_FORMAT, end->limit_s);
  g_autofree char *reason = g_strdup_printf (is_idle ? "it was empty for its context's idle_s, %s s"
                                                     : "its context's maximum_s, %s s, are over",
                                             limit);
  g_autofree char *exit_reason
      = g_strdup_printf ("lifetime: its context's maximum_s, %s s, are over", limit);

  dn_events_add (context->daemon->events, "context", "lifetime", context->name, context->name,
                 context->name,
                 (const char *const[]){ is_idle ? "idle_s" : "maximum_s", limit, NULL });
  if (is_idle)
    dn_context_stop_idle_guest (context, DN_GUEST_POWEROFF_TIMEOUT_MS, reason);
  else
    dn_context_end (context, END_TIMEOUT_S, reason, exit_reason);
  g_mutex_lock (&context->daemon->lock);
  context->is_ending = FALSE;
  g_mutex_unlock (&context->daemon->lock);
  dn_context_unref (context);
  g_free (end);
}

/* Under the daemon's lock. Returns what is to be done, or NULL. */
static End *
judge (DnContext *context, gint64 now_us)
{
  const DnTerms *terms = &context->definition.terms;
  DnLifetime verdict;
  End *end;

  /* A pod's time is the kubelet's to say.  A frozen guest is somebody's evidence: its time goes on,
   * its end waits for the thaw. */
  if (context->guest == NULL || context->pod != NULL || context->is_ending
      || dn_context_is_frozen_locked (context))
    return NULL;
  verdict = dn_lifetime_judge (terms, context->guest_since_us,
                               context->users == 0 ? context->idle_since_us : 0, now_us);
  if (verdict == DN_LIFETIME_GOES_ON)
    return NULL;
  context->is_ending = TRUE;
  end = g_new0 (End, 1);
  end->context = dn_context_ref (context);
  end->verdict = verdict;
  end->limit_s = verdict == DN_LIFETIME_IDLE ? terms->idle_s : terms->maximum_s;
  return end;
}

static gboolean
look (gpointer data)
{
  static guint round;
  DnDaemon *daemon = data;
  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  gint64 now_us = dn_lifetime_now_us ();
  gboolean has_guests = FALSE;
  GHashTableIter iter;
  DnContext *context;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    {
      End *end = judge (context, now_us);

      has_guests = has_guests || context->guest != NULL;
      if (end != NULL)
        g_ptr_array_add (ends, end);
    }
  g_mutex_unlock (&daemon->lock);
  for (guint i = 0; i < ends->len; i++)
    dn_daemon_work (daemon, run_end, ends->pdata[i]);
  if (has_guests && ++round % REFRESH_EVERY == 0)
    dn_context_refresh (daemon);
  return G_SOURCE_CONTINUE;
}

void
dn_lifetime_watch (DnDaemon *daemon)
{
  (void) g_timeout_add_seconds (1, look, daemon);
}
