/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../limits/guest-size.h"
#include "../network/container-network.h"
#include "container-file.h"
#include "container-part.h"
#include "lookup.h"
#include "tree.h"

const char *const dn_container_state_words[] = {
  [DN_CONTAINER_CREATED] = "created",
  [DN_CONTAINER_RUNNING] = "running",
  [DN_CONTAINER_PAUSED] = "paused",
  [DN_CONTAINER_EXITED] = "exited",
};

DnContainer *
dn_container_ref (DnContainer *container)
{
  g_atomic_int_inc (&container->ref_count);
  return container;
}

void
dn_container_unref (DnContainer *container)
{
  if (container == NULL || !g_atomic_int_dec_and_test (&container->ref_count))
    return;
  g_free (container->directory);
  g_free (container->image);
  g_free (container->image_id);
  g_free (container->command);
  g_free (container->name);
  g_free (container->reason);
  g_free (container->exit_reason);
  dn_health_record_clear (&container->health);
  g_free (container->spec_sha256);
  g_free (container->seccomp_sha256);
  g_strfreev (container->relaxations);
  dn_profile_free (container->profile);
  dn_pod_member_free (container->pod);
  dn_bind_record_clear (&container->binds);
  g_clear_pointer (&container->refusals, g_array_unref);
  g_clear_pointer (&container->options, dn_container_options_free);
  dn_context_unref (container->context);
  g_mutex_clear (&container->op_lock);
  g_mutex_clear (&container->file_lock);
  g_free (container);
}

static int
compare_age (gconstpointer a, gconstpointer b)
{
  const DnContainer *first = *(DnContainer *const *) a, *second = *(DnContainer *const *) b;

  return (first->created_us < second->created_us) - (first->created_us > second->created_us);
}

GPtrArray *
dn_container_list (DnDaemon *daemon)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_container_unref);
  GHashTableIter iter;
  DnContainer *container;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    g_ptr_array_add (list, dn_container_ref (container));
  g_mutex_unlock (&daemon->lock);
  g_ptr_array_sort (list, compare_age);
  return list;
}

static gboolean
save (DnContainer *container, const char *file, JsonNode *(*print) (DnContainer *container),
      GError **error)
{
  g_autofree char *path = g_build_filename (container->directory, file, NULL);
  g_autoptr (JsonNode) node = NULL;
  gboolean is_removed, is_fine;

  /* The text is made while file_lock is held, so that the last writer writes the last state. */
  g_mutex_lock (&container->file_lock);
  g_mutex_lock (&container->daemon->lock);
  is_removed = container->is_removed;
  node = print (container);
  g_mutex_unlock (&container->daemon->lock);
  is_fine = is_removed || dn_state_file_write (path, node, error);
  g_mutex_unlock (&container->file_lock);
  return is_fine;
}

gboolean
dn_container_save_options (DnContainer *container, GError **error)
{
  return save (container, DN_CONTAINER_OPTIONS_FILE, dn_container_options_file_print, error);
}

gboolean
dn_container_save_state (DnContainer *container, GError **error)
{
  return save (container, DN_CONTAINER_STATE_FILE, dn_container_state_file_print, error);
}

void
dn_container_save_state_or_warn (DnContainer *container)
{
  g_autoptr (GError) error = NULL;

  if (!dn_container_save_state (container, &error))
    g_warning ("container %s: its state cannot be saved: %s", container->id, error->message);
}

DnContainerOptions *
dn_container_copy_options (DnContainer *container)
{
  g_autoptr (JsonNode) node = NULL;
  DnContainerOptions *copy;

  g_mutex_lock (&container->daemon->lock);
  node = dn_container_options_to_json (container->options);
  g_mutex_unlock (&container->daemon->lock);
  copy = dn_container_options_read (json_node_get_object (node), NULL);
  /* What was accepted once is accepted again. */
  g_assert (copy != NULL);
  return copy;
}

/* Under the daemon's lock.  @request: NULL, or only containers that its caller may know of count.
 */
static gboolean
has_name (DnDaemon *daemon, const char *name, DnRequest *request)
{
  GHashTableIter iter;
  DnContainer *container;

  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    if (g_str_equal (container->name, name)
        && (request == NULL || dn_lookup_sees (request, container->context)))
      return TRUE;
  return FALSE;
}

