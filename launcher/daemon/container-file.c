/* SPDX-License-Identifier: Apache-2.0 */
#include "container-file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../common/paths.h"
#include "../common/state-file.h"
#include "../pods/pod-container.h"
#include "../spec/profile-file.h"
#include "../spec/profile-store.h"
#include "json-build.h"
#include "refusal.h"
#include "tree.h"

DnContainer *
dn_container_new (DnDaemon *daemon, const char *id)
{
  DnContainer *container = g_new0 (DnContainer, 1);

  container->ref_count = 1;
  container->daemon = daemon;
  g_strlcpy (container->id, id, sizeof container->id);
  container->directory = g_build_filename (dn_paths ()->state, "containers", id, NULL);
  container->next_process = 1;
  g_mutex_init (&container->op_lock);
  g_mutex_init (&container->file_lock);
  return container;
}

JsonNode *
dn_container_options_file_print (DnContainer *container)
{
  g_autofree char *profile = dn_profile_print (container->profile);
  JsonObject *binds = dn_bind_record_to_json (&container->binds);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", container->id);
  json_object_set_string_member (object, "name", container->name);
  json_object_set_string_member (object, "image", container->image);
  json_object_set_string_member (object, "image_id", container->image_id);
  json_object_set_string_member (object, "command", container->command);
  json_object_set_string_member (object, "context", container->context->name);
  json_object_set_int_member (object, "created_us", container->created_us);
  json_object_set_int_member (object, "owner_uid", container->owner_uid);
  json_object_set_member (object, "options", dn_container_options_to_json (container->options));
  json_object_set_string_member (object, "profile", profile);
  if (binds != NULL)
    json_object_set_object_member (object, "binds", binds);
  if (container->pod != NULL)
    json_object_set_object_member (object, "pod", dn_pod_member_to_json (container->pod));
  return dn_json_node_take (object);
}

/* 64 bits of capabilities do not fit JSON's signed integers: as the kernel's status file has them.
 */
static void
set_hex (JsonObject *object, const char *name, guint64 value)
{
  g_autofree char *text = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", value);

  json_object_set_string_member (object, name, text);
}

JsonObject *
dn_container_started_to_json (const DnMsgStarted *started)
{
  static const struct
  {
    guint32 bit;
    const char *name;
  } namespaces[] = {
    { DN_NAMESPACE_USER, "user" },     { DN_NAMESPACE_MOUNT, "mount" }, { DN_NAMESPACE_PID, "pid" },
    { DN_NAMESPACE_IPC, "ipc" },       { DN_NAMESPACE_UTS, "uts" },     { DN_NAMESPACE_NET, "net" },
    { DN_NAMESPACE_CGROUP, "cgroup" },
  };
  JsonObject *object = json_object_new ();
  JsonArray *own = json_array_new ();

  json_object_set_int_member (object, "pid", started->pid);
  json_object_set_int_member (object, "uid", started->uid);
  json_object_set_int_member (object, "gid", started->gid);
  set_hex (object, "cap_inheritable", started->cap_inheritable);
  set_hex (object, "cap_permitted", started->cap_permitted);
  set_hex (object, "cap_effective", started->cap_effective);
  set_hex (object, "cap_bounding", started->cap_bounding);
  set_hex (object, "cap_ambient", started->cap_ambient);
  json_object_set_int_member (object, "no_new_privs", started->no_new_privs);
  json_object_set_int_member (object, "seccomp_mode", started->seccomp_mode);
  json_object_set_int_member (object, "seccomp_filters", started->seccomp_filters);
  for (gsize i = 0; i < G_N_ELEMENTS (namespaces); i++)
    if ((started->namespaces & namespaces[i].bit) != 0)
      json_array_add_string_element (own, namespaces[i].name);
  json_object_set_array_member (object, "namespaces", own);
  json_object_set_int_member (object, "outer_uid_of_root", started->outer_uid_of_root);
  return object;
}

JsonNode *
dn_container_state_file_print (DnContainer *container)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "state", dn_container_state_words[container->state]);
  json_object_set_boolean_member (object, "is_provisional", container->is_provisional);
  json_object_set_boolean_member (object, "in_guest", container->in_guest);
  json_object_set_int_member (object, "run", container->run);
  json_object_set_int_member (object, "slot", container->slot);
  json_object_set_int_member (object, "exit_code", container->exit_code);
  json_object_set_int_member (object, "exit_signal", container->exit_signal);
  json_object_set_boolean_member (object, "is_oom_killed", container->is_oom_killed);
  dn_json_set_text (object, "reason", container->reason);
  json_object_set_boolean_member (object, "is_stopped", container->restart.is_stopped);
  json_object_set_int_member (object, "restarts", (gint64) container->restart.restarts);
  json_object_set_int_member (object, "started_us", container->started_us);
  json_object_set_int_member (object, "finished_us", container->finished_us);
  dn_json_set_text (object, "spec_sha256", container->spec_sha256);
  dn_json_set_text (object, "seccomp_sha256", container->seccomp_sha256);
  dn_json_set_strings (object, "relaxations", container->relaxations);
  if (container->refusals != NULL)
    json_object_set_array_member (object, "refused", dn_refusals_to_json (container->refusals));
  if (container->has_started)
    json_object_set_object_member (object, "started",
                                   dn_container_started_to_json (&container->started));
  return dn_json_node_take (object);
}

