/* SPDX-License-Identifier: Apache-2.0 */
#include "spec.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "options-check.h"

static gboolean
copy_labels (JsonObject *object, GHashTable *labels, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "--label '%s': its value is no text", name);
      g_hash_table_replace (labels, g_strdup (name), g_strdup (json_node_get_string (node)));
    }
  return TRUE;
}

/* Every member with its type: what is not here is refused by name, so that a flag of a newer
 * client is never ignored. */
static gboolean
read_members (JsonObject *args, DnContainerOptions *o, JsonObject **ret_labels, GError **error)
{
  const DnJsonField fields[] = {
    { "image", DN_JSON_STRING, FALSE, &o->image },
    { "command", DN_JSON_STRINGS, FALSE, &o->command },
    { "context", DN_JSON_STRING, FALSE, &o->context },
    { "tenant", DN_JSON_STRING, FALSE, &o->tenant },
    { "stage", DN_JSON_STRING, FALSE, &o->stage },
    { "tier", DN_JSON_STRING, FALSE, &o->tier },
    { "name", DN_JSON_STRING, FALSE, &o->name },
    { "hostname", DN_JSON_STRING, FALSE, &o->hostname },
    { "env", DN_JSON_STRINGS, FALSE, &o->env },
    { "user", DN_JSON_STRING, FALSE, &o->user },
    { "working_dir", DN_JSON_STRING, FALSE, &o->working_dir },
    { "entrypoint", DN_JSON_STRINGS, FALSE, &o->entrypoint },
    { "labels", DN_JSON_OBJECT, FALSE, ret_labels },
    { "profile", DN_JSON_STRING, FALSE, &o->profile },
    { "profile_text", DN_JSON_STRING, FALSE, &o->profile_text },
    { "cap_add", DN_JSON_STRINGS, FALSE, &o->cap_add },
    { "cap_drop", DN_JSON_STRINGS, FALSE, &o->cap_drop },
    { "seccomp_json", DN_JSON_STRING, FALSE, &o->seccomp_json },
    { "is_writable", DN_JSON_BOOL, FALSE, &o->is_writable },
    { "is_on_disk", DN_JSON_BOOL, FALSE, &o->is_on_disk },
    { "writable_bytes", DN_JSON_INT, FALSE, &o->writable_bytes },
    { "is_readonly", DN_JSON_BOOL, FALSE, &o->is_readonly },
    { "tmpfs", DN_JSON_STRINGS, FALSE, &o->tmpfs },
    { "memory_bytes", DN_JSON_INT, FALSE, &o->memory_bytes },
    { "cpus", DN_JSON_DOUBLE, FALSE, &o->cpus },
    { "cpu_shares", DN_JSON_INT, FALSE, &o->cpu_shares },
    { "pids_limit", DN_JSON_INT, FALSE, &o->pids_limit },
    { "memory_reservation_bytes", DN_JSON_INT, FALSE, &o->memory_reservation_bytes },
    { "cpuset_cpus", DN_JSON_STRING, FALSE, &o->cpuset_cpus },
    { "read_bytes_per_s", DN_JSON_INT, FALSE, &o->read_bytes_per_s },
    { "write_bytes_per_s", DN_JSON_INT, FALSE, &o->write_bytes_per_s },
    { "reads_per_s", DN_JSON_INT, FALSE, &o->reads_per_s },
    { "writes_per_s", DN_JSON_INT, FALSE, &o->writes_per_s },
    { "ends_whole", DN_JSON_BOOL, FALSE, &o->ends_whole },
    { "ulimits", DN_JSON_STRINGS, FALSE, &o->ulimits },
    { "network", DN_JSON_STRING, FALSE, &o->network },
    { "publish", DN_JSON_STRINGS, FALSE, &o->publish },
    { "publishes_all", DN_JSON_BOOL, FALSE, &o->publishes_all },
    { "expose", DN_JSON_STRINGS, FALSE, &o->expose },
    { "add_hosts", DN_JSON_STRINGS, FALSE, &o->add_hosts },
    { "dns", DN_JSON_STRINGS, FALSE, &o->dns },
    { "dns_search", DN_JSON_STRINGS, FALSE, &o->dns_search },
    { "volumes", DN_JSON_STRINGS, FALSE, &o->volumes },
    { "secrets", DN_JSON_STRINGS, FALSE, &o->secrets },
    { "configs", DN_JSON_STRINGS, FALSE, &o->configs },
    { "restart", DN_JSON_STRING, FALSE, &o->restart },
    { "has_init", DN_JSON_BOOL, FALSE, &o->has_init },
    { "health_command", DN_JSON_STRING, FALSE, &o->health_command },
    { "health_interval_ns", DN_JSON_INT, FALSE, &o->health_interval_ns },
    { "health_timeout_ns", DN_JSON_INT, FALSE, &o->health_timeout_ns },
    { "health_start_ns", DN_JSON_INT, FALSE, &o->health_start_ns },
    { "health_start_interval_ns", DN_JSON_INT, FALSE, &o->health_start_interval_ns },
    { "has_no_health_check", DN_JSON_BOOL, FALSE, &o->has_no_health_check },
    { "health_retries", DN_JSON_INT, FALSE, &o->health_retries },
    { "stop_signal", DN_JSON_STRING, FALSE, &o->stop_signal },
    { "stop_timeout_s", DN_JSON_INT, FALSE, &o->stop_timeout_s },
    { "has_terminal", DN_JSON_BOOL, FALSE, &o->has_terminal },
    { "keeps_stdin_open", DN_JSON_BOOL, FALSE, &o->keeps_stdin_open },
    { "is_removed_at_exit", DN_JSON_BOOL, FALSE, &o->is_removed_at_exit },
    { "guest_memory_bytes", DN_JSON_INT, FALSE, &o->guest_memory_bytes },
    { "guest_vcpus", DN_JSON_INT, FALSE, &o->guest_vcpus },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &o->allow_emulation },
    { NULL },
  };

  return dn_json_read (args, fields, "container options", error);
}

