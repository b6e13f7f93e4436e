/* SPDX-License-Identifier: Apache-2.0 */
/* How guests end: stopped, destroyed, or gone by themselves; and how all they were made of goes. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "../../protocol/milestone.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../network/gateway.h"
#include "../network/resolver-process.h"
#include "access.h"
#include "domain-xml.h"
#include "guest-private.h"
#include "hypervisor.h"
#include "identity.h"
#include "process.h"
#include "relay-process.h"

#define QUIT_WAIT_MS 1000
#define KILL_WAIT_MS 5000
#define DESTROY_TIMEOUT_MS 10000
#define POLL_MS 250
/* Where libvirt's system driver keeps QEMU's output, a file for each domain's name. */
#define QEMU_LOG_DIRECTORY "/var/log/libvirt/qemu"

G_GNUC_PRINTF (2, 3)
static void
note (GPtrArray *removed, const char *format, ...)
{
  va_list arguments;

  if (removed == NULL)
    return;
  va_start (arguments, format);
  g_ptr_array_add (removed, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

gboolean
dn_guest_remove_directory (const char *path)
{
  dn_autofd int directory = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  g_autoptr (GDir) files = directory >= 0 ? g_dir_open (path, 0, NULL) : NULL;
  const char *name;

  if (directory < 0 || files == NULL)
    return FALSE;
  /* Flat by design; by descriptor and without following, since a guest's uid owns files in it. */
  while ((name = g_dir_read_name (files)) != NULL)
    (void) unlinkat (directory, name, 0);
  return g_rmdir (path) == 0;
}

static void
undo_domain (const DnJournalEntry *entry, GPtrArray *removed)
{
  g_autofree char *domain = g_strconcat (DN_DOMAIN_NAME_PREFIX, entry->id, NULL);
  g_autofree char *log = g_strdup_printf (QEMU_LOG_DIRECTORY "/%s.log", domain);
  g_autoptr (GError) error = NULL;
  gboolean is_active = FALSE;

  if (removed != NULL && dn_hypervisor_is_active (domain, &is_active, NULL, NULL) && is_active)
    note (removed, "domain '%s'", domain);
  /* Without libvirt QEMU is ended by its uid below; libvirt notices when it is back. */
  if (!dn_hypervisor_destroy (domain, DESTROY_TIMEOUT_MS, &error))
    g_warning ("guest '%s': %s", entry->id, error->message);
  if (strcmp (dn_hypervisor_uri (), "qemu:///system") == 0)
    (void) g_unlink (log);
}

static gboolean
undo_processes (DnJournalEntry *entry, GPtrArray *removed)
{
  guint killed, left;

  if (!dn_journal_entry_is_of_this_boot (entry))
    return TRUE;
  if (dn_process_is_alive (entry->relay_pid, entry->relay_start_ticks))
    note (removed, "relay %d", entry->relay_pid);
  (void) dn_relay_process_end (entry, KILL_WAIT_MS);
  if (dn_process_is_alive (entry->share_pid, entry->share_start_ticks))
    note (removed, "virtiofsd %d", entry->share_pid);
  (void) dn_guest_end_share (entry);
  /* The uid is this guest's alone: whatever still has it, QEMU or a relay not yet journaled, is
   * part of what the start made. */
  killed = dn_process_kill_uid (entry->uid, KILL_WAIT_MS, &left);
  if (killed > 0)
    note (removed, "%u process(es) of uid %u", killed, entry->uid);
  if (left > 0)
    g_warning ("guest '%s': %u process(es) of uid %u cannot be ended; see danchi gc", entry->id,
               left, entry->uid);
  return left == 0;
}

static void
undo_files (const DnJournalEntry *entry, GPtrArray *removed)
{
  g_autofree char *run = g_build_filename (dn_paths ()->run, "guests", entry->id, NULL);
  g_autofree char *state = g_build_filename (dn_paths ()->state, "guests", entry->id, NULL);
  g_autofree char *log = dn_relay_process_log_path (entry->id);
  g_autofree char *resolver_log = dn_resolver_process_log_path (entry->id);

  for (char **path = entry->grants; *path != NULL; path++)
    (void) dn_access_revoke (*path, entry->uid, NULL);
  if (dn_guest_remove_directory (run))
    note (removed, "directory '%s'", run);
  if (dn_guest_remove_directory (state))
    note (removed, "directory '%s'", state);
  (void) g_unlink (log);
  (void) g_unlink (resolver_log);
}

/* After the processes: QEMU had the tap.  Without the gateway the entry stays, and with it the
 * identity: nobody else gets these addresses. */
static gboolean
undo_card (const DnJournalEntry *entry, GPtrArray *removed)
{
  g_autoptr (GError) error = NULL;

  if (!entry->has_card || !dn_journal_entry_is_of_this_boot (entry))
    return TRUE;
  if (!dn_gateway_close (entry->slot, &error))
    {
      g_warning ("guest '%s': its network stays until danchi gc: %s", entry->id, error->message);
      return FALSE;
    }
  if (removed != NULL)
    note (removed, "network of identity %u", entry->uid);
  return TRUE;
}

gboolean
dn_guest_undo (DnJournalEntry *entry, GPtrArray *removed)
{
  g_autofree char *journal = dn_journal_path (entry->id);

  undo_domain (entry, removed);
  if (!undo_processes (entry, removed))
    return FALSE;
  undo_files (entry, removed);
  if (!undo_card (entry, removed))
    return FALSE;
  /* The entry goes before the slot: while an entry names a uid, nobody else may get it, or a gc
   * would end the next guest's processes. */
  if (!dn_journal_remove (entry->id, NULL))
    return FALSE;
  dn_identity_release (entry->slot, journal);
  note (removed, "journal entry and identity %u of guest '%s'", entry->uid, entry->id);
  return TRUE;
}

/* Lets the relay tell its sessions. */
static void
quit_relay (DnGuest *guest)
{
  gint64 end_us = g_get_monotonic_time () + QUIT_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  guint64 start_ticks;
  gint pid;

  g_mutex_lock (&guest->journal_lock);
  pid = guest->entry->relay_pid;
  start_ticks = guest->entry->relay_start_ticks;
  g_mutex_unlock (&guest->journal_lock);
  if (!dn_guest_send (guest, DN_MSG_QUIT, NULL, 0, NULL, NULL))
    return;
  while (dn_process_is_alive (pid, start_ticks) && g_get_monotonic_time () < end_us)
    g_usleep (2000);
}

void
dn_guest_take_down (DnGuest *guest)
{
  g_autoptr (GError) error = NULL;
  gint qemu_pid;

  dn_guest_lose_calls (guest);
  /* The guest's end comes first: the relay's last words to sessions should be true.  QEMU is ended
   * by us: libvirt asks it politely first and looks again every 200 ms, and no disk of a guest's
   * needs the politeness (domain-xml.h). */
  g_mutex_lock (&guest->lock);
  qemu_pid = guest->info.qemu_pid;
  g_mutex_unlock (&guest->lock);
  (void) dn_process_kill (qemu_pid, guest->qemu_start_ticks, KILL_WAIT_MS);
  /* It is in QEMU's control groups, which libvirt takes away only when they are empty. */
  g_mutex_lock (&guest->journal_lock);
  (void) dn_guest_end_share (guest->entry);
  g_mutex_unlock (&guest->journal_lock);
  if (!dn_hypervisor_destroy (guest->domain, DESTROY_TIMEOUT_MS, &error))
    g_debug ("guest '%s': %s", guest->id, error->message);
  quit_relay (guest);
  dn_guest_close_channel (guest);
  g_mutex_lock (&guest->journal_lock);
  (void) dn_guest_undo (guest->entry, NULL);
  g_mutex_unlock (&guest->journal_lock);
  dn_guest_unregister (guest);
  g_mutex_lock (&guest->lock);
  g_ptr_array_set_size (guest->processes, 0);
  guest->state = DN_GUEST_ENDED;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
}

/* Whether the caller is the one to take the guest down; all others wait here until it is. */
static gboolean
claim_end (DnGuest *guest)
{
  gboolean is_mine;

  g_mutex_lock (&guest->lock);
  is_mine = guest->state == DN_GUEST_RUNNING;
  if (is_mine)
    guest->state = DN_GUEST_ENDING;
  g_cond_broadcast (&guest->changed);
  while (!is_mine && guest->state != DN_GUEST_ENDED)
    g_cond_wait (&guest->changed, &guest->lock);
  g_mutex_unlock (&guest->lock);
  return is_mine;
}

void
dn_guest_end_from_inside (DnGuest *guest, gboolean is_suspect, const char *reason)
{
  if (!claim_end (guest))
    return;
  g_message ("guest '%s' of context '%s' is gone: %s", guest->id, guest->context, reason);
  dn_guest_take_down (guest);
  if (guest->handlers.gone != NULL)
    guest->handlers.gone (guest, is_suspect, reason, guest->handlers.data);
}

const char *
dn_guest_end_words (const DnGuest *guest)
{
  /* Init says a milestone before it switches off.  A panic resets the machine without one. */
  if (g_strcmp0 (guest->domain_end, dn_hypervisor_switched_off) == 0
      && guest->milestone < DN_MILESTONE_POWEROFF)
    return "its kernel reset the machine, as it does when it panics";
  return guest->domain_end;
}

static void
run_end (DnGuest *guest)
{
  g_autofree char *reason = NULL;
  gboolean is_suspect;

  g_mutex_lock (&guest->lock);
  is_suspect = guest->is_suspect;
  reason = g_strdup (is_suspect                  ? guest->link_problem
                     : guest->domain_end != NULL ? dn_guest_end_words (guest)
                                                 : guest->link_problem);
  g_mutex_unlock (&guest->lock);
  dn_guest_end_from_inside (guest, is_suspect, reason != NULL ? reason : "QEMU ended");
}

void
dn_guest_end_soon (DnGuest *guest, gboolean is_suspect, const char *reason)
{
  g_mutex_lock (&guest->lock);
  guest->is_suspect = guest->is_suspect || is_suspect;
  if (!is_suspect && guest->domain_end == NULL)
    guest->domain_end = g_strdup (reason);
  g_mutex_unlock (&guest->lock);
  dn_guest_spawn (guest, "guest-end", run_end);
}

/* SHUTDOWN, and then the guest's end: its last milestone, written when agent and containers have
 * ended; what its kernel does after that is of no use to anybody. Or the domain's end: by event,
 * or, where libvirt is away, by QEMU's. */
static void
ask_to_end (DnGuest *guest, guint timeout_ms)
{
  gint64 end_us = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  DnMsgShutdown shutdown = { .request = dn_guest_take_request (guest) };
  uint8_t payload[16];
  int size = dn_msg_shutdown_pack (&shutdown, payload, sizeof payload);

  if (!dn_guest_send (guest, DN_MSG_SHUTDOWN, payload, (guint32) size, NULL, NULL))
    return;
  g_mutex_lock (&guest->lock);
  while (guest->domain_end == NULL && guest->milestone < DN_MILESTONE_POWEROFF
         && g_get_monotonic_time () < end_us)
    {
      g_cond_wait_until (&guest->changed, &guest->lock,
                         MIN (end_us, g_get_monotonic_time () + POLL_MS * 1000));
      g_mutex_unlock (&guest->lock);
      if (!dn_guest_qemu_is_alive (guest))
        return;
      g_mutex_lock (&guest->lock);
    }
  g_mutex_unlock (&guest->lock);
}

void
dn_guest_stop (DnGuest *guest, guint timeout_ms)
{
  if (!claim_end (guest))
    return;
  g_mutex_lock (&guest->journal_lock);
  g_free (guest->entry->state);
  guest->entry->state = g_strdup ("ending");
  (void) dn_journal_write (guest->entry, NULL);
  g_mutex_unlock (&guest->journal_lock);
  if (timeout_ms > 0)
    ask_to_end (guest, timeout_ms);
  dn_guest_take_down (guest);
}

void
dn_guest_destroy (DnGuest *guest)
{
  dn_guest_stop (guest, 0);
}

/* On libvirt's event thread: nothing here blocks. */
static void
on_domain_ended (const char *name, const char *reason)
{
  g_autoptr (DnGuest) guest = dn_guest_find_by_domain (name);
  gboolean is_running;

  if (guest == NULL)
    return;
  g_mutex_lock (&guest->lock);
  if (guest->domain_end == NULL)
    guest->domain_end = g_strdup (reason);
  is_running = guest->state == DN_GUEST_RUNNING;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  if (is_running)
    dn_guest_end_soon (guest, FALSE, reason);
}

/* Events may have been missed while libvirt was away. */
static void
on_reconnected (void)
{
  g_autoptr (GPtrArray) guests = dn_guest_list_registered ();

  for (guint i = 0; i < guests->len; i++)
    {
      DnGuest *guest = g_ptr_array_index (guests, i);

      if (dn_guest_is_running (guest) && !dn_guest_qemu_is_alive (guest))
        dn_guest_end_soon (guest, FALSE, "QEMU ended while libvirt was not reachable");
    }
}

void
dn_guest_watch_domains (void)
{
  static const DnHypervisorWatch watch
      = { .ended = on_domain_ended, .reconnected = on_reconnected };

  dn_hypervisor_set_watch (&watch);
}
