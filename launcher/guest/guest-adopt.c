/* SPDX-License-Identifier: Apache-2.0 */
/* Guests that a danchid before this one left running. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "guest-private.h"
#include "hypervisor.h"
#include "process.h"
#include "relay-process.h"

#define QEMU_PROCESS "qemu-system"
#define LINK_WAIT_MS 15000
#define PROBE_WAIT_MS 3000
/* Taking one over is mostly waiting, for its relay and for its agent; and one that does not answer
 * holds up no other.  More at a time would be no quicker, and each is a thread. */
#define ADOPTIONS_AT_ONCE 32

typedef struct
{
  DnGuestChooseFunc choose;
  gpointer choose_data;
  GHashTable *qemus; /* uid → pid */
  GMutex lock;
  GPtrArray *guests; /* DnGuest, references; under lock */
} Adoption;

static gboolean
read_secret (DnGuest *guest)
{
  g_autofree char *path = g_build_filename (guest->directory, "secret", NULL);
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  return fd >= 0
         && read (fd, guest->secret, sizeof guest->secret) == (ssize_t) sizeof guest->secret;
}

/* What the kernel and libvirt know of it.  FALSE: it is not running any more. */
static gboolean
find_domain (DnGuest *guest, GHashTable *qemus)
{
  DnJournalEntry *entry = guest->entry;
  DnGuestInfo *info = &guest->info;
  gboolean is_active = FALSE;

  info->qemu_pid = GPOINTER_TO_INT (g_hash_table_lookup (qemus, GUINT_TO_POINTER (entry->uid)));
  if (!dn_journal_entry_is_of_this_boot (entry) || info->qemu_pid == 0)
    return FALSE;
  guest->qemu_start_ticks = dn_process_start_ticks (info->qemu_pid);
  /* Where libvirt is away the guest goes on, and its UUID is learnt never: only a display. */
  if (dn_hypervisor_is_active (guest->domain, &is_active, &info->domain_uuid, NULL) && !is_active)
    return FALSE;
  dn_guest_describe (info, entry);
  return TRUE;
}

/* The living relay's link, or a new relay and link. */
static gboolean
join (DnGuest *guest, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + LINK_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  gboolean is_alive = dn_relay_process_is_alive (guest->directory);

  if (is_alive && dn_guest_open_channel (guest, error))
    {
      gint64 soon_us = g_get_monotonic_time () + PROBE_WAIT_MS * G_TIME_SPAN_MILLISECOND;

      /* A relay tells its new danchid at once where it stands. */
      if (dn_guest_wait_link (guest, soon_us, NULL))
        return TRUE;
      g_mutex_lock (&guest->lock);
      g_clear_pointer (&guest->link_problem, g_free);
      g_mutex_unlock (&guest->lock);
      g_clear_error (error);
      return dn_guest_send_channel (guest, error) && dn_guest_wait_link (guest, end_us, error);
    }
  g_clear_error (error);
  g_mutex_lock (&guest->journal_lock);
  (void) dn_relay_process_end (guest->entry, 2000);
  is_alive = dn_relay_process_start (guest->directory, guest->entry, error)
             && dn_journal_write (guest->entry, error);
  guest->info.relay_pid = guest->entry->relay_pid;
  g_mutex_unlock (&guest->journal_lock);
  return is_alive && dn_guest_open_channel (guest, error) && dn_guest_send_channel (guest, error)
         && dn_guest_wait_link (guest, end_us, error);
}

/* One that stands still cannot answer.  Its relay is joined where it lives; all else waits for the
 * thaw. */
static void
join_frozen (DnGuest *guest)
{
  gint64 soon_us = g_get_monotonic_time () + PROBE_WAIT_MS * G_TIME_SPAN_MILLISECOND;

  g_atomic_int_set (&guest->is_frozen, 1);
  if (dn_relay_process_is_alive (guest->directory) && dn_guest_open_channel (guest, NULL))
    (void) dn_guest_wait_link (guest, soon_us, NULL);
  g_message ("guest '%s' of context '%s': is frozen", guest->id, guest->context);
}