static gboolean
read_hex (const char *text, const char *what, guint64 *ret_value, GError **error)
{
  if (text == NULL || g_ascii_string_to_unsigned (text, 16, 0, G_MAXUINT64, ret_value, NULL))
    return TRUE;
  return dn_throw (error, DN_ERROR_CONFIG, "%s: '%s' is not hexadecimal", what, text);
}

static guint32
read_namespaces (char **names)
{
  static const char *const words[] = { "user", "mount", "pid", "ipc", "uts", "net", "cgroup" };
  guint32 bits = 0;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (names != NULL && g_strv_contains ((const char *const *) names, words[i]))
      bits |= 1u << i;
  return bits;
}

static gboolean
read_started (JsonObject *object, DnMsgStarted *started, const char *what, GError **error)
{
  gint64 pid = 0, uid = 0, gid = 0, no_new_privs = 0, mode = 0, filters = 0, outer = 0;
  g_autofree char *inheritable = NULL, *permitted = NULL, *effective = NULL, *bounding = NULL;
  g_autofree char *ambient = NULL;
  g_auto (GStrv) namespaces = NULL;
  const DnJsonField fields[] = {
    { "pid", DN_JSON_INT, TRUE, &pid },
    { "uid", DN_JSON_INT, TRUE, &uid },
    { "gid", DN_JSON_INT, TRUE, &gid },
    { "cap_inheritable", DN_JSON_STRING, TRUE, &inheritable },
    { "cap_permitted", DN_JSON_STRING, TRUE, &permitted },
    { "cap_effective", DN_JSON_STRING, TRUE, &effective },
    { "cap_bounding", DN_JSON_STRING, TRUE, &bounding },
    { "cap_ambient", DN_JSON_STRING, TRUE, &ambient },
    { "no_new_privs", DN_JSON_INT, TRUE, &no_new_privs },
    { "seccomp_mode", DN_JSON_INT, TRUE, &mode },
    { "seccomp_filters", DN_JSON_INT, TRUE, &filters },
    { "namespaces", DN_JSON_STRINGS, TRUE, &namespaces },
    { "outer_uid_of_root", DN_JSON_INT, TRUE, &outer },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error)
      || !read_hex (inheritable, what, &started->cap_inheritable, error)
      || !read_hex (permitted, what, &started->cap_permitted, error)
      || !read_hex (effective, what, &started->cap_effective, error)
      || !read_hex (bounding, what, &started->cap_bounding, error)
      || !read_hex (ambient, what, &started->cap_ambient, error))
    return FALSE;
  started->pid = (guint32) pid;
  started->uid = (guint32) uid;
  started->gid = (guint32) gid;
  started->no_new_privs = (guint32) no_new_privs;
  started->seccomp_mode = (guint32) mode;
  started->seccomp_filters = (guint32) filters;
  started->namespaces = read_namespaces (namespaces);
  started->outer_uid_of_root = (guint32) outer;
  return TRUE;
}

