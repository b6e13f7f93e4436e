/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container: everything that can be refused is refused here, before anything starts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../binds/binds.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../images/image-scan.h"
#include "../limits/container-limits.h"
#include "../limits/guest-size.h"
#include "../volumes/volume-access.h"
#include "container-admission.h"
#include "container-file.h"
#include "gate.h"
#include "lookup.h"
#include "request-record.h"
#include "settings-file.h"
#include "tree.h"

/* How much of the command is kept for people. */
#define COMMAND_SHOWN_BYTES 512
#define MIB (1024 * 1024)

/* How many containers danchid keeps, running or not: each is a directory and a little memory. */
#define CONTAINERS_MAX 4096

static char *
command_words (const DnContainerOptions *options, const DnImage *image)
{
  char **entrypoint = options->entrypoint != NULL ? options->entrypoint : image->config.entrypoint;
  gboolean has_command = options->command != NULL && options->command[0] != NULL;
  char **command = has_command                   ? options->command
                   : options->entrypoint == NULL ? image->config.cmd
                                                 : NULL;
  g_autofree char *first = entrypoint != NULL ? g_strjoinv (" ", entrypoint) : g_strdup ("");
  g_autofree char *second = command != NULL ? g_strjoinv (" ", command) : g_strdup ("");
  g_autofree char *both
      = g_strconcat (first, *first != '\0' && *second != '\0' ? " " : "", second, NULL);

  return dn_text_clean (both, COMMAND_SHOWN_BYTES);
}

static void
set_label (char **label, const char *value)
{
  if (value == NULL)
    return;
  g_free (*label);
  *label = g_strdup (value);
}

/* A context for one container without one: a guest of its own, as large as the container needs,
 * and of the labels that it says. */
static DnContext *
make_ephemeral (DnRequest *request, const char *id, const DnContainerOptions *options,
                GError **error)
{
  DnDaemon *daemon = request->daemon;
  DnContext *context;
  g_autofree char *name = g_strdup_printf ("c-%.8s", id);
  guint64 needed
      = options->memory_bytes > 0 ? dn_guest_size_least ((guint64) options->memory_bytes) : 0;
  g_autoptr (DnSettings) settings = NULL;
  DnContextDefinition definition;

  dn_settings_refresh (daemon);
  settings = dn_settings_get (daemon);
  dn_context_definition_init (&definition, settings);
  set_label (&definition.tenant, options->tenant);
  set_label (&definition.stage, options->stage);
  set_label (&definition.tier, options->tier);
  /* A port that is published needs a card, and no more than that. */
  if (options->network != NULL)
    dn_network_policy_set_mode (&definition.network, options->network);
  else if (((options->publish != NULL && options->publish[0] != NULL) || options->publishes_all)
           && !dn_network_policy_has_card (&definition.network))
    dn_network_policy_set_mode (&definition.network, "internal");
  definition.guest_memory_bytes = MAX (definition.guest_memory_bytes, needed);
  if (options->guest_memory_bytes > 0)
    definition.guest_memory_bytes = (guint64) options->guest_memory_bytes;
  definition.guest_vcpus = MAX (definition.guest_vcpus, dn_container_limits_vcpus (options));
  if (options->guest_vcpus > 0)
    definition.guest_vcpus = (guint64) options->guest_vcpus;
  definition.allow_emulation = definition.allow_emulation || options->allow_emulation;
  if (definition.guest_memory_bytes < (guint64) DN_GUEST_MEMORY_MIN_MIB * MIB
      || definition.guest_memory_bytes > (guint64) DN_GUEST_MEMORY_MAX_MIB * MIB
      || definition.guest_vcpus > DN_GUEST_VCPUS_MAX)
    {
      dn_throw (error, DN_ERROR_LIMIT,
                "guest of %" G_GUINT64_FORMAT " MiB and %" G_GUINT64_FORMAT
                " processors: from %d to %d MiB and up to %d processors are possible",
                definition.guest_memory_bytes / MIB, definition.guest_vcpus,
                DN_GUEST_MEMORY_MIN_MIB, DN_GUEST_MEMORY_MAX_MIB, DN_GUEST_VCPUS_MAX);
      dn_context_definition_clear (&definition);
      return NULL;
    }
  context = dn_context_new (daemon, name, TRUE, &definition);
  context->owner_uid = request->caller->uid;
  return context;
}