DnContainerOptions *
dn_container_options_read (JsonObject *args, GError **error)
{
  g_autoptr (DnContainerOptions) options = g_new0 (DnContainerOptions, 1);
  g_autoptr (JsonObject) labels = NULL;

  options->stop_timeout_s = -1;
  options->labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (!read_members (args, options, &labels, error)
      || (labels != NULL && !copy_labels (labels, options->labels, error))
      || !dn_container_options_check (options, error))
    return NULL;
  return g_steal_pointer (&options);
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
add_list (JsonBuilder *builder, const char *name, char **list)
{
  if (list == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; list[i] != NULL; i++)
    json_builder_add_string_value (builder, list[i]);
  json_builder_end_array (builder);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 number, gint64 when_not_given)
{
  if (number == when_not_given)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

static void
add_flag (JsonBuilder *builder, const char *name, gboolean flag)
{
  if (!flag)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, TRUE);
}

static void
add_labels (JsonBuilder *builder, GHashTable *labels)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (labels), (GCompareFunc) strcmp);

  if (names == NULL)
    return;
  json_builder_set_member_name (builder, "labels");
  json_builder_begin_object (builder);
  for (GList *name = names; name != NULL; name = name->next)
    add_text (builder, name->data, g_hash_table_lookup (labels, name->data));
  json_builder_end_object (builder);
}

static void
add_limits (JsonBuilder *builder, const DnContainerOptions *o)
{
  add_number (builder, "memory_bytes", o->memory_bytes, 0);
  if (o->cpus > 0)
    {
      json_builder_set_member_name (builder, "cpus");
      json_builder_add_double_value (builder, o->cpus);
    }
  add_number (builder, "cpu_shares", o->cpu_shares, 0);
  add_number (builder, "pids_limit", o->pids_limit, 0);
  add_number (builder, "memory_reservation_bytes", o->memory_reservation_bytes, 0);
  add_text (builder, "cpuset_cpus", o->cpuset_cpus);
  add_number (builder, "read_bytes_per_s", o->read_bytes_per_s, 0);
  add_number (builder, "write_bytes_per_s", o->write_bytes_per_s, 0);
  add_number (builder, "reads_per_s", o->reads_per_s, 0);
  add_number (builder, "writes_per_s", o->writes_per_s, 0);
  add_flag (builder, "ends_whole", o->ends_whole);
  add_list (builder, "ulimits", o->ulimits);
  add_number (builder, "guest_memory_bytes", o->guest_memory_bytes, 0);
  add_number (builder, "guest_vcpus", o->guest_vcpus, 0);
}