static gboolean
read_state (DnContainer *container, JsonObject *object, const char *what, GError **error)
{
  g_autofree char *state = NULL;
  g_autoptr (JsonObject) started = NULL;
  g_autoptr (JsonArray) refused = NULL;
  gint64 run = 0, slot = 0, restarts = 0;
  const DnJsonField fields[] = {
    { "state", DN_JSON_STRING, TRUE, &state },
    { "is_provisional", DN_JSON_BOOL, TRUE, &container->is_provisional },
    { "in_guest", DN_JSON_BOOL, TRUE, &container->in_guest },
    { "run", DN_JSON_INT, TRUE, &run },
    { "slot", DN_JSON_INT, TRUE, &slot },
    { "exit_code", DN_JSON_INT, TRUE, &container->exit_code },
    { "exit_signal", DN_JSON_INT, TRUE, &container->exit_signal },
    { "is_oom_killed", DN_JSON_BOOL, TRUE, &container->is_oom_killed },
    { "reason", DN_JSON_STRING, FALSE, &container->reason },
    { "is_stopped", DN_JSON_BOOL, FALSE, &container->restart.is_stopped },
    { "restarts", DN_JSON_INT, FALSE, &restarts },
    { "started_us", DN_JSON_INT, TRUE, &container->started_us },
    { "finished_us", DN_JSON_INT, TRUE, &container->finished_us },
    { "spec_sha256", DN_JSON_STRING, FALSE, &container->spec_sha256 },
    { "seccomp_sha256", DN_JSON_STRING, FALSE, &container->seccomp_sha256 },
    { "relaxations", DN_JSON_STRINGS, FALSE, &container->relaxations },
    { "refused", DN_JSON_ARRAY, FALSE, &refused },
    { "started", DN_JSON_OBJECT, FALSE, &started },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  for (guint i = 0; i <= DN_CONTAINER_EXITED; i++)
    if (g_str_equal (state, dn_container_state_words[i]))
      container->state = (DnContainerState) i;
  container->run = (guint32) run;
  container->restart.restarts = (guint64) MAX (restarts, 0);
  container->slot = (guint) CLAMP (slot, 0, DN_CONTEXT_SLOTS - 1);
  if (refused != NULL && (container->refusals = dn_refusals_read (refused, what, error)) == NULL)
    return FALSE;
  container->has_started = started != NULL;
  return started == NULL || read_started (started, &container->started, what, error);
}

static gboolean
read_options (DnContainer *container, JsonObject *object, const char *what, GError **error)
{
  g_autofree char *id = NULL, *context = NULL, *profile = NULL;
  g_autoptr (JsonObject) options = NULL, binds = NULL, pod = NULL;
  gint64 owner_uid = 0;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &id },
    { "name", DN_JSON_STRING, TRUE, &container->name },
    { "image", DN_JSON_STRING, TRUE, &container->image },
    { "image_id", DN_JSON_STRING, TRUE, &container->image_id },
    { "command", DN_JSON_STRING, TRUE, &container->command },
    { "context", DN_JSON_STRING, TRUE, &context },
    { "created_us", DN_JSON_INT, TRUE, &container->created_us },
    { "owner_uid", DN_JSON_INT, FALSE, &owner_uid },
    { "options", DN_JSON_OBJECT, TRUE, &options },
    { "binds", DN_JSON_OBJECT, FALSE, &binds },
    { "profile", DN_JSON_STRING, FALSE, &profile },
    { "pod", DN_JSON_OBJECT, FALSE, &pod },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  DnContext *owner;

  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  if (!g_str_equal (id, container->id) || !dn_name_is_valid (container->name))
    return dn_throw (error, DN_ERROR_CONFIG, "%s: is another container's", what);
  container->owner_uid = (guint) owner_uid;
  container->options = dn_container_options_read (options, error);
  if (container->options == NULL
      || (binds != NULL && !dn_bind_record_read (&container->binds, binds, what, error)))
    return FALSE;
  /* Records of before there were profiles in them have none. */
  container->profile = profile != NULL ? dn_profile_parse (profile, strlen (profile), what, error)
                                       : dn_profile_load ("strict", NULL, error);
  if (container->profile == NULL)
    return FALSE;
  owner = g_hash_table_lookup (container->daemon->contexts, context);
  if (owner == NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: its context '%s' is gone", what, context);
  container->context = dn_context_ref (owner);
  return pod == NULL || dn_pod_container_load (container, pod, what, error);
}

static DnContainer *
load (DnDaemon *daemon, const char *id, GError **error)
{
  g_autoptr (DnContainer) container = dn_container_new (daemon, id);
  g_autofree char *options_path
      = g_build_filename (container->directory, DN_CONTAINER_OPTIONS_FILE, NULL);
  g_autofree char *state_path
      = g_build_filename (container->directory, DN_CONTAINER_STATE_FILE, NULL);
  g_autoptr (JsonNode) options = dn_state_file_read (options_path, error);
  g_autoptr (JsonNode) state = options != NULL ? dn_state_file_read (state_path, error) : NULL;

  if (state == NULL
      || !read_options (container, json_node_get_object (options), options_path, error)
      || !read_state (container, json_node_get_object (state), state_path, error))
    return NULL;
  return g_steal_pointer (&container);
}

static void
load_entry (DnDaemon *daemon, const char *parent, const char *name)
{
  g_autofree char *path = g_build_filename (parent, name, NULL);
  g_autoptr (GError) error = NULL;
  DnContainer *container;

  if (g_str_has_suffix (name, DN_CONTAINER_REMOVING)
      || g_str_has_suffix (name, DN_CONTAINER_MAKING))
    {
      if (!dn_tree_remove (path, &error))
        g_warning ("containers: %s", error->message);
      return;
    }
  if (!dn_id_is_hex (name, DN_ID_BYTES))
    return;
  container = load (daemon, name, &error);
  /* Left where it is: a damaged file is somebody's to look at, not ours to throw away. */
  if (container == NULL)
    g_warning ("containers: '%s' is left out: %s", name, error->message);
  else
    g_hash_table_insert (daemon->containers, container->id, container);
}

gboolean
dn_container_load_all (DnDaemon *daemon, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->state, "containers", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory == NULL)
    return dn_throw_errno (error, "directory '%s': reading", path);
  while ((name = g_dir_read_name (directory)) != NULL)
    load_entry (daemon, path, name);
  return TRUE;
}