static gboolean
check_named (DnContext *context, const DnContainerOptions *options, GError **error)
{
  if (context->is_ephemeral)
    return dn_throw (error, DN_ERROR_DENIED,
                     "context '%s': was made for one container and takes no other\nmake a context "
                     "for both with danchi context create",
                     context->name);
  if (options->guest_memory_bytes > 0 || options->guest_vcpus > 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "context '%s': its guest's size is set in '%s/contexts.d/%s.conf'\nleave out "
                     "--guest-memory and --guest-cpus",
                     context->name, dn_paths ()->config, context->name);
  return TRUE;
}

static DnContext *
choose_context (DnRequest *request, const char *id, const DnContainerOptions *options,
                GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (DnContext) context = NULL;
  DnLimitsRoom room;
  gboolean is_usable;

  if (options->context != NULL)
    context = dn_lookup_context (request, options->context, error);
  else if (dn_gate_may_make_ephemeral (request, error))
    context = make_ephemeral (request, id, options, error);
  if (context == NULL || (options->context != NULL && !check_named (context, options, error)))
    return NULL;
  g_mutex_lock (&daemon->lock);
  is_usable = context->error == NULL
              || dn_throw (error, DN_ERROR_CONFIG, "context '%s': %s (rule context-file)",
                           context->name, context->error);
  g_mutex_unlock (&daemon->lock);
  room = dn_container_limits_room (context);
  if (!is_usable || !dn_container_limits_check (options, &room, error))
    return NULL;
  return g_steal_pointer (&context);
}

static gboolean
make_log (const char *directory, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  dn_autofd int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  return fd >= 0 || dn_throw_errno (error, "file '%s': making", path);
}

/* Writes all files under another name; the rename makes the container exist. */
static gboolean
write_files (DnContainer *container, GError **error)
{
  g_autofree char *making = g_strconcat (container->directory, DN_CONTAINER_MAKING, NULL);
  g_autofree char *parent = g_path_get_dirname (container->directory);
  g_autofree char *options = g_build_filename (making, DN_CONTAINER_OPTIONS_FILE, NULL);
  g_autofree char *state = g_build_filename (making, DN_CONTAINER_STATE_FILE, NULL);
  g_autoptr (JsonNode) options_node = NULL, state_node = NULL;

  g_mutex_lock (&container->daemon->lock);
  options_node = dn_container_options_file_print (container);
  state_node = dn_container_state_file_print (container);
  g_mutex_unlock (&container->daemon->lock);
  if (dn_tree_make (making, 0700, error) && make_log (making, "log.0", error)
      && make_log (making, "log.1", error) && dn_state_file_write (options, options_node, error)
      && dn_state_file_write (state, state_node, error))
    {
      if (rename (making, container->directory) == 0)
        return dn_state_file_sync_directory (parent, error);
      dn_throw_errno (error, "directory '%s': making", container->directory);
    }
  (void) dn_tree_remove (making, NULL);
  return FALSE;
}

/* Under the daemon's lock: what the maker has, and this container with its context. */
static DnUse
count_use (const DnContainer *container)
{
  DnDaemon *daemon = container->daemon;
  const DnContext *own = container->context;
  DnUse use = { .containers = 1 };
  GHashTableIter iter;
  DnContainer *other;
  DnContext *context;

  if (own->is_ephemeral)
    use = (DnUse){ 1, 1, own->definition.guest_memory_bytes };
  g_hash_table_iter_init (&iter, daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &other))
    use.containers += other->owner_uid == container->owner_uid;
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    if (context->is_ephemeral && context->owner_uid == container->owner_uid)
      {
        use.contexts++;
        use.memory_bytes += context->definition.guest_memory_bytes;
      }
  return use;
}

/* Under the daemon's lock. */
static gboolean
check_use (const DnContainer *container, const DnRequest *request, GError **error)
{
  const DnUse use = count_use (container);
  g_autofree char *file = g_build_filename (dn_paths ()->config, "danchi.conf", NULL);

  return dn_caller_is_root (request->caller)
         || dn_host_access_check_use (&request->daemon->settings->access, &use,
                                      container->owner_uid, file, error);
}

/* Under the daemon's lock: the container's name and place in the tables, or the reason against
 * them.  From here on its image and context stay, because they see that it uses them. */
