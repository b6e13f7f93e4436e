/* SPDX-License-Identifier: Apache-2.0 */
#include "context-guest.h"

#include "../binds/binds.h"
#include "../common/error.h"
#include "../network/container-network.h"
#include "../network/guest-network.h"
#include "../volumes/volumes.h"
#include "container-end.h"
#include "daemon-record.h"
#include "handlers.h"
#include "lifetime.h"
#include "settings-file.h"

#define SHARE_SEEN_US (2 * G_USEC_PER_SEC)

static void
get_serial (const char *image_id, char ret_serial[DN_DISK_SERIAL_BYTES + 1])
{
  const DnImage image = { .id = (char *) image_id };

  dn_image_disk_serial (&image, ret_serial);
}

static void
save_or_warn (DnContext *context)
{
  g_autoptr (GError) error = NULL;

  if (!dn_context_save (context, &error))
    g_warning ("context '%s': its state cannot be saved: %s", context->name, error->message);
}

/* Under the daemon's lock: the lowest that is free; DN_CONTEXT_SLOTS: none is.  What a guest sees
 * of its share goes by slots, and it keeps for a second what it has seen there: so one that was
 * just left is somebody else's only where no other is free. */
static guint
find_slot (const DnContext *context)
{
  const gboolean has_share = context->guest != NULL && dn_guest_has_share (context->guest);
  const gint64 now_us = g_get_monotonic_time ();
  guint found = DN_CONTEXT_SLOTS;

  for (guint slot = 0; slot < DN_CONTEXT_SLOTS; slot++)
    {
      const gint64 left_us = context->slots_left_us[slot];

      if ((context->slots & (G_GUINT64_CONSTANT (1) << slot)) != 0)
        continue;
      if (!has_share || left_us == 0 || now_us - left_us >= SHARE_SEEN_US)
        return slot;
      found = MIN (found, slot);
    }
  return found;
}

gboolean
dn_context_reserve (DnContext *context, guint *ret_slot, GError **error)
{
  DnDaemon *daemon = context->daemon;
  gboolean is_fine = FALSE, was_idle = FALSE;
  guint slot;

  g_mutex_lock (&daemon->lock);
  slot = find_slot (context);
  if (context->is_removed)
    dn_throw (error, DN_ERROR_NOT_FOUND, "context '%s': was removed", context->name);
  else if (slot == DN_CONTEXT_SLOTS)
    dn_throw (error, DN_ERROR_LIMIT, "context '%s': its guest has %d containers already",
              context->name, DN_CONTEXT_SLOTS);
  else
    {
      context->slots |= G_GUINT64_CONSTANT (1) << slot;
      context->users++;
      *ret_slot = slot;
      is_fine = TRUE;
      was_idle = context->idle_since_us != 0 && context->definition.terms.idle_s != 0;
      context->idle_since_us = 0;
    }
  g_mutex_unlock (&daemon->lock);
  if (was_idle)
    save_or_warn (context);
  return is_fine;
}

/* Under the daemon's lock.  Two guests with the same categories would be one to SELinux. */
static gboolean
check_mcs (DnContext *context, GError **error)
{
  const char *mcs = dn_context_definition_mcs (&context->definition);
  GHashTableIter iter;
  DnContext *other;

  g_hash_table_iter_init (&iter, context->daemon->contexts);
  while (mcs != NULL && g_hash_table_iter_next (&iter, NULL, (gpointer *) &other))
    if (other != context && g_strcmp0 (dn_context_definition_mcs (&other->definition), mcs) == 0)
      return dn_throw (error, DN_ERROR_CONFIG,
                       "context '%s': mcs %s is also that of context '%s'\n"
                       "choose another pair in one of the two files of contexts.d",
                       context->name, mcs, other->name);
  return TRUE;
}

