/* SPDX-License-Identifier: Apache-2.0 */
#include "container-call.h"

#include <signal.h>

#include "../common/error.h"
#include "../common/signal-name.h"
#include "context-freeze.h"
#include "context-guest.h"

#define STOP_TIMEOUT_S 10
/* From SIGKILL to the agent's word that it has ended. */
#define KILL_TIMEOUT_MS 15000

gboolean
dn_container_call (DnGuest *guest, guint16 type, gpointer message, DnPackFunc pack,
                   guint timeout_ms, GError **error)
{
  DnGuestCall call = { .type = type, .message = message, .pack = pack, .timeout_ms = timeout_ms };

  return dn_guest_call (guest, &call, error);
}

DnGuest *
dn_container_get_guest (DnContainer *container, GError **error)
{
  DnDaemon *daemon = container->daemon;
  DnGuest *guest = NULL;

  g_mutex_lock (&daemon->lock);
  if ((container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED)
      && container->in_guest && container->context->guest != NULL)
    guest = dn_guest_ref (container->context->guest);
  else
    dn_throw (error, DN_ERROR_CONFLICT, "container '%s': is %s, not running\nsee danchi ps -a",
              container->name, dn_container_state_words[container->state]);
  g_mutex_unlock (&daemon->lock);
  if (guest == NULL || dn_guest_check_thawed (guest, error))
    return guest;
  g_prefix_error (error, "container '%s': ", container->name);
  dn_guest_unref (guest);
  return NULL;
}

gboolean
dn_container_signal (DnContainer *container, guint32 process, int signal, guint32 flags,
                     GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);
  DnMsgSignal message = { .process = process, .signal = (guint32) signal, .flags = flags };

  if (guest == NULL)
    return FALSE;
  g_strlcpy (message.container, container->id, sizeof message.container);
  return dn_container_call (guest, DN_MSG_SIGNAL, &message, (DnPackFunc) dn_msg_signal_pack,
                            DN_CALL_TIMEOUT_MS, error);
}

/* Changes between running and paused, unless it ended meanwhile. */
static void
set_paused (DnContainer *container, gboolean is_paused)
{
  DnDaemon *daemon = container->daemon;

  g_mutex_lock (&daemon->lock);
  if (container->state == (is_paused ? DN_CONTAINER_RUNNING : DN_CONTAINER_PAUSED))
    container->state = is_paused ? DN_CONTAINER_PAUSED : DN_CONTAINER_RUNNING;
  g_cond_broadcast (&daemon->changed);
  g_mutex_unlock (&daemon->lock);
  dn_container_save_state_or_warn (container);
  dn_container_event (container, is_paused ? "pause" : "unpause", NULL);
}

static gboolean
is_paused (DnContainer *container)
{
  gboolean result;

  g_mutex_lock (&container->daemon->lock);
  result = container->state == DN_CONTAINER_PAUSED;
  g_mutex_unlock (&container->daemon->lock);
  return result;
}

gboolean
dn_container_pause (DnContainer *container, GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);
  DnMsgPause message = { 0 };

  if (guest == NULL)
    return FALSE;
  if (is_paused (container))
    return dn_throw (error, DN_ERROR_CONFLICT, "container '%s': is paused already",
                     container->name);
  g_strlcpy (message.container, container->id, sizeof message.container);
  if (!dn_container_call (guest, DN_MSG_PAUSE, &message, (DnPackFunc) dn_msg_pause_pack,
                          DN_CALL_TIMEOUT_MS, error))
    return FALSE;
  set_paused (container, TRUE);
  return TRUE;
}

