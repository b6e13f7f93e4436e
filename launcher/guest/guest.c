/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-private.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/guest-size.h"
#include "../common/paths.h"
#include "../limits/host-memory.h"
#include "domain-xml.h"

static GMutex registry_lock;
static GHashTable *registry; /* id → DnGuest, not a reference; under registry_lock */

DnGuestPlan *
dn_guest_plan_new (void)
{
  DnGuestPlan *plan = g_new0 (DnGuestPlan, 1);
  guint8 bytes[DN_ID_BYTES / 2];

  /* From the kernel, not from GLib's generator: the id names files that root makes. */
  if (getrandom (bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes)
    g_error ("getrandom: %s", g_strerror (errno));
  for (gsize i = 0; i < sizeof bytes; i++)
    g_snprintf (plan->id + 2 * i, 3, "%02x", bytes[i]);
  plan->vcpus = 1;
  plan->boot_timeout_s = DN_GUEST_BOOT_TIMEOUT_S;
  plan->memory_bytes = 256 * 1024 * 1024;
  plan->disks = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_guest_disk_free);
  return plan;
}

void
dn_guest_plan_free (DnGuestPlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->context);
  g_free (plan->hostname);
  g_free (plan->mcs);
  g_ptr_array_unref (plan->disks);
  if (plan->card_data_free != NULL)
    plan->card_data_free (plan->card_data);
  g_free (plan);
}

void
dn_guest_describe_limits (DnGuestInfo *info, const DnJournalEntry *entry)
{
  info->limits = entry->limits;
  info->has_balloon = entry->has_balloon;
  info->balloon_bytes = entry->balloon_bytes;
  info->host_limit_bytes = entry->host_limit_bytes;
}

void
dn_guest_describe (DnGuestInfo *info, const DnJournalEntry *entry)
{
  info->transport = entry->transport;
  info->accelerator = entry->accelerator;
  info->uid = entry->uid;
  info->gid = entry->gid;
  info->vsock_cid = entry->vsock_cid;
  info->relay_pid = entry->relay_pid;
  info->memory_bytes = entry->memory_bytes;
  info->vcpus = entry->vcpus;
  info->spare_disks = entry->spare_disks;
  info->has_share = entry->has_share;
  info->share_pid = entry->share_pid;
  info->has_card = entry->has_card;
  info->card_group = entry->card_group;
  info->started_us = entry->started_us;
  dn_guest_describe_limits (info, entry);
  g_free (info->root_hash);
  info->root_hash = g_strdup (entry->root_hash);
  g_free (info->kernel_path);
  info->kernel_path = g_strdup (entry->kernel_path);
  g_free (info->initrd_path);
  info->initrd_path = g_strdup (entry->initrd_path);
  g_free (info->root_path);
  info->root_path = g_strdup (entry->root_path);
}

void
dn_guest_info_clear (DnGuestInfo *info)
{
  g_clear_pointer (&info->domain_uuid, g_free);
  g_clear_pointer (&info->boot_id, g_free);
  g_clear_pointer (&info->kernel, g_free);
  g_clear_pointer (&info->agent_version, g_free);
  g_clear_pointer (&info->root_hash, g_free);
  g_clear_pointer (&info->kernel_path, g_free);
  g_clear_pointer (&info->initrd_path, g_free);
  g_clear_pointer (&info->root_path, g_free);
}

DnGuest *
dn_guest_new (const char *id, const char *context, const char *hostname)
{
  DnGuest *guest = g_new0 (DnGuest, 1);

  guest->references = 1;
  guest->id = g_strdup (id);
  guest->context = g_strdup (context);
  guest->hostname = g_strdup (hostname != NULL ? hostname : context);
  guest->domain = g_strconcat (DN_DOMAIN_NAME_PREFIX, id, NULL);
  guest->directory = g_build_filename (dn_paths ()->run, "guests", id, NULL);
  guest->control_fd = -1;
  g_mutex_init (&guest->journal_lock);
  g_mutex_init (&guest->send_lock);
  g_mutex_init (&guest->lock);
  g_cond_init (&guest->changed);
  guest->calls = g_hash_table_new (NULL, NULL);
  /* A late answer to danchid's predecessor should not meet a request of the same number. */
  guest->next_request = (guint32) g_random_int_range (1, 1 << 24);
  /* Likewise of streams: the relay may still know those of a process that the agent has forgotten,
   * because danchid was killed between the two, and would take what comes on them for that one's.
   */
  guest->next_streams = (guint32) g_random_int_range (1, 1 << 24) * DN_STREAMS_PER_PROCESS;
  guest->processes = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_guest_known_process_free);
  return guest;
}

