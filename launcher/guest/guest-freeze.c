/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that stands still, and what can be taken of it then. */
#include <signal.h>

#include "../common/error.h"
#include "../common/paths.h"
#include "guest-private.h"
#include "hypervisor.h"
#include "process.h"

/* Of memory written to disk: 8 MiB a second at worst, and a minute. */
#define DUMP_BYTES_PER_MS 8192
#define DUMP_LEAST_MS 60000

gboolean
dn_guest_is_frozen (DnGuest *guest)
{
  return g_atomic_int_get (&guest->is_frozen) != 0;
}

gboolean
dn_guest_is_frozen_in_passing (DnGuest *guest)
{
  gboolean is_passing;

  g_mutex_lock (&guest->journal_lock);
  is_passing = guest->entry->freeze == DN_FREEZE_PASSING;
  g_mutex_unlock (&guest->journal_lock);
  return is_passing;
}

gboolean
dn_guest_check_thawed (DnGuest *guest, GError **error)
{
  return !dn_guest_is_frozen (guest)
         || dn_throw (error, DN_ERROR_CONFLICT,
                      "context '%s': is frozen\ndanchi context thaw %s lets it go on, danchi "
                      "context stop %s ends it as it is",
                      guest->context, guest->context, guest->context);
}

static gboolean
signal_qemu (DnGuest *guest, int signal)
{
  gint pid;

  g_mutex_lock (&guest->lock);
  pid = guest->info.qemu_pid;
  g_mutex_unlock (&guest->lock);
  return dn_process_signal (pid, guest->qemu_start_ticks, signal);
}

/* Under journal_lock. */
static gboolean
note_freeze (DnGuest *guest, DnFreeze freeze, GError **error)
{
  DnFreeze before = guest->entry->freeze;

  if (!dn_guest_is_running (guest))
    return dn_throw (error, DN_ERROR_GUEST, "guest of context '%s': it is not running any more",
                     guest->context);
  guest->entry->freeze = freeze;
  if (!dn_journal_write (guest->entry, error))
    {
      guest->entry->freeze = before;
      return FALSE;
    }
  return TRUE;
}

/* Libvirt first, since a memory dump then shows whole instructions.  A QEMU that a guest has taken
 * over need not obey it; the kernel's signal it cannot refuse. */
static gboolean
stop_processors (DnGuest *guest, char **ret_how, GError **error)
{
  g_autoptr (GError) refused = NULL;

  if (dn_hypervisor_suspend (guest->domain, &refused))
    {
      *ret_how = g_strdup ("paused by libvirt");
      return TRUE;
    }
  if (!signal_qemu (guest, SIGSTOP))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&refused),
                                  "guest of context '%s': ", guest->context);
      return FALSE;
    }
  *ret_how = g_strdup_printf ("QEMU's process stopped by a signal, since libvirt did not: %s",
                              refused->message);
  return TRUE;
}

gboolean
dn_guest_freeze (DnGuest *guest, gboolean is_passing, char **ret_how, GError **error)
{
  gboolean was_frozen, is_done;

  g_mutex_lock (&guest->journal_lock);
  was_frozen = guest->entry->freeze != DN_FREEZE_NONE;
  is_done = (was_frozen && (is_passing || guest->entry->freeze == DN_FREEZE_KEPT))
            || note_freeze (guest, is_passing ? DN_FREEZE_PASSING : DN_FREEZE_KEPT, error);
  if (is_done)
    {
      g_atomic_int_set (&guest->is_frozen, 1);
      g_atomic_int_inc (&guest->freezes);
    }
  g_mutex_unlock (&guest->journal_lock);
  if (!is_done)
    return FALSE;
  if (was_frozen)
    {
      *ret_how = g_strdup ("frozen before");
      return TRUE;
    }
  /* Calls are refused from here on; those under way may still be answered after the thaw. */
  if (stop_processors (guest, ret_how, error))
    {
      g_message ("guest '%s' of context '%s': frozen: %s", guest->id, guest->context, *ret_how);
      return TRUE;
    }
  (void) dn_guest_thaw (guest, NULL);
  return FALSE;
}

static gboolean
release_processors (DnGuest *guest, GError **error)
{
  /* Always both: libvirt's pause may have come through after the signal. */
  (void) signal_qemu (guest, SIGCONT);
  return dn_hypervisor_resume (guest->domain, error);
}

gboolean
dn_guest_thaw (DnGuest *guest, GError **error)
{
  gboolean is_suspect;

  if (!dn_guest_is_frozen (guest))
    return TRUE;
  if (!release_processors (guest, error))
    {
      g_prefix_error (error, "guest of context '%s': ", guest->context);
      return FALSE;
    }
  g_mutex_lock (&guest->journal_lock);
  guest->entry->freeze = DN_FREEZE_NONE;
  if (dn_guest_is_running (guest) && !dn_journal_write (guest->entry, NULL))
    g_warning ("guest '%s': its journal entry still calls it frozen", guest->id);
  g_atomic_int_set (&guest->is_frozen, 0);
  g_mutex_unlock (&guest->journal_lock);
  g_message ("guest '%s' of context '%s': goes on", guest->id, guest->context);
  g_mutex_lock (&guest->lock);
  is_suspect = guest->is_suspect;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  /* What could not be seen to meanwhile. */
  if (is_suspect)
    dn_guest_end_soon (guest, TRUE, "it broke the protocol before it was frozen");
  else
    dn_guest_spawn (guest, "guest-mend", dn_guest_mend);
  return TRUE;
}

char *
dn_guest_get_xml (DnGuest *guest, GError **error)
{
  return dn_hypervisor_get_xml (guest->domain, error);
}

gboolean
dn_guest_dump_memory (DnGuest *guest, const char *path, GError **error)
{
  guint64 timeout_ms;

  g_mutex_lock (&guest->lock);
  timeout_ms = DUMP_LEAST_MS + guest->info.memory_bytes / DUMP_BYTES_PER_MS;
  g_mutex_unlock (&guest->lock);
  return dn_hypervisor_dump_memory (guest->domain, path, (guint) MIN (timeout_ms, G_MAXINT), error);
}

char *
dn_guest_scratch_path (const char *guest_id)
{
  return g_build_filename (dn_paths ()->state, "guests", guest_id, NULL);
}