/* The others' files may have changed since they were read. */
static void
refresh_for_mcs (DnContext *context)
{
  gboolean has_mcs;

  g_mutex_lock (&context->daemon->lock);
  has_mcs = dn_context_definition_mcs (&context->definition) != NULL;
  g_mutex_unlock (&context->daemon->lock);
  if (has_mcs)
    dn_context_refresh (context->daemon);
}

static DnGuestPlan *
make_plan (DnContext *context, const DnContextEntry *entry, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnGuestPlan) plan = dn_guest_plan_new ();
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  char serial[DN_DISK_SERIAL_BYTES + 1];
  gboolean is_fine;
  guint needed;

  refresh_for_mcs (context);
  if (entry->image != NULL)
    dn_image_disk_serial (entry->image, serial);
  plan->context = g_strdup (context->name);
  plan->hostname = g_strdup (context->name);
  plan->kind = DN_GUEST_KIND_CONTEXT;
  /* A guest that stays may be asked for a scratch disk later. */
  plan->has_scratch = !context->is_ephemeral || entry->wants_scratch;
  needed = (entry->wants_scratch ? 1 : 0) + entry->volume_disks;
  plan->spare_disks
      = context->is_ephemeral ? needed : MAX ((guint) settings->guest_image_disks - 1, needed);
  if (plan->spare_disks > DN_GUEST_SPARE_DISKS_MAX)
    {
      dn_throw (error, DN_ERROR_LIMIT,
                "context '%s': %u disks beside the image's, and a guest has ports for %d",
                context->name, plan->spare_disks, DN_GUEST_SPARE_DISKS_MAX);
      return NULL;
    }
  if (entry->image != NULL)
    g_ptr_array_add (plan->disks, dn_store_make_disk (daemon->store, entry->image));
  g_mutex_lock (&daemon->lock);
  is_fine = context->error == NULL
            || dn_throw (error, DN_ERROR_CONFIG, "context '%s': %s", context->name, context->error);
  is_fine = is_fine && check_mcs (context, error);
  /* Likewise. */
  plan->has_share
      = entry->wants_share || (!context->is_ephemeral && dn_binds_are_possible (context));
  plan->pod_first_id = context->pod != NULL ? DN_CONTEXT_FIRST_UID : 0;
  plan->mcs = g_strdup (dn_context_definition_mcs (&context->definition));
  plan->memory_bytes = context->definition.guest_memory_bytes;
  plan->vcpus = (guint) context->definition.guest_vcpus;
  plan->host_percent = settings->memory_percent;
  plan->limits = context->definition.limits;
  /* What a guest that ends with its container frees goes back with it. */
  plan->has_balloon
      = plan->limits.balloon == DN_BALLOON_YES
        || (plan->limits.balloon == DN_BALLOON_AUTO && !dn_context_goes_with_container (context));
  plan->kernel = (DnKernel) settings->kernel;
  plan->boot_timeout_s = (guint) settings->guest_boot_timeout_s;
  plan->transport = (DnTransport) context->definition.transport;
  plan->allow_emulation = context->definition.allow_emulation || entry->allow_emulation;
  /* Known before it exists: what happens in it is found by this, also after a crash. */
  if (is_fine)
    {
      g_strlcpy (context->guest_id, plan->id, sizeof context->guest_id);
      context->guest_since_us = dn_lifetime_now_us ();
      g_hash_table_remove_all (context->disks);
      if (entry->image != NULL)
        g_hash_table_insert (context->disks, g_strdup (serial), GUINT_TO_POINTER (1));
    }
  g_mutex_unlock (&daemon->lock);
  return is_fine ? g_steal_pointer (&plan) : NULL;
}

/* Under the daemon's lock.  (transfer full): the guest, or NULL */
static DnGuest *
forget_guest (DnContext *context)
{
  DnGuest *guest = g_steal_pointer (&context->guest);

  context->guest_id[0] = '\0';
  context->guest_since_us = 0;
  context->idle_since_us = 0;
  g_hash_table_remove_all (context->disks);
  return guest;
}