DnGuest *
dn_guest_ref (DnGuest *guest)
{
  g_atomic_int_inc (&guest->references);
  return guest;
}

void
dn_guest_unref (DnGuest *guest)
{
  if (guest == NULL || !g_atomic_int_dec_and_test (&guest->references))
    return;
  dn_guest_unregister (guest);
  if (guest->control_fd >= 0)
    (void) close (guest->control_fd);
  g_hash_table_unref (guest->calls);
  g_ptr_array_unref (guest->processes);
  dn_guest_info_clear (&guest->info);
  dn_journal_entry_free (guest->entry);
  explicit_bzero (guest->secret, sizeof guest->secret);
  g_free (guest->link_problem);
  g_free (guest->domain_end);
  g_free (guest->id);
  g_free (guest->context);
  g_free (guest->hostname);
  g_free (guest->domain);
  g_free (guest->directory);
  g_mutex_clear (&guest->journal_lock);
  g_mutex_clear (&guest->send_lock);
  g_mutex_clear (&guest->lock);
  g_cond_clear (&guest->changed);
  g_free (guest);
}

/* Under registry_lock. */
static void
insert (DnGuest *guest)
{
  if (registry == NULL)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_replace (registry, guest->id, guest);
}

void
dn_guest_register (DnGuest *guest)
{
  g_mutex_lock (&registry_lock);
  insert (guest);
  g_mutex_unlock (&registry_lock);
}

/* Under registry_lock. */
static guint64
sum_promised (void)
{
  GHashTableIter iter;
  DnGuest *guest;
  guint64 sum = 0;

  if (registry == NULL)
    return 0;
  g_hash_table_iter_init (&iter, registry);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &guest))
    sum += guest->promised_bytes;
  return sum;
}

guint64
dn_guest_promised_memory (void)
{
  guint64 sum;

  g_mutex_lock (&registry_lock);
  sum = sum_promised ();
  g_mutex_unlock (&registry_lock);
  return sum;
}

gboolean
dn_guest_register_within (DnGuest *guest, guint64 percent, GError **error)
{
  DnHostMemory memory;
  gboolean is_fine;

  g_mutex_lock (&registry_lock);
  is_fine
      = !dn_host_memory_read (&memory)
        || dn_host_memory_check (&memory, sum_promised (), guest->promised_bytes, percent, error);
  if (is_fine)
    insert (guest);
  g_mutex_unlock (&registry_lock);
  return is_fine;
}

void
dn_guest_unregister (DnGuest *guest)
{
  g_mutex_lock (&registry_lock);
  if (registry != NULL && g_hash_table_lookup (registry, guest->id) == guest)
    g_hash_table_remove (registry, guest->id);
  g_mutex_unlock (&registry_lock);
}

/* Taken under the registry's lock from an object that may be at its last unref: a count of 0 is
 * never raised again. */
static DnGuest *
try_ref (DnGuest *guest)
{
  for (;;)
    {
      gint references = g_atomic_int_get (&guest->references);

      if (references == 0)
        return NULL;
      if (g_atomic_int_compare_and_exchange (&guest->references, references, references + 1))
        return guest;
    }
}

GPtrArray *
dn_guest_list_registered (void)
{
  GPtrArray *guests = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_guest_unref);
  GHashTableIter iter;
  gpointer guest;

  g_mutex_lock (&registry_lock);
  if (registry != NULL)
    {
      g_hash_table_iter_init (&iter, registry);
      while (g_hash_table_iter_next (&iter, NULL, &guest))
        if (try_ref (guest) != NULL)
          g_ptr_array_add (guests, guest);
    }
  g_mutex_unlock (&registry_lock);
  return guests;
}

