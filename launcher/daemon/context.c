/* SPDX-License-Identifier: Apache-2.0 */
#include "context.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../limits/limits-json.h"
#include "../network/container-resolver.h"
#include "container.h"
#include "daemon-record.h"
#include "json-build.h"

DnContext *
dn_context_new (DnDaemon *daemon, const char *name, gboolean is_ephemeral,
                DnContextDefinition *definition)
{
  DnContext *context = g_new0 (DnContext, 1);

  context->ref_count = 1;
  context->daemon = daemon;
  context->name = g_strdup (name);
  context->is_ephemeral = is_ephemeral;
  context->created_us = g_get_real_time ();
  context->definition = *definition;
  memset (definition, 0, sizeof *definition);
  context->disks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&context->guest_lock);
  g_mutex_init (&context->file_lock);
  g_mutex_init (&context->network_lock);
  return context;
}

DnContext *
dn_context_ref (DnContext *context)
{
  g_atomic_int_inc (&context->ref_count);
  return context;
}

void
dn_context_unref (DnContext *context)
{
  if (context == NULL || !g_atomic_int_dec_and_test (&context->ref_count))
    return;
  g_free (context->name);
  dn_context_definition_clear (&context->definition);
  dn_pod_free (context->pod);
  g_free (context->policy_stamp);
  g_free (context->error);
  g_free (context->file_stamp);
  g_clear_pointer (&context->guest, dn_guest_unref);
  g_hash_table_unref (context->disks);
  g_mutex_clear (&context->guest_lock);
  g_mutex_clear (&context->file_lock);
  g_mutex_clear (&context->network_lock);
  g_free (context);
}

gboolean
dn_context_goes_with_container (const DnContext *context)
{
  return context->is_ephemeral && context->pod == NULL;
}

char *
dn_context_file_path (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".conf", NULL);

  return g_build_filename (dn_paths ()->config, "contexts.d", file, NULL);
}

char *
dn_context_state_path (const char *name)
{
  g_autofree char *file = g_strconcat (name, ".json", NULL);

  return g_build_filename (dn_paths ()->state, "contexts", file, NULL);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(DnContext *const *) a)->name, (*(DnContext *const *) b)->name);
}

GPtrArray *
dn_context_list (DnDaemon *daemon)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_context_unref);
  GHashTableIter iter;
  DnContext *context;

  g_mutex_lock (&daemon->lock);
  g_hash_table_iter_init (&iter, daemon->contexts);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &context))
    g_ptr_array_add (list, dn_context_ref (context));
  g_mutex_unlock (&daemon->lock);
  g_ptr_array_sort (list, compare_names);
  return list;
}

/* Under the daemon's lock. */
static JsonObject *
definition_to_json (const DnContextDefinition *definition)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "tenant", definition->tenant);
  json_object_set_string_member (object, "stage", definition->stage);
  json_object_set_string_member (object, "tier", definition->tier);
  json_object_set_int_member (object, "guest_memory_bytes",
                              (gint64) definition->guest_memory_bytes);
  json_object_set_int_member (object, "guest_vcpus", (gint64) definition->guest_vcpus);
  json_object_set_object_member (object, "limits", dn_guest_limits_to_json (&definition->limits));
  json_object_set_string_member (object, "transport", dn_transport_words[definition->transport]);
  json_object_set_boolean_member (object, "allow_emulation", definition->allow_emulation);
  json_object_set_object_member (object, "network",
                                 dn_network_policy_to_json (&definition->network));
  json_object_set_int_member (object, "idle_s", (gint64) definition->terms.idle_s);
  json_object_set_int_member (object, "maximum_s", (gint64) definition->terms.maximum_s);
  return object;
}

gboolean
dn_context_save (DnContext *context, GError **error)
{
  g_autofree char *path = dn_context_state_path (context->name);
  JsonObject *object = json_object_new ();
  g_autoptr (JsonNode) node = dn_json_node_take (object);
  JsonArray *disks = json_array_new ();
  GHashTableIter iter;
  gpointer serial;
  gboolean is_fine = TRUE;

  g_mutex_lock (&context->file_lock);
  g_mutex_lock (&context->daemon->lock);
  json_object_set_string_member (object, "name", context->name);
  json_object_set_boolean_member (object, "is_ephemeral", context->is_ephemeral);
  json_object_set_int_member (object, "created_us", context->created_us);
  json_object_set_int_member (object, "owner_uid", context->owner_uid);
  json_object_set_object_member (object, "definition", definition_to_json (&context->definition));
  json_object_set_string_member (object, "guest", context->guest_id);
  json_object_set_int_member (object, "guest_since_us", context->guest_since_us);
  json_object_set_int_member (object, "idle_since_us", context->idle_since_us);
  if (context->pod != NULL)
    json_object_set_object_member (object, "pod", dn_pod_to_json (context->pod));
  g_hash_table_iter_init (&iter, context->disks);
  while (g_hash_table_iter_next (&iter, &serial, NULL))
    json_array_add_string_element (disks, serial);
  json_object_set_array_member (object, "disks", disks);
  is_fine = !context->is_removed;
  g_mutex_unlock (&context->daemon->lock);
  /* A context that was forgotten meanwhile leaves no file. */
  is_fine = !is_fine || dn_state_file_write (path, node, error);
  g_mutex_unlock (&context->file_lock);
  return is_fine;
}