/* With guest_lock held. */
static DnGuest *
start_guest (DnContext *context, const DnContextEntry *entry, int *ret_console, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnGuestPlan) plan = make_plan (context, entry, error);
  DnGuestHandlers handlers;
  g_autoptr (DnGuest) guest = NULL;

  if (plan == NULL)
    return NULL;
  dn_handlers_init (&handlers, daemon);
  if (dn_context_save (context, error) && dn_guest_network_plan (context, plan, error))
    guest = dn_guest_start (plan, &handlers, entry->step, entry->step_data, ret_console, error);
  g_mutex_lock (&daemon->lock);
  if (guest != NULL)
    context->guest = dn_guest_ref (guest);
  else
    (void) forget_guest (context);
  g_mutex_unlock (&daemon->lock);
  if (guest == NULL)
    {
      dn_guest_network_gone (plan->id);
      save_or_warn (context);
      return NULL;
    }
  dn_daemon_record_act (daemon, "guest-started", context->name, plan->id);
  dn_context_event (context, "start", (const char *const[]){ "guest", plan->id, NULL });
  /* It may have gone before it was in the table: then nobody has seen to that. */
  if (!dn_guest_is_running (guest))
    dn_context_guest_gone (daemon, plan->id, "the guest ended at once");
  return g_steal_pointer (&guest);
}

/* With guest_lock held.  Makes room for one more disk. */
static void
detach_idle (DnContext *context, DnGuest *guest)
{
  DnDaemon *daemon = context->daemon;
  g_autofree char *idle = NULL;
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer serial, users;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, context->disks);
  while (idle == NULL && g_hash_table_iter_next (&iter, &serial, &users))
    if (GPOINTER_TO_UINT (users) == 0)
      idle = g_strdup (serial);
  g_mutex_unlock (&daemon->lock);
  if (idle == NULL)
    return;
  if (!dn_guest_detach_disk (guest, idle, &error))
    g_warning ("context '%s': %s", context->name, error->message);
  g_mutex_lock (&daemon->lock);
  g_hash_table_remove (context->disks, idle);
  g_mutex_unlock (&daemon->lock);
}

/* With guest_lock held. */
static gboolean
attach_disk (DnContext *context, DnGuest *guest, const DnImage *image, GError **error)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (GError) local = NULL;
  char serial[DN_DISK_SERIAL_BYTES + 1];
  DnGuestDisk *disk;
  gpointer users;
  gboolean is_there, is_fine;

  dn_image_disk_serial (image, serial);
  g_mutex_lock (&daemon->lock);
  is_there = g_hash_table_lookup_extended (context->disks, serial, NULL, &users);
  if (is_there)
    g_hash_table_insert (context->disks, g_strdup (serial),
                         GUINT_TO_POINTER (GPOINTER_TO_UINT (users) + 1));
  g_mutex_unlock (&daemon->lock);
  if (is_there)
    return TRUE;
  disk = dn_store_make_disk (daemon->store, image);
  is_fine = dn_guest_attach_disk (guest, disk, &local);
  if (!is_fine && g_error_matches (local, DN_ERROR, DN_ERROR_LIMIT))
    {
      detach_idle (context, guest);
      g_clear_error (&local);
      is_fine = dn_guest_attach_disk (guest, disk, &local);
    }
  dn_guest_disk_free (disk);
  if (!is_fine)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "context '%s': ", context->name);
      return FALSE;
    }
  g_mutex_lock (&daemon->lock);
  g_hash_table_insert (context->disks, g_strdup (serial), GUINT_TO_POINTER (1));
  g_mutex_unlock (&daemon->lock);
  save_or_warn (context);
  return TRUE;
}