gboolean
dn_container_unpause (DnContainer *container, GError **error)
{
  g_autoptr (DnGuest) guest = dn_container_get_guest (container, error);
  DnMsgResume message = { 0 };

  if (guest == NULL)
    return FALSE;
  if (!is_paused (container))
    return dn_throw (error, DN_ERROR_CONFLICT, "container '%s': is not paused", container->name);
  g_strlcpy (message.container, container->id, sizeof message.container);
  if (!dn_container_call (guest, DN_MSG_RESUME, &message, (DnPackFunc) dn_msg_resume_pack,
                          DN_CALL_TIMEOUT_MS, error))
    return FALSE;
  set_paused (container, FALSE);
  return TRUE;
}

gboolean
dn_container_wait_ended (DnContainer *container, guint timeout_ms)
{
  DnDaemon *daemon = container->daemon;
  gint64 end_us = g_get_monotonic_time () + (gint64) timeout_ms * 1000;
  gboolean has_ended;

  g_mutex_lock (&daemon->lock);
  while (container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED)
    if (!g_cond_wait_until (&daemon->changed, &daemon->lock, end_us))
      break;
  has_ended = container->state != DN_CONTAINER_RUNNING && container->state != DN_CONTAINER_PAUSED;
  g_mutex_unlock (&daemon->lock);
  return has_ended;
}

gboolean
dn_container_kill (DnContainer *container, GError **error)
{
  g_autoptr (GError) local = NULL;

  dn_restart_forbid (container);
  if (dn_container_wait_ended (container, 0))
    return TRUE;
  /* It would not end, and the guest must not go for that. */
  if (!dn_context_check_thawed (container->context, error))
    return FALSE;
  if (dn_container_signal (container, 0, SIGKILL, DN_SIGNAL_ALL, &local)
      && dn_container_wait_ended (container, KILL_TIMEOUT_MS))
    return TRUE;
  if (dn_container_wait_ended (container, 0))
    return TRUE;
  if (!dn_context_check_thawed (container->context, error))
    return FALSE;
  /* The guest does not do as it is told.  Where it holds nothing else, it goes as a whole: that
   * needs neither agent nor relay. */
  if (dn_context_goes_with_container (container->context))
    {
      dn_context_stop_guest (container->context, 0, "the guest did not end the container");
      return TRUE;
    }
  return dn_throw (error, DN_ERROR_GUEST,
                   "container '%s': cannot be ended: %s\nits guest may be stuck: danchi context "
                   "stop %s ends all of it",
                   container->name, local != NULL ? local->message : "it still runs after SIGKILL",
                   container->context->name);
}

int
dn_container_stop_signal (DnContainer *container, gint64 *ret_timeout_s)
{
  DnDaemon *daemon = container->daemon;
  g_autoptr (DnImage) image = dn_store_find_id (daemon->store, container->image_id);
  g_autofree char *text = NULL;
  int signal;

  g_mutex_lock (&daemon->lock);
  text = g_strdup (container->options->stop_signal);
  if (*ret_timeout_s < 0)
    *ret_timeout_s = container->options->stop_timeout_s;
  g_mutex_unlock (&daemon->lock);
  if (*ret_timeout_s < 0)
    *ret_timeout_s = STOP_TIMEOUT_S;
  if (text == NULL && image != NULL)
    text = g_strdup (image->config.stop_signal);
  signal = text != NULL ? dn_signal_from_text (text) : SIGTERM;
  /* What an image names may be no signal at all. */
  return signal > 0 ? signal : SIGTERM;
}

gboolean
dn_container_stop (DnContainer *container, int signal, gint64 timeout_s, GError **error)
{
  int own = dn_container_stop_signal (container, &timeout_s);
  g_autoptr (GError) local = NULL;

  dn_restart_forbid (container);
  if (dn_container_wait_ended (container, 0))
    return TRUE;
  if (is_paused (container))
    (void) dn_container_unpause (container, NULL);
  if (timeout_s > 0 && dn_container_signal (container, 0, signal != 0 ? signal : own, 0, &local)
      && dn_container_wait_ended (container, (guint) MIN (timeout_s, 86400) * 1000))
    return TRUE;
  return dn_container_kill (container, error);
}