void
dn_context_forget (DnContext *context)
{
  g_autofree char *path = dn_context_state_path (context->name);

  g_mutex_lock (&context->file_lock);
  g_mutex_lock (&context->daemon->lock);
  context->is_removed = TRUE;
  if (g_hash_table_lookup (context->daemon->contexts, context->name) == context)
    g_hash_table_remove (context->daemon->contexts, context->name);
  g_mutex_unlock (&context->daemon->lock);
  (void) unlink (path);
  g_mutex_unlock (&context->file_lock);
  dn_daemon_record_file_gone (context->daemon, "context-file-removed", context->name);
}

static gboolean
read_definition (JsonObject *object, DnContextDefinition *definition, const char *what,
                 GError **error)
{
  g_autofree char *transport = NULL;
  g_autoptr (JsonObject) limits = NULL;
  gint64 memory = (gint64) definition->guest_memory_bytes;
  gint64 vcpus = (gint64) definition->guest_vcpus;
  gint64 idle = (gint64) definition->terms.idle_s;
  gint64 maximum = (gint64) definition->terms.maximum_s;
  g_autoptr (JsonObject) network = NULL;
  const DnJsonField fields[] = {
    { "tenant", DN_JSON_STRING, TRUE, &definition->tenant },
    { "stage", DN_JSON_STRING, TRUE, &definition->stage },
    { "tier", DN_JSON_STRING, TRUE, &definition->tier },
    { "guest_memory_bytes", DN_JSON_INT, TRUE, &memory },
    { "guest_vcpus", DN_JSON_INT, TRUE, &vcpus },
    { "limits", DN_JSON_OBJECT, FALSE, &limits },
    { "transport", DN_JSON_STRING, TRUE, &transport },
    { "allow_emulation", DN_JSON_BOOL, TRUE, &definition->allow_emulation },
    { "network", DN_JSON_OBJECT, FALSE, &network },
    { "idle_s", DN_JSON_INT, FALSE, &idle },
    { "maximum_s", DN_JSON_INT, FALSE, &maximum },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error)
      || (limits != NULL && !dn_guest_limits_read (&definition->limits, limits, what, error))
      || (network != NULL
          && !dn_network_policy_read_json (&definition->network, network, what, error)))
    return FALSE;
  definition->guest_memory_bytes = (guint64) memory;
  definition->guest_vcpus = (guint64) vcpus;
  definition->terms.idle_s = (guint64) idle;
  definition->terms.maximum_s = (guint64) maximum;
  for (int i = 0; dn_transport_words[i] != NULL; i++)
    if (g_str_equal (transport, dn_transport_words[i]))
      definition->transport = i;
  return TRUE;
}

static DnContext *
context_from_json (DnDaemon *daemon, JsonObject *object, const char *what, GError **error)
{
  DnContextDefinition definition;
  g_autofree char *name = NULL, *guest = NULL;
  g_auto (GStrv) disks = NULL;
  g_autoptr (JsonObject) definition_json = NULL, pod_json = NULL;
  g_autoptr (DnPod) pod = NULL;
  gboolean is_ephemeral = FALSE;
  gint64 created_us = 0, owner_uid = 0, guest_since_us = 0, idle_since_us = 0;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, TRUE, &name },
    { "is_ephemeral", DN_JSON_BOOL, TRUE, &is_ephemeral },
    { "created_us", DN_JSON_INT, TRUE, &created_us },
    { "owner_uid", DN_JSON_INT, FALSE, &owner_uid },
    { "definition", DN_JSON_OBJECT, TRUE, &definition_json },
    { "guest", DN_JSON_STRING, TRUE, &guest },
    { "guest_since_us", DN_JSON_INT, FALSE, &guest_since_us },
    { "idle_since_us", DN_JSON_INT, FALSE, &idle_since_us },
    { "pod", DN_JSON_OBJECT, FALSE, &pod_json },
    { "disks", DN_JSON_STRINGS, TRUE, &disks },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  DnContext *context;

  /* At the start: nobody else is there yet. */
  dn_context_definition_init (&definition, daemon->settings);
  if (!dn_json_read (object, fields, what, error)
      || !read_definition (definition_json, &definition, what, error)
      || !dn_name_check (name, "context", error)
      || (pod_json != NULL && (pod = dn_pod_read (pod_json, what, error)) == NULL))
    {
      dn_context_definition_clear (&definition);
      return NULL;
    }
  context = dn_context_new (daemon, name, is_ephemeral, &definition);
  context->created_us = created_us;
  context->pod = g_steal_pointer (&pod);
  context->guest_since_us = guest_since_us;
  context->idle_since_us = idle_since_us;
  context->owner_uid = (guint) owner_uid;
  g_strlcpy (context->guest_id, guest, sizeof context->guest_id);
  for (guint i = 0; disks[i] != NULL; i++)
    g_hash_table_insert (context->disks, g_strdup (disks[i]), GUINT_TO_POINTER (0));
  return context;
}