gboolean
dn_context_attach_volume (DnContext *context, DnGuest *guest, const char *path, const char *serial,
                          GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean is_fine;

  g_mutex_lock (&context->guest_lock);
  is_fine = dn_guest_attach_volume (guest, path, serial, &local);
  if (!is_fine && g_error_matches (local, DN_ERROR, DN_ERROR_LIMIT))
    {
      detach_idle (context, guest);
      g_clear_error (&local);
      is_fine = dn_guest_attach_volume (guest, path, serial, &local);
    }
  g_mutex_unlock (&context->guest_lock);
  if (!is_fine)
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "context '%s': ", context->name);
  return is_fine;
}

gboolean
dn_context_detach_volume (DnContext *context, DnGuest *guest, const char *volume_id,
                          guint timeout_ms, GError **error)
{
  g_autoptr (GPtrArray) serials = dn_guest_list_serials (guest);
  gboolean is_fine = TRUE;

  g_mutex_lock (&context->guest_lock);
  for (guint i = 0; i < serials->len && is_fine; i++)
    if (dn_volume_has_serial (volume_id, serials->pdata[i]))
      is_fine = dn_guest_detach_disk_waiting (guest, serials->pdata[i], timeout_ms, error);
  g_mutex_unlock (&context->guest_lock);
  return is_fine;
}

DnGuest *
dn_context_enter (DnContext *context, const DnContextEntry *entry, int *ret_console, GError **error)
{
  g_autoptr (DnGuest) guest = NULL;

  *ret_console = -1;
  g_mutex_lock (&context->guest_lock);
  g_mutex_lock (&context->daemon->lock);
  if (context->guest != NULL)
    guest = dn_guest_ref (context->guest);
  g_mutex_unlock (&context->daemon->lock);
  if (guest == NULL && context->pod != NULL && context->pod->is_made)
    dn_throw (error, DN_ERROR_CONFLICT,
              "pod '%s': its guest has ended, and with it the pod\nthe kubelet makes another one",
              context->pod->id);
  else if (guest == NULL)
    guest = start_guest (context, entry, ret_console, error);
  else if (!dn_guest_check_thawed (guest, error)
           || (entry->image != NULL && !attach_disk (context, guest, entry->image, error)))
    g_clear_pointer (&guest, dn_guest_unref);
  g_mutex_unlock (&context->guest_lock);
  return g_steal_pointer (&guest);
}

/* Under the daemon's lock. */
static void
drop_disk_user (DnContext *context, const char *image_id)
{
  char serial[DN_DISK_SERIAL_BYTES + 1];
  guint users;

  get_serial (image_id, serial);
  users = GPOINTER_TO_UINT (g_hash_table_lookup (context->disks, serial));
  if (users > 0)
    g_hash_table_insert (context->disks, g_strdup (serial), GUINT_TO_POINTER (users - 1));
}

void
dn_context_release (DnContext *context, guint slot, const char *guest_id, const char *image_id)
{
  DnDaemon *daemon = context->daemon;
  gboolean is_idle, is_counted;

  g_mutex_lock (&daemon->lock);
  context->slots &= ~(G_GUINT64_CONSTANT (1) << slot);
  context->slots_left_us[slot] = g_get_monotonic_time ();
  context->users--;
  if (guest_id[0] != '\0' && image_id[0] != '\0' && g_str_equal (context->guest_id, guest_id))
    drop_disk_user (context, image_id);
  if (context->users == 0 && context->guest != NULL)
    context->idle_since_us = dn_lifetime_now_us ();
  /* A frozen guest is somebody's evidence: the thaw looks again. */
  is_idle = dn_context_goes_with_container (context) && context->users == 0
            && context->guest != NULL && !dn_guest_is_frozen (context->guest);
  /* So that a danchid that is started anew does not begin to count anew. */
  is_counted = context->idle_since_us != 0 && context->definition.terms.idle_s != 0;
  g_mutex_unlock (&daemon->lock);
  /* At once: its container has ended, its output is where it belongs, its disks are read-only. */
  if (is_idle)
    dn_context_stop_idle_guest (context, 0, "the guest was stopped");
  else if (is_counted)
    save_or_warn (context);
}