gboolean
dn_container_take_name (DnRequest *request, const char *name, char **ret_name, GError **error)
{
  DnDaemon *daemon = request->daemon;

  /* Random names run out long after everything else does; then a number is added. */
  enum
  {
    TRIES = 64
  };

  if (name != NULL)
    {
      if (has_name (daemon, name, request))
        return dn_throw (error, DN_ERROR_CONFLICT,
                         "container '%s': the name is taken\nremove or rename the other, or choose "
                         "another name",
                         name);
      *ret_name = g_strdup (name);
      return TRUE;
    }
  for (guint i = 0;; i++)
    {
      g_autofree char *random = dn_name_random ();
      g_autofree char *candidate
          = i < TRIES ? g_strdup (random) : g_strdup_printf ("%s_%u", random, g_random_int ());

      if (!has_name (daemon, candidate, NULL))
        {
          *ret_name = g_steal_pointer (&candidate);
          return TRUE;
        }
    }
}

gboolean
dn_container_rename (DnContainer *container, const char *name, DnRequest *request, GError **error)
{
  DnDaemon *daemon = container->daemon;
  g_autofree char *fresh = NULL, *old = NULL;

  if (!dn_name_check (name, "container", error))
    return FALSE;
  g_mutex_lock (&daemon->lock);
  if (dn_container_take_name (request, name, &fresh, error))
    {
      old = container->name;
      container->name = g_steal_pointer (&fresh);
    }
  g_mutex_unlock (&daemon->lock);
  if (old == NULL || !dn_container_save_options (container, error))
    return FALSE;
  dn_container_event (container, "rename", (const char *const[]){ "old_name", old, NULL });
  dn_container_network_renamed (container);
  return TRUE;
}

char *
dn_container_log_path (const DnContainer *container, guint half)
{
  return g_build_filename (container->directory, half == 0 ? "log.0" : "log.1", NULL);
}

static void
add_event (DnContainer *container, const char *type, const char *action, const char *id,
           const char *name, const char *const *attributes)
{
  const DnContext *context = container->context;
  DnEvents *events = container->daemon->events;

  if (context->is_ephemeral)
    dn_events_add_of (events, context->owner_uid, type, action, id, name, context->name,
                      attributes);
  else
    dn_events_add (events, type, action, id, name, context->name, attributes);
}

void
dn_container_event (DnContainer *container, const char *action, const char *const *attributes)
{
  g_autofree char *name = NULL;

  g_mutex_lock (&container->daemon->lock);
  name = g_strdup (container->name);
  g_mutex_unlock (&container->daemon->lock);
  add_event (container, "container", action, container->id, name, attributes);
}

void
dn_container_image_event (DnContainer *container, const char *action, const char *const *attributes)
{
  add_event (container, "image", action, container->image_id, container->image, attributes);
}

void
dn_container_forget (DnContainer *container)
{
  DnDaemon *daemon = container->daemon;
  DnContext *context = container->context;
  g_autofree char *removing = g_strconcat (container->directory, DN_CONTAINER_REMOVING, NULL);
  g_autoptr (GError) error = NULL;
  gboolean is_context_empty;

  dn_restart_forbid (container);
  dn_container_event (container, "destroy", NULL);
  dn_container_parts_forget (container);
  g_mutex_lock (&container->file_lock);
  g_mutex_lock (&daemon->lock);
  container->is_removed = TRUE;
  /* Renamed first: a removal that a crash cuts short is seen as one at the next start. */
  if (rename (container->directory, removing) < 0)
    g_warning ("container %s: renaming its directory: %s", container->id, g_strerror (errno));
  g_hash_table_remove (daemon->containers, container->id);
  is_context_empty = dn_context_count_containers (context) == 0;
  g_cond_broadcast (&daemon->changed);
  g_mutex_unlock (&daemon->lock);
  g_mutex_unlock (&container->file_lock);
  if (!dn_tree_remove (removing, &error))
    g_warning ("container %s: %s", container->id, error->message);
  if (is_context_empty && dn_context_goes_with_container (context))
    dn_context_forget (context);
}

gboolean
dn_container_check_memory (gint64 memory_bytes, guint64 guest_memory_bytes, const char *context,
                           GError **error)
{
  guint64 needed;

  if (memory_bytes <= 0)
    return TRUE;
  needed = dn_guest_size_least ((guint64) memory_bytes);
  if (needed <= guest_memory_bytes)
    return TRUE;
  return dn_throw (
      error, DN_ERROR_LIMIT,
      "memory limit of %" G_GINT64_FORMAT " MiB: the guest of context '%s' has %" G_GUINT64_FORMAT
      " MiB in all\nits guest needs at least %" G_GUINT64_FORMAT
      " MiB (the limit and %" G_GUINT64_FORMAT
      " MiB of its own): raise the guest's memory, or lower the limit to %" G_GUINT64_FORMAT " MiB",
      memory_bytes >> 20, context, guest_memory_bytes >> 20, needed >> 20,
      (needed - (guint64) memory_bytes) >> 20,
      (guest_memory_bytes - MIN (guest_memory_bytes, dn_guest_size_system (guest_memory_bytes)))
          >> 20);
}