DnGuest *
dn_guest_find_by_domain (const char *domain)
{
  g_autoptr (GPtrArray) guests = dn_guest_list_registered ();

  for (guint i = 0; i < guests->len; i++)
    {
      DnGuest *guest = g_ptr_array_index (guests, i);

      if (strcmp (guest->domain, domain) == 0)
        return dn_guest_ref (guest);
    }
  return NULL;
}

gboolean
dn_guest_is_registered (const char *id)
{
  gboolean is_there;

  g_mutex_lock (&registry_lock);
  is_there = registry != NULL && g_hash_table_contains (registry, id);
  g_mutex_unlock (&registry_lock);
  return is_there;
}

gboolean
dn_guest_uid_is_registered (guint uid)
{
  g_autoptr (GPtrArray) guests = dn_guest_list_registered ();

  for (guint i = 0; i < guests->len; i++)
    {
      DnGuest *guest = g_ptr_array_index (guests, i);

      if (guest->entry != NULL && guest->entry->uid == uid)
        return TRUE;
    }
  return FALSE;
}

typedef struct
{
  DnGuest *guest;
  void (*run) (DnGuest *guest);
} Errand;

static gpointer
run_errand (gpointer data)
{
  Errand *errand = data;

  errand->run (errand->guest);
  dn_guest_unref (errand->guest);
  g_free (errand);
  return NULL;
}

void
dn_guest_spawn (DnGuest *guest, const char *name, void (*run) (DnGuest *guest))
{
  Errand *errand = g_new0 (Errand, 1);

  errand->guest = dn_guest_ref (guest);
  errand->run = run;
  g_thread_unref (g_thread_new (name, run_errand, errand));
}

char *
dn_guest_escape (const char *text)
{
  GString *safe = g_string_new (NULL);

  for (const char *p = text; *p != '\0';)
    {
      gunichar c = g_utf8_get_char_validated (p, -1);

      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_printf (safe, "\\x%02x", (guint8) *p++);
          continue;
        }
      /* Printable leaves out control and format characters, such as those that turn the text's
       * direction. */
      if (g_unichar_isprint (c))
        g_string_append_unichar (safe, c);
      else
        g_string_append_printf (safe, "\\u{%x}", c);
      p = g_utf8_next_char (p);
    }
  return g_string_free (safe, FALSE);
}

gboolean
dn_guest_write_journal (DnGuest *guest, GError **error)
{
  gboolean is_done;

  g_mutex_lock (&guest->journal_lock);
  is_done = dn_journal_write (guest->entry, error);
  guest->is_entry_written = guest->is_entry_written || is_done;
  g_mutex_unlock (&guest->journal_lock);
  return is_done;
}

const char *
dn_guest_id (DnGuest *guest)
{
  return guest->id;
}

gboolean
dn_guest_is_running (DnGuest *guest)
{
  gboolean is_running;

  g_mutex_lock (&guest->lock);
  is_running = guest->state == DN_GUEST_RUNNING;
  g_mutex_unlock (&guest->lock);
  return is_running;
}

void
dn_guest_get_info (DnGuest *guest, DnGuestInfo *ret_info)
{
  g_mutex_lock (&guest->lock);
  *ret_info = guest->info;
  ret_info->generation = guest->generation;
  ret_info->domain_uuid = g_strdup (guest->info.domain_uuid);
  ret_info->boot_id = g_strdup (guest->info.boot_id);
  ret_info->kernel = g_strdup (guest->info.kernel);
  ret_info->agent_version = g_strdup (guest->info.agent_version);
  ret_info->root_hash = g_strdup (guest->info.root_hash);
  ret_info->kernel_path = g_strdup (guest->info.kernel_path);
  ret_info->initrd_path = g_strdup (guest->info.initrd_path);
  ret_info->root_path = g_strdup (guest->info.root_path);
  g_mutex_unlock (&guest->lock);
}

guint32
dn_guest_take_streams (DnGuest *guest)
{
  guint32 streams;

  g_mutex_lock (&guest->lock);
  streams = guest->next_streams;
  /* 0 is the control stream: it is left out when the number wraps. */
  guest->next_streams += DN_STREAMS_PER_PROCESS;
  if (guest->next_streams == 0)
    guest->next_streams = DN_STREAMS_PER_PROCESS;
  g_mutex_unlock (&guest->lock);
  return streams;
}