static void
stop_guest (DnContext *context, guint timeout_ms, gboolean is_idle_only, const char *reason)
{
  DnDaemon *daemon = context->daemon;
  g_autoptr (DnGuest) guest = NULL;
  g_autofree char *id = NULL;

  g_mutex_lock (&context->guest_lock);
  g_mutex_lock (&daemon->lock);
  if (context->guest != NULL
      && (!is_idle_only || (context->users == 0 && !dn_guest_is_frozen (context->guest))))
    guest = dn_guest_ref (context->guest);
  g_mutex_unlock (&daemon->lock);
  if (guest != NULL)
    {
      id = g_strdup (dn_guest_id (guest));
      if (timeout_ms > 0)
        dn_guest_stop (guest, timeout_ms);
      else
        dn_guest_destroy (guest);
      dn_context_guest_gone (daemon, id, reason);
    }
  g_mutex_unlock (&context->guest_lock);
}

void
dn_context_stop_guest (DnContext *context, guint timeout_ms, const char *reason)
{
  dn_restart_forbid_all (context);
  stop_guest (context, timeout_ms, FALSE, reason);
}

void
dn_context_stop_idle_guest (DnContext *context, guint timeout_ms, const char *reason)
{
  stop_guest (context, timeout_ms, TRUE, reason);
}

static void
unref_guest (gpointer guest)
{
  dn_container_network_guest_gone (dn_guest_id (guest));
  dn_guest_network_gone (dn_guest_id (guest));
  dn_guest_unref (guest);
}

static void
saved_later (gpointer context)
{
  save_or_warn (context);
  dn_context_unref (context);
}

void
dn_context_guest_gone (DnDaemon *daemon, const char *guest_id, const char *reason)
{
  GHashTableIter iter;
  DnContext *context, *found = NULL;
  DnGuest *guest = NULL;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (guest_id[0] != '\0' && g_str_equal (context->guest_id, guest_id))
      found = dn_context_ref (context);
  if (found != NULL)
    {
      guest = forget_guest (found);
      dn_volumes_guest_gone (daemon->volumes, found->name);
      dn_container_end_all (found, reason);
    }
  g_mutex_unlock (&daemon->lock);
  if (found == NULL)
    return;
  dn_daemon_record_act (daemon, "guest-ended", found->name, reason);
  dn_context_event (found, "stop",
                    (const char *const[]){ "guest", guest_id, "reason", reason, NULL });
  /* Not here: this may be the guest's own reader thread, and files take their time. */
  if (guest != NULL)
    dn_daemon_work (daemon, unref_guest, guest);
  dn_daemon_work (daemon, saved_later, found);
}

void
dn_context_detach_everywhere (DnDaemon *daemon, const char *image_id)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  char serial[DN_DISK_SERIAL_BYTES + 1];

  get_serial (image_id, serial);
  for (guint i = 0; i < contexts->len; i++)
    {
      DnContext *context = contexts->pdata[i];
      g_autoptr (DnGuest) guest = NULL;
      g_autoptr (GError) error = NULL;
      gpointer users;

      g_mutex_lock (&context->guest_lock);
      g_mutex_lock (&daemon->lock);
      if (context->guest != NULL
          && g_hash_table_lookup_extended (context->disks, serial, NULL, &users)
          && GPOINTER_TO_UINT (users) == 0)
        {
          guest = dn_guest_ref (context->guest);
          g_hash_table_remove (context->disks, serial);
        }
      g_mutex_unlock (&daemon->lock);
      if (guest != NULL && !dn_guest_detach_disk (guest, serial, &error))
        g_warning ("context '%s': %s", context->name, error->message);
      g_mutex_unlock (&context->guest_lock);
    }
}