static gboolean
enter_tables (DnContainer *container, DnRequest *request, GError **error)
{
  DnDaemon *daemon = container->daemon;
  DnContext *context = container->context;
  g_autoptr (DnImage) image = dn_store_find_id (daemon->store, container->image_id);

  if (image == NULL && container->pod == NULL)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "image '%s': was removed meanwhile",
                     container->image);
  if (context->is_removed)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "context '%s': was removed meanwhile",
                     context->name);
  if (g_hash_table_size (daemon->containers) >= CONTAINERS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "container: this host keeps %d already\nremove some with danchi rm",
                     CONTAINERS_MAX);
  if (container->pod == NULL && context->is_ephemeral
      && g_hash_table_contains (daemon->contexts, context->name))
    return dn_throw (error, DN_ERROR_CONFLICT, "context '%s': exists already; try again",
                     context->name);
  if (!check_use (container, request, error)
      || !dn_container_take_name (request, container->options->name, &container->name, error))
    return FALSE;
  if (container->pod == NULL && context->is_ephemeral)
    g_hash_table_insert (daemon->contexts, g_strdup (context->name), dn_context_ref (context));
  g_hash_table_insert (daemon->containers, container->id, dn_container_ref (container));
  return TRUE;
}

static void
tell (DnContainer *container)
{
  g_autofree char *profile = dn_container_profile_words (container);
  g_autofree char *relaxations = NULL;

  /* It is in the tables by now, and somebody may start it. */
  g_mutex_lock (&container->daemon->lock);
  relaxations = g_strjoinv (", ", container->relaxations);
  g_mutex_unlock (&container->daemon->lock);
  dn_container_event (container, "create",
                      (const char *const[]){ "image", container->image, "profile", profile,
                                             relaxations[0] != '\0' ? "relaxations" : NULL,
                                             relaxations, NULL });
}

gboolean
dn_container_add (DnContainer *container, DnRequest *request, GError **error)
{
  DnDaemon *daemon = container->daemon;
  gboolean is_fine;

  g_mutex_lock (&daemon->lock);
  is_fine = enter_tables (container, request, error);
  g_mutex_unlock (&daemon->lock);
  if (!is_fine)
    {
      dn_volume_drop_anonymous (daemon, container->id, FALSE);
      return FALSE;
    }
  if ((container->context->is_ephemeral && !dn_context_save (container->context, error))
      || !write_files (container, error))
    {
      dn_container_forget (container);
      return FALSE;
    }
  tell (container);
  return TRUE;
}

DnContainer *
dn_container_create (DnRequest *request, DnContainerOptions *options, gboolean is_provisional,
                     GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (DnContainer) container = NULL;
  g_autoptr (DnImage) image = NULL;
  char id[DN_ID_BYTES + 1];
  g_auto (DnVerdict) verdict = { 0 };

  dn_id_new (id);
  container = dn_container_new (daemon, id);
  container->options = options;
  container->owner_uid = request->caller->uid;
  container->is_provisional = is_provisional;
  if (options->image == NULL)
    {
      dn_throw (error, DN_ERROR_USAGE, "image: not given");
      return NULL;
    }
  if ((options->name != NULL && !dn_name_check (options->name, "container", error))
      || !dn_gate_may_emulate (request, options->allow_emulation, error))
    return NULL;
  image = dn_lookup_image (request, options->image, error);
  if (image == NULL)
    return NULL;
  container->image = g_strdup (options->image);
  container->image_id = g_strdup (image->id);
  container->command = command_words (options, image);
  container->created_us = g_get_real_time ();
  container->context = choose_context (request, id, options, error);
  if (container->context == NULL)
    return NULL;
  if (!dn_image_scan_when (request, image, NULL, DN_SCAN_WHEN_START, options->allow_emulation,
                           error))
    return NULL;
  container->profile = dn_container_read_profile (container->context, options, error);
  if (container->profile == NULL
      || !dn_container_admit (container, options, request, &verdict, error)
      || !dn_binds_check (container, request, options, error)
      || !dn_request_record_decided (request, container, error))
    return NULL;
  /* The first thing that is made, so not before it is permitted and recorded. */
  if (!dn_volume_resolve (request, container, options, error))
    return NULL;
  container->relaxations = g_steal_pointer (&verdict.relaxations);
  return dn_container_add (container, request, error) ? g_steal_pointer (&container) : NULL;
}