gboolean
dn_context_load_all (DnDaemon *daemon, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->state, "contexts", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory == NULL)
    return dn_throw_errno (error, "directory '%s': reading", path);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autoptr (GError) local = NULL;
      g_autoptr (JsonNode) node = NULL;
      g_autoptr (DnContext) context = NULL;

      if (g_str_has_prefix (name, DN_STATE_FILE_TEMPORARY_PREFIX))
        (void) unlink (file);
      if (name[0] == '.' || !g_str_has_suffix (name, ".json"))
        continue;
      node = dn_state_file_read (file, &local);
      if (node != NULL)
        context = context_from_json (daemon, json_node_get_object (node), file, &local);
      if (context == NULL)
        g_warning ("contexts: %s", local->message);
      else
        g_hash_table_insert (daemon->contexts, g_strdup (context->name), dn_context_ref (context));
    }
  dn_context_refresh (daemon);
  return TRUE;
}

guint
dn_context_count_containers (DnContext *context)
{
  GHashTableIter iter;
  DnContainer *container;
  guint count = 0;

  g_hash_table_iter_init (&iter, context->daemon->containers);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &container))
    count += container->context == context;
  return count;
}

void
dn_context_event (DnContext *context, const char *action, const char *const *attributes)
{
  DnEvents *events = context->daemon->events;

  if (context->is_ephemeral)
    dn_events_add_of (events, context->owner_uid, "context", action, context->name, context->name,
                      context->name, attributes);
  else
    dn_events_add (events, "context", action, context->name, context->name, context->name,
                   attributes);
}

/* What it was given, and what the host's kernel holds its QEMU to. */
static JsonObject *
guest_limits_to_json (const DnGuestInfo *info)
{
  JsonObject *object = dn_guest_limits_to_json (&info->limits);
  DnHostGroup group = { 0 };

  json_object_remove_member (object, "balloon");
  json_object_set_boolean_member (object, "has_balloon", info->has_balloon);
  json_object_set_int_member (object, "balloon_bytes", (gint64) info->balloon_bytes);
  json_object_set_int_member (object, "host_limit_bytes", (gint64) info->host_limit_bytes);
  (void) dn_host_group_read ("", info->qemu_pid, &group);
  json_object_set_object_member (object, "enforced", dn_host_group_to_json (&group));
  return object;
}

JsonObject *
dn_context_guest_to_json (DnGuest *guest)
{
  JsonObject *object = json_object_new ();
  DnGuestInfo info = { 0 };
  g_autofree char *boot_id = NULL, *kernel = NULL, *agent = NULL;

  dn_guest_get_info (guest, &info);
  boot_id = info.boot_id != NULL ? dn_text_clean (info.boot_id, DN_BOOT_ID_BYTES) : NULL;
  kernel = info.kernel != NULL ? dn_text_clean (info.kernel, 128) : NULL;
  agent = info.agent_version != NULL ? dn_text_clean (info.agent_version, 64) : NULL;
  json_object_set_string_member (object, "id", dn_guest_id (guest));
  json_object_set_boolean_member (object, "is_running", dn_guest_is_running (guest));
  if (dn_paths ()->is_session)
    json_object_set_string_member (object, "mode", "session");
  json_object_set_string_member (object, "transport", dn_transport_words[info.transport]);
  json_object_set_string_member (object, "accelerator",
                                 info.accelerator == DN_ACCELERATOR_KVM ? "kvm" : "tcg");
  json_object_set_int_member (object, "uid", info.uid);
  json_object_set_int_member (object, "gid", info.gid);
  json_object_set_int_member (object, "vsock_cid", info.vsock_cid);
  if (info.has_card)
    {
      char tap[DN_NETWORK_TAP_BYTES];

      dn_network_tap_name (info.uid - DN_NETWORK_UID_FIRST, tap);
      json_object_set_string_member (object, "tap", tap);
    }
  json_object_set_int_member (object, "qemu_pid", info.qemu_pid);
  json_object_set_int_member (object, "relay_pid", info.relay_pid);
  dn_json_set_text (object, "domain_uuid", info.domain_uuid);
  dn_json_set_text (object, "boot_id", boot_id);
  dn_json_set_text (object, "kernel", kernel);
  dn_json_set_text (object, "agent_version", agent);
  dn_json_set_text (object, "root_hash", info.root_hash);
  json_object_set_int_member (object, "memory_bytes", (gint64) info.memory_bytes);
  json_object_set_int_member (object, "vcpus", info.vcpus);
  json_object_set_int_member (object, "started_us", info.started_us);
  json_object_set_object_member (object, "limits", guest_limits_to_json (&info));
  dn_guest_info_clear (&info);
  return object;
}

