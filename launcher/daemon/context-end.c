/* SPDX-License-Identifier: Apache-2.0 */
#include "context-end.h"

#include "container-call.h"
#include "container-end.h"
#include "context-guest.h"

/* For output that is still on its way when all containers of a context have ended. */
#define DRAIN_TIMEOUT_US (5 * G_USEC_PER_SEC)

typedef struct
{
  DnContainer *container; /* a reference */
  gint64 timeout_s;
  gboolean is_removed; /* remove it, too */
  GThread *thread;
  GError *error;
} Ending;

static gpointer
end_container (gpointer data)
{
  Ending *ending = data;
  DnContainer *container = ending->container;
  gboolean is_fine;

  g_mutex_lock (&container->op_lock);
  is_fine = ending->is_removed
                ? dn_container_kill (container, &ending->error)
                : dn_container_stop (container, 0, ending->timeout_s, &ending->error);
  if (is_fine && ending->is_removed && !container->is_removed)
    {
      dn_container_leave_guest (container);
      dn_container_forget (container);
    }
  g_mutex_unlock (&container->op_lock);
  return NULL;
}

/* Under the daemon's lock: what the exit of whatever runs will be put down to. */
static void
set_exit_reason (DnContext *context, const char *reason)
{
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->context == context && container->in_guest)
      {
        g_free (container->exit_reason);
        container->exit_reason = g_strdup (reason);
      }
}

void
dn_context_end_containers (DnContext *context, gint64 timeout_s, gboolean is_removed,
                           const char *reason)
{
  g_autoptr (GPtrArray) all = dn_container_list (context->daemon);
  g_autoptr (GArray) endings = g_array_new (FALSE, TRUE, sizeof (Ending));

  for (guint i = 0; i < all->len; i++)
    {
      Ending ending
          = { .container = all->pdata[i], .timeout_s = timeout_s, .is_removed = is_removed };

      if (ending.container->context == context)
        g_array_append_val (endings, ending);
    }
  if (reason != NULL)
    {
      g_mutex_lock (&context->daemon->lock);
      set_exit_reason (context, reason);
      g_mutex_unlock (&context->daemon->lock);
    }
  for (guint i = 0; i < endings->len; i++)
    {
      Ending *ending = &g_array_index (endings, Ending, i);

      ending->thread = g_thread_new ("end", end_container, ending);
    }
  for (guint i = 0; i < endings->len; i++)
    {
      Ending *ending = &g_array_index (endings, Ending, i);

      (void) g_thread_join (ending->thread);
      /* The guest goes next, and with it whatever did not end. */
      if (ending->error != NULL)
        g_message ("context '%s': %s", context->name, ending->error->message);
      g_clear_error (&ending->error);
    }
}

static void
wait_until_empty (DnContext *context)
{
  DnDaemon *daemon = context->daemon;
  gint64 end_us = g_get_monotonic_time () + DRAIN_TIMEOUT_US;

  g_mutex_lock (&daemon->lock);
  while (context->users > 0 && context->guest != NULL)
    if (!g_cond_wait_until (&daemon->changed, &daemon->lock,
                            MIN (end_us, g_get_monotonic_time () + 100000))
        && g_get_monotonic_time () >= end_us)
      break;
  g_mutex_unlock (&daemon->lock);
}

void
dn_context_end (DnContext *context, gint64 timeout_s, const char *reason, const char *exit_reason)
{
  dn_context_end_containers (context, timeout_s, FALSE, exit_reason);
  wait_until_empty (context);
  dn_context_stop_guest (context, DN_GUEST_POWEROFF_TIMEOUT_MS, reason);
}