static void
add_health (JsonBuilder *builder, const DnContainerOptions *o)
{
  add_text (builder, "health_command", o->health_command);
  add_number (builder, "health_interval_ns", o->health_interval_ns, 0);
  add_number (builder, "health_timeout_ns", o->health_timeout_ns, 0);
  add_number (builder, "health_start_ns", o->health_start_ns, 0);
  add_number (builder, "health_start_interval_ns", o->health_start_interval_ns, 0);
  add_flag (builder, "has_no_health_check", o->has_no_health_check);
  add_number (builder, "health_retries", o->health_retries, 0);
}

JsonNode *
dn_container_options_to_json (const DnContainerOptions *o)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_text (builder, "image", o->image);
  add_list (builder, "command", o->command);
  add_text (builder, "context", o->context);
  add_text (builder, "tenant", o->tenant);
  add_text (builder, "stage", o->stage);
  add_text (builder, "tier", o->tier);
  add_text (builder, "name", o->name);
  add_text (builder, "hostname", o->hostname);
  add_list (builder, "env", o->env);
  add_text (builder, "user", o->user);
  add_text (builder, "working_dir", o->working_dir);
  add_list (builder, "entrypoint", o->entrypoint);
  add_labels (builder, o->labels);
  add_text (builder, "profile", o->profile);
  add_text (builder, "profile_text", o->profile_text);
  add_list (builder, "cap_add", o->cap_add);
  add_list (builder, "cap_drop", o->cap_drop);
  add_text (builder, "seccomp_json", o->seccomp_json);
  add_flag (builder, "is_writable", o->is_writable);
  add_flag (builder, "is_on_disk", o->is_on_disk);
  add_number (builder, "writable_bytes", o->writable_bytes, 0);
  add_flag (builder, "is_readonly", o->is_readonly);
  add_list (builder, "tmpfs", o->tmpfs);
  add_limits (builder, o);
  add_text (builder, "network", o->network);
  add_list (builder, "publish", o->publish);
  add_flag (builder, "publishes_all", o->publishes_all);
  add_list (builder, "expose", o->expose);
  add_list (builder, "add_hosts", o->add_hosts);
  add_list (builder, "dns", o->dns);
  add_list (builder, "dns_search", o->dns_search);
  add_list (builder, "volumes", o->volumes);
  add_list (builder, "secrets", o->secrets);
  add_list (builder, "configs", o->configs);
  add_text (builder, "restart", o->restart);
  add_flag (builder, "has_init", o->has_init);
  add_health (builder, o);
  add_text (builder, "stop_signal", o->stop_signal);
  add_number (builder, "stop_timeout_s", o->stop_timeout_s, -1);
  add_flag (builder, "has_terminal", o->has_terminal);
  add_flag (builder, "keeps_stdin_open", o->keeps_stdin_open);
  add_flag (builder, "is_removed_at_exit", o->is_removed_at_exit);
  add_flag (builder, "allow_emulation", o->allow_emulation);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

void
dn_container_options_free (DnContainerOptions *options)
{
  if (options == NULL)
    return;
  g_free (options->image);
  g_strfreev (options->command);
  g_free (options->context);
  g_free (options->tenant);
  g_free (options->stage);
  g_free (options->tier);
  g_free (options->name);
  g_free (options->hostname);
  g_strfreev (options->env);
  g_free (options->user);
  g_free (options->working_dir);
  g_strfreev (options->entrypoint);
  g_clear_pointer (&options->labels, g_hash_table_unref);
  g_free (options->profile);
  g_free (options->profile_text);
  g_strfreev (options->cap_add);
  g_strfreev (options->cap_drop);
  g_free (options->seccomp_json);
  g_strfreev (options->tmpfs);
  g_strfreev (options->ulimits);
  g_free (options->network);
  g_free (options->cpuset_cpus);
  g_strfreev (options->publish);
  g_strfreev (options->expose);
  g_strfreev (options->add_hosts);
  g_strfreev (options->dns);
  g_strfreev (options->dns_search);
  g_strfreev (options->volumes);
  g_strfreev (options->secrets);
  g_strfreev (options->configs);
  g_free (options->restart);
  g_free (options->health_command);
  g_free (options->stop_signal);
  g_free (options);
}