/* Under the daemon's lock. */
static JsonObject *
policy_to_json (const DnPolicy *policy)
{
  JsonObject *object = json_object_new ();

  dn_json_set_strings (object, "profiles", policy->profiles);
  json_object_set_string_member (object, "profile", policy->profile);
  dn_json_set_strings (object, "capabilities", policy->capabilities);
  json_object_set_string_member (object, "seccomp", dn_seccomp_base_words[policy->seccomp]);
  json_object_set_boolean_member (object, "profile_files", policy->profile_files);
  return object;
}

/* Under the daemon's lock. */
static void
add_terms (JsonObject *object, const DnTerms *terms)
{
  JsonObject *images = json_object_new (), *lifetime = json_object_new ();

  dn_json_set_strings (images, "allow", terms->allow);
  json_object_set_string_member (images, "digest", dn_need_words[terms->digest]);
  dn_json_set_strings (images, "signature", terms->signature);
  json_object_set_string_member (images, "scan", dn_scan_need_words[terms->scan]);
  json_object_set_object_member (object, "images", images);
  json_object_set_int_member (lifetime, "idle_s", (gint64) terms->idle_s);
  json_object_set_int_member (lifetime, "maximum_s", (gint64) terms->maximum_s);
  json_object_set_object_member (object, "lifetime", lifetime);
}

/* Without the daemon's lock: it is asked. */
static void
add_resolver (JsonObject *object, DnGuest *guest)
{
  JsonObject *resolver = dn_guest_resolver_to_json (dn_guest_id (guest));

  if (resolver != NULL)
    json_object_set_object_member (object, "resolver", resolver);
}

JsonObject *
dn_context_to_json (DnContext *context, gboolean is_full)
{
  g_autoptr (DnGuest) guest = NULL;
  JsonObject *object;
  gboolean is_running, is_frozen;

  g_mutex_lock (&context->daemon->lock);
  object = definition_to_json (&context->definition);
  json_object_set_string_member (object, "name", context->name);
  json_object_set_boolean_member (object, "is_ephemeral", context->is_ephemeral);
  json_object_set_int_member (object, "created_us", context->created_us);
  if (context->is_ephemeral)
    json_object_set_int_member (object, "owner_uid", context->owner_uid);
  if (context->pod != NULL)
    json_object_set_object_member (object, "pod", dn_pod_to_json (context->pod));
  json_object_set_int_member (object, "containers", dn_context_count_containers (context));
  json_object_set_int_member (object, "running", context->users);
  dn_json_set_text (object, "error", context->error);
  guest = context->guest != NULL ? dn_guest_ref (context->guest) : NULL;
  g_mutex_unlock (&context->daemon->lock);
  is_running = guest != NULL && dn_guest_is_running (guest);
  is_frozen = is_running && dn_guest_is_frozen (guest);
  json_object_set_string_member (object, "state",
                                 is_frozen    ? "frozen"
                                 : is_running ? "running"
                                              : "stopped");
  if (is_running)
    json_object_set_object_member (object, "guest", dn_context_guest_to_json (guest));
  if (is_running && is_full)
    add_resolver (object, guest);
  if (is_full)
    {
      g_mutex_lock (&context->daemon->lock);
      json_object_set_object_member (object, "confinement",
                                     policy_to_json (&context->definition.policy));
      add_terms (object, &context->definition.terms);
      g_mutex_unlock (&context->daemon->lock);
    }
  if (is_full && !context->is_ephemeral)
    {
      g_autofree char *path = dn_context_file_path (context->name);

      json_object_set_string_member (object, "file", path);
    }
  return object;
}
