/* SPDX-License-Identifier: Apache-2.0 */
#include "container-end.h"

#include <signal.h>

#include "../common/error.h"
#include "../volumes/volume-part.h"
#include "container-call.h"
#include "container-part.h"
#include "context-freeze.h"
#include "context-guest.h"
#include "daemon-record.h"

#define DELETE_TIMEOUT_MS 15000

typedef struct
{
  DnContainer *container; /* a reference */
  guint32 run;
} Ending;

static void
note_die (DnContainer *container)
{
  DnDaemon *daemon = container->daemon;
  g_autofree char *code = NULL, *signal = NULL, *reason = NULL;

  g_mutex_lock (&daemon->lock);
  code = g_strdup_printf ("%" G_GINT64_FORMAT, container->exit_code);
  if (container->exit_signal != 0)
    signal = g_strdup_printf ("%" G_GINT64_FORMAT, container->exit_signal);
  reason = g_strdup (container->reason);
  g_mutex_unlock (&daemon->lock);
  dn_daemon_record_container (container, "container-ended", code, reason);
  dn_container_event (container, "die",
                      (const char *const[]){ "exit_code", code, "signal",
                                             signal != NULL ? signal : "0", "reason", reason,
                                             NULL });
}

static void
wait_until_drained (DnContainer *container, guint32 run)
{
  DnDaemon *daemon = container->daemon;
  gint64 start_us = g_get_monotonic_time ();

  g_mutex_lock (&daemon->lock);
  while (container->in_guest && container->run == run && !container->is_drained
         && !container->is_hurried)
    {
      gint64 seconds = container->has_session ? DN_DRAIN_WITH_SESSION_S : DN_DRAIN_S;

      if (!g_cond_wait_until (&daemon->changed, &daemon->lock, start_us + seconds * G_USEC_PER_SEC))
        break;
    }
  g_mutex_unlock (&daemon->lock);
}

static void
run_ending (gpointer data)
{
  Ending *ending = data;
  DnContainer *container = ending->container;
  DnDaemon *daemon = container->daemon;
  gboolean is_ours, is_to_be_removed;

  dn_container_save_state_or_warn (container);
  note_die (container);
  wait_until_drained (container, ending->run);
  dn_context_wait_thawed (container->context);
  g_mutex_lock (&container->op_lock);
  g_mutex_lock (&daemon->lock);
  /* It may have been started again, or removed, while this waited. */
  is_ours = container->run == ending->run && !container->is_removed
            && container->state == DN_CONTAINER_EXITED;
  is_to_be_removed = is_ours && container->options->is_removed_at_exit;
  g_mutex_unlock (&daemon->lock);
  if (is_ours)
    {
      dn_container_leave_guest (container);
      dn_restart_wait (container);
    }
  if (is_to_be_removed)
    dn_daemon_record_container (container, "container-removed-at-exit", NULL, NULL);
  if (is_to_be_removed)
    dn_container_forget (container);
  g_mutex_unlock (&container->op_lock);
  dn_container_unref (container);
  g_free (ending);
}

static void
begin_ending (DnContainer *container)
{
  Ending *ending = g_new0 (Ending, 1);

  ending->container = dn_container_ref (container);
  ending->run = container->run;
  dn_daemon_work (container->daemon, run_ending, ending);
}

void
dn_container_end (DnContainer *container, const DnMsgExited *exited)
{
  if (container->is_starting)
    {
      container->has_early_exit = TRUE;
      container->early_exit = *exited;
      return;
    }
  if (container->state != DN_CONTAINER_RUNNING && container->state != DN_CONTAINER_PAUSED)
    return;
  container->state = DN_CONTAINER_EXITED;
  container->finished_us = g_get_real_time ();
  /* The guest's numbers, cut to what a status can be. */
  container->exit_signal = exited->signal & 127;
  container->exit_code
      = container->exit_signal != 0 ? 128 + container->exit_signal : (exited->code & 255);
  container->is_oom_killed = exited->oom_kills > 0 && exited->signal == SIGKILL
                             && dn_oom_victim_can_be_first (&container->oom);
  g_free (container->reason);
  container->reason = container->is_oom_killed ? dn_oom_victim_reason (&container->oom)
                                               : g_steal_pointer (&container->exit_reason);
  dn_restart_ended (container);
  g_cond_broadcast (&container->daemon->changed);
  begin_ending (container);
}

static void
end_in_lost_guest (DnContainer *container, const char *reason)
{
  DnContext *context = container->context;

  /* One that is being started is seen to by its starter, whose calls fail now. */
  if (!container->in_guest || container->is_starting)
    return;
  container->in_guest = FALSE;
  context->slots &= ~(G_GUINT64_CONSTANT (1) << container->slot);
  context->users--;
  if (container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED)
    {
      container->state = DN_CONTAINER_EXITED;
      container->finished_us = g_get_real_time ();
      container->exit_code = DN_EXIT_GUEST_GONE;
      container->exit_signal = SIGKILL;
      container->is_oom_killed = FALSE;
      g_free (container->reason);
      container->reason = g_strdup (reason);
      dn_restart_ended (container);
      begin_ending (container);
    }
}

void
dn_container_end_all (DnContext *context, const char *reason)
{
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (container->context == context)
      end_in_lost_guest (container, reason);
  g_cond_broadcast (&context->daemon->changed);
}

static void
delete_in_guest (DnContainer *container, DnGuest *guest)
{
  DnMsgDelete message = { 0 };
  g_autoptr (GError) error = NULL;

  g_strlcpy (message.container, container->id, sizeof message.container);
  if (!dn_container_call (guest, DN_MSG_DELETE, &message, (DnPackFunc) dn_msg_delete_pack,
                          DELETE_TIMEOUT_MS, &error))
    g_warning ("container %s: deleting it in its guest: %s", container->id, error->message);
  g_clear_error (&error);
  if (!dn_guest_forget_process (guest, container->id, 0, &error))
    g_debug ("container %s: %s", container->id, error->message);
}

void
dn_container_leave_guest (DnContainer *container)
{
  DnDaemon *daemon = container->daemon;
  DnContext *context = container->context;
  g_autoptr (DnGuest) guest = NULL;
  gboolean was_in_guest, goes_with_guest, has_volumes;
  guint slot;

  g_mutex_lock (&daemon->lock);
  was_in_guest = container->in_guest;
  container->in_guest = FALSE;
  slot = container->slot;
  has_volumes = dn_container_has_volumes (container);
  goes_with_guest
      = dn_context_goes_with_container (context) && !container->restart.is_pending && !has_volumes;
  if (was_in_guest && context->guest != NULL)
    guest = dn_guest_ref (context->guest);
  g_cond_broadcast (&daemon->changed);
  g_mutex_unlock (&daemon->lock);
  if (!was_in_guest)
    {
      /* Its guest went under it, or there was none: what is the host's is still to be given back.
       */
      dn_container_parts_leave (container, NULL);
      return;
    }
  /* A guest that goes with its only container need not be tidied up first, unless something of it
   * is to stay. */
  if (guest != NULL && !goes_with_guest)
    delete_in_guest (container, guest);
  dn_container_parts_leave (container, goes_with_guest ? NULL : guest);
  dn_context_release (context, slot, guest != NULL ? dn_guest_id (guest) : "", container->image_id);
  dn_container_save_state_or_warn (container);
}

void
dn_container_hurry (DnContainer *container)
{
  g_mutex_lock (&container->daemon->lock);
  container->is_hurried = TRUE;
  g_cond_broadcast (&container->daemon->changed);
  g_mutex_unlock (&container->daemon->lock);
}
