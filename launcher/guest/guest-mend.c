/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that ended or a link that broke under a running guest: both are replaced, the guest goes
 * on, and so do its containers.  The agent keeps what was not acknowledged. */
#include <string.h>

#include "../common/error.h"
#include "guest-private.h"
#include "process.h"
#include "relay-process.h"

#define END_WORDS_MS 500
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 1000
#define LINK_WAIT_MS 8000
#define RELAY_END_WAIT_MS 2000

gboolean
dn_guest_qemu_is_alive (DnGuest *guest)
{
  gint pid;

  g_mutex_lock (&guest->lock);
  pid = guest->info.qemu_pid;
  g_mutex_unlock (&guest->lock);
  /* Asked of the kernel, not of libvirt, which may be away. */
  return dn_process_is_alive (pid, guest->qemu_start_ticks);
}

gboolean
dn_guest_wait_link (DnGuest *guest, gint64 end_us, GError **error)
{
  gboolean is_linked;
  g_autofree char *problem = NULL;

  g_mutex_lock (&guest->lock);
  while (!guest->is_linked && guest->link_problem == NULL && guest->domain_end == NULL
         && guest->state != DN_GUEST_ENDING
         && g_cond_wait_until (&guest->changed, &guest->lock, end_us))
    ;
  is_linked = guest->is_linked;
  problem = g_strdup (guest->domain_end != NULL ? guest->domain_end : guest->link_problem);
  g_mutex_unlock (&guest->lock);
  if (is_linked)
    return TRUE;
  return dn_throw (error, DN_ERROR_GUEST, "%s",
                   problem != NULL ? problem : "the agent does not answer");
}

static gboolean
is_still_running (DnGuest *guest)
{
  gboolean is_it;

  g_mutex_lock (&guest->lock);
  is_it = guest->state == DN_GUEST_RUNNING;
  g_mutex_unlock (&guest->lock);
  return is_it;
}

static gboolean
replace_relay (DnGuest *guest, GError **error)
{
  gboolean is_done;
  gint pid;

  g_mutex_lock (&guest->journal_lock);
  /* Asked under this lock: who takes the guest down undoes the journal entry under it, after the
   * state was changed, and so finds this relay in the entry, or keeps it from being made. */
  if (!is_still_running (guest))
    {
      g_mutex_unlock (&guest->journal_lock);
      return dn_throw (error, DN_ERROR_GUEST, "the guest is being ended");
    }
  /* It may be half alive: its socket closed, or stuck.  Two relays must never be. */
  (void) dn_relay_process_end (guest->entry, RELAY_END_WAIT_MS);
  is_done = dn_relay_process_start (guest->directory, guest->entry, error)
            && dn_journal_write (guest->entry, error);
  pid = guest->entry->relay_pid;
  g_mutex_unlock (&guest->journal_lock);
  if (!is_done)
    return FALSE;
  g_mutex_lock (&guest->lock);
  guest->info.relay_pid = pid;
  g_mutex_unlock (&guest->lock);
  return dn_guest_open_channel (guest, error);
}

/* One attempt. */
static gboolean
mend_once (DnGuest *guest, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + LINK_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  gboolean has_relay;

  g_mutex_lock (&guest->lock);
  has_relay = guest->has_relay;
  g_clear_pointer (&guest->link_problem, g_free);
  g_mutex_unlock (&guest->lock);
  if (!has_relay && !replace_relay (guest, error))
    return FALSE;
  /* Before the link: a relay takes output of processes it does not know for an attack. */
  return (has_relay || dn_guest_resend_processes (guest, error))
         && dn_guest_send_channel (guest, error) && dn_guest_wait_link (guest, end_us, error);
}

/* Ends that happened while nobody listened. */
static void
report_missed_ends (DnGuest *guest)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) processes = dn_guest_list_in_any_state (guest, &error);

  if (processes == NULL)
    {
      g_warning ("guest '%s': after its relay was replaced: %s", guest->id, error->message);
      return;
    }
  for (guint i = 0; i < processes->len; i++)
    {
      const DnGuestProcess *process = &g_array_index (processes, DnGuestProcess, i);

      if (process->has_exited && guest->handlers.exited != NULL)
        guest->handlers.exited (guest, &process->exited, guest->handlers.data);
    }
}

static gboolean
claim_mending (DnGuest *guest)
{
  gboolean is_mine;

  g_mutex_lock (&guest->lock);
  is_mine = guest->state == DN_GUEST_RUNNING && !guest->is_mending && !guest->is_linked
            && !dn_guest_is_frozen (guest);
  guest->is_mending = guest->is_mending || is_mine;
  g_mutex_unlock (&guest->lock);
  return is_mine;
}

/* QEMU is gone.  libvirt knows more about why, but may tell it a moment later than the relay lost
 * the link. */
static gboolean
throw_end (DnGuest *guest, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + END_WORDS_MS * G_TIME_SPAN_MILLISECOND;
  g_autofree char *words = NULL;

  g_mutex_lock (&guest->lock);
  while (guest->domain_end == NULL && g_cond_wait_until (&guest->changed, &guest->lock, end_us))
    ;
  words = g_strdup (guest->domain_end != NULL ? dn_guest_end_words (guest) : "QEMU ended");
  g_mutex_unlock (&guest->lock);
  return dn_throw (error, DN_ERROR_GUEST, "%s", words);
}

/* Until it works, the time is up, the guest is gone or somebody stops it. */
static gboolean
mend_until (DnGuest *guest, gint64 end_us, GError **error)
{
  guint backoff_ms = BACKOFF_FIRST_MS;

  for (;;)
    {
      g_autoptr (GError) problem = NULL;

      if (!dn_guest_qemu_is_alive (guest))
        return throw_end (guest, error);
      if (dn_guest_is_frozen (guest))
        return dn_throw (error, DN_ERROR_GUEST, "it was frozen meanwhile");
      if (mend_once (guest, &problem))
        return TRUE;
      if (!is_still_running (guest) || g_get_monotonic_time () >= end_us)
        {
          g_propagate_error (error, g_steal_pointer (&problem));
          return FALSE;
        }
      g_debug ("guest '%s': %s; trying again", guest->id, problem->message);
      g_usleep (backoff_ms * 1000UL);
      backoff_ms = MIN (2 * backoff_ms, BACKOFF_MOST_MS);
    }
}

void
dn_guest_mend (DnGuest *guest)
{
  gint64 end_us = g_get_monotonic_time () + DN_GUEST_MEND_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) error = NULL;
  gint freezes = g_atomic_int_get (&guest->freezes);
  gboolean is_mended, is_broken_again, was_frozen;

  if (!claim_mending (guest))
    return;
  g_message ("guest '%s' of context '%s': relay or link are gone, replacing them", guest->id,
             guest->context);
  is_mended = mend_until (guest, end_us, &error);
  if (is_mended)
    report_missed_ends (guest);
  /* One that cannot answer is not given up for it: the thaw begins anew. */
  was_frozen = g_atomic_int_get (&guest->freezes) != freezes;
  g_mutex_lock (&guest->lock);
  guest->is_mending = FALSE;
  is_broken_again
      = (is_mended || was_frozen) && !guest->is_linked && guest->state == DN_GUEST_RUNNING;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  /* It broke while this mender was at its end, and the next one was turned away. */
  if (is_broken_again)
    dn_guest_spawn (guest, "guest-mend", dn_guest_mend);
  else if (!is_mended && !was_frozen && is_still_running (guest))
    dn_guest_end_from_inside (guest, FALSE, error->message);
}