/* Returns: (transfer full): a running guest, or NULL: it is to be undone */
static DnGuest *
adopt (const DnJournalEntry *entry, const DnGuestHandlers *handlers, GHashTable *qemus)
{
  g_autoptr (DnGuest) guest = dn_guest_new (entry->id, entry->context, entry->hostname);
  g_autoptr (GArray) processes = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_running, is_frozen;

  guest->entry = dn_journal_read (entry->id, NULL);
  guest->handlers = *handlers;
  if (guest->entry == NULL || !find_domain (guest, qemus) || !read_secret (guest))
    return NULL;
  guest->promised_bytes = guest->entry->memory_bytes;
  dn_guest_register (guest);
  is_frozen = guest->entry->freeze != DN_FREEZE_NONE;
  if (is_frozen)
    join_frozen (guest);
  else if (!join (guest, &error))
    g_warning ("guest '%s' of context '%s' cannot be taken over: %s", guest->id, guest->context,
               error->message);
  else
    /* For the stream numbers that are in use. */
    processes = dn_guest_list_in_any_state (guest, &error);
  g_mutex_lock (&guest->lock);
  is_running = (is_frozen || (processes != NULL && guest->is_linked)) && guest->domain_end == NULL;
  guest->state = is_running ? DN_GUEST_RUNNING : DN_GUEST_ENDED;
  g_mutex_unlock (&guest->lock);
  if (is_running)
    {
      /* A danchid that was killed while it started the guest may have left that out. */
      dn_guest_limit_share (guest);
      dn_guest_watch_share (guest);
      return g_steal_pointer (&guest);
    }
  dn_guest_close_channel (guest);
  dn_guest_unregister (guest);
  return NULL;
}

/* Takes the id.  On a thread of the pool. */
static void
adopt_or_undo (gpointer item, gpointer data)
{
  Adoption *adoption = data;
  g_autofree char *id = item;
  g_autoptr (GError) problem = NULL;
  g_autoptr (DnJournalEntry) entry = dn_journal_read (id, &problem);
  DnGuestHandlers handlers = { 0 };
  DnGuest *guest = NULL;

  if (entry == NULL)
    {
      /* Only something else than danchid writes such. Left for a person to look at. */
      g_warning ("%s", problem->message);
      return;
    }
  if (dn_guest_is_registered (id))
    return;
  /* An unpacking guest's work is lost with the danchid that gave it. */
  if (strcmp (entry->state, "running") == 0 && entry->kind == DN_GUEST_KIND_CONTEXT
      && adoption->choose (id, entry->context, &handlers, adoption->choose_data))
    guest = adopt (entry, &handlers, adoption->qemus);
  if (guest == NULL)
    {
      (void) dn_guest_undo (entry, NULL);
      return;
    }
  g_mutex_lock (&adoption->lock);
  g_ptr_array_add (adoption->guests, guest);
  g_mutex_unlock (&adoption->lock);
}

GPtrArray *
dn_guest_adopt_all (DnGuestChooseFunc choose, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) ids = dn_journal_list ();
  g_autoptr (GHashTable) qemus = dn_process_find_all (QEMU_PROCESS);
  Adoption adoption
      = { .choose = choose,
          .choose_data = data,
          .qemus = qemus,
          .guests = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_guest_unref) };
  GThreadPool *pool = g_thread_pool_new (adopt_or_undo, &adoption, ADOPTIONS_AT_ONCE, FALSE, NULL);

  (void) error; /* a guest that cannot be taken over is undone, which is no failure of ours */
  g_mutex_init (&adoption.lock);
  dn_guest_watch_domains ();
  for (guint i = 0; i < ids->len; i++)
    (void) g_thread_pool_push (pool, g_strdup (ids->pdata[i]), NULL);
  g_thread_pool_free (pool, FALSE, TRUE); /* when all are done */
  g_mutex_clear (&adoption.lock);
  return adoption.guests;
}
