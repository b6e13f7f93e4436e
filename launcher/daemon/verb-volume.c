/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about volumes. */
#include <string.h>

#include "../common/error.h"
#include "../common/names.h"
#include "../volumes/volume-access.h"
#include "json-build.h"
#include "verbs.h"

#define LABELS_MAX 64
#define LABEL_MAX_BYTES 4096

static void
add_labels (JsonObject *object, const DnVolume *volume)
{
  JsonObject *labels = json_object_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, volume->labels);
  while (g_hash_table_iter_next (&iter, &name, &value))
    json_object_set_string_member (labels, name, value);
  json_object_set_object_member (object, "labels", labels);
}

/* Contexts whose guests have it, and how. */
static void
add_holders (DnDaemon *daemon, JsonObject *object, const DnVolume *volume)
{
  JsonArray *array = json_array_new ();

  g_mutex_lock (&daemon->volumes->lock);
  for (guint i = 0; i < volume->holders->len; i++)
    {
      const DnVolumeHolder *holder = volume->holders->pdata[i];
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "context", holder->context);
      json_object_set_boolean_member (one, "is_writable", holder->is_writable);
      json_object_set_boolean_member (one, "is_attached", holder->is_attached);
      json_array_add_object_element (array, one);
    }
  json_object_set_boolean_member (object, "is_formatted", volume->is_formatted);
  g_mutex_unlock (&daemon->volumes->lock);
  json_object_set_array_member (object, "held_by", array);
}

static JsonObject *
to_json (DnDaemon *daemon, const DnVolume *volume)
{
  g_autoptr (GPtrArray) users = dn_volume_list_users (daemon, volume);
  g_autofree char *disk = dn_volume_disk_path (volume);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", volume->id);
  json_object_set_string_member (object, "name", volume->name);
  json_object_set_string_member (object, "scope", dn_volume_scope_words[volume->scope.kind]);
  json_object_set_string_member (object, "tenant", volume->scope.tenant);
  dn_json_set_text (object, "context", volume->scope.context);
  json_object_set_int_member (object, "owner_uid", volume->owner_uid);
  json_object_set_int_member (object, "created_us", volume->created_us);
  json_object_set_int_member (object, "size_bytes", (gint64) volume->size_bytes);
  json_object_set_int_member (object, "used_bytes", (gint64) dn_volume_used_bytes (volume));
  json_object_set_boolean_member (object, "is_anonymous", volume->is_anonymous);
  json_object_set_boolean_member (object, "is_encrypted", volume->is_encrypted);
  json_object_set_string_member (object, "disk", disk);
  add_labels (object, volume);
  add_holders (daemon, object, volume);
  g_ptr_array_add (users, NULL);
  dn_json_set_strings (object, "used_by", (char **) users->pdata);
  return object;
}

static gboolean
check_label (const char *name, const char *value, GError **error)
{
  if (name[0] == '\0' || strlen (name) + strlen (value) > LABEL_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE,
                     "--label '%.100s': has no name, or is longer than %d bytes", name,
                     LABEL_MAX_BYTES);
  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("._-/", *at) == NULL)
      return dn_throw (error, DN_ERROR_USAGE,
                       "--label '%.100s': names are letters, digits and . _ - /", name);
  for (const char *at = value; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      return dn_throw (error, DN_ERROR_USAGE, "--label: control character in its value");
  return TRUE;
}

static gboolean
read_labels (JsonObject *object, GHashTable *labels, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (object == NULL)
    return TRUE;
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "--label '%.100s': its value is no text", name);
      if (!check_label (name, json_node_get_string (node), error))
        return FALSE;
      g_hash_table_replace (labels, g_strdup (name), g_strdup (json_node_get_string (node)));
    }
  return g_hash_table_size (labels) <= LABELS_MAX
         || dn_throw (error, DN_ERROR_USAGE, "--label: more than %d of them", LABELS_MAX);
}

DN_VERB (volume_create)
{
  g_autofree char *name = NULL, *context = NULL, *tenant = NULL;
  g_autoptr (JsonObject) label_object = NULL;
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (DnVolumeScope) scope = { 0 };
  g_autoptr (DnVolume) volume = NULL;
  DnVolumeWish wish = { .labels = labels };
  gint64 size_bytes = 0;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, FALSE, &name },
    { "context", DN_JSON_STRING, FALSE, &context },
    { "tenant", DN_JSON_STRING, FALSE, &tenant },
    { "size_bytes", DN_JSON_INT, FALSE, &size_bytes },
    { "labels", DN_JSON_OBJECT, FALSE, &label_object },
    { "is_encrypted", DN_JSON_BOOL, FALSE, &wish.is_encrypted },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (name != NULL && !dn_name_check (name, "volume", error))
      || (tenant != NULL && !dn_name_check (tenant, "--tenant", error))
      || !read_labels (label_object, labels, error))
    return NULL;
  if (size_bytes < 0)
    {
      dn_throw (error, DN_ERROR_USAGE, "--size: must be greater than 0");
      return NULL;
    }
  wish.name = name;
  wish.size_bytes = (guint64) size_bytes;
  if (!dn_volume_scope_ask (request, context, tenant, &scope, error))
    return NULL;
  volume = dn_volume_make (request, &scope, &wish, error);
  return volume != NULL ? to_json (request->daemon, volume) : NULL;
}

DN_VERB (volume_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GPtrArray) volumes = NULL;
  JsonArray *array;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  volumes = dn_volume_lookup_all (request);
  array = json_array_new ();
  for (guint i = 0; i < volumes->len; i++)
    json_array_add_object_element (array, to_json (request->daemon, volumes->pdata[i]));
  ok = json_object_new ();
  json_object_set_array_member (ok, "volumes", array);
  return ok;
}

DN_VERB (volume_inspect)
{
  g_autofree char *name = NULL;
  const DnJsonField fields[]
      = { { "volume", DN_JSON_STRING, TRUE, &name }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnVolume) volume = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  volume = dn_volume_lookup (request, name, error);
  return volume != NULL ? to_json (request->daemon, volume) : NULL;
}

static gboolean
remove_volume (DnDaemon *daemon, DnVolume *volume, GError **error)
{
  g_autoptr (GPtrArray) users = dn_volume_list_users (daemon, volume);
  g_autofree char *list = NULL;

  if (users->len > 0)
    {
      g_ptr_array_add (users, NULL);
      list = g_strjoinv ("', '", (char **) users->pdata);
      return dn_throw (error, DN_ERROR_CONFLICT,
                       "volume '%s': container%s '%s' ha%s it\nremove with danchi rm what needs it "
                       "first",
                       volume->name, users->len > 2 ? "s" : "", list, users->len > 2 ? "ve" : "s");
    }
  if (!dn_volumes_remove (daemon->volumes, volume, error))
    return FALSE;
  dn_volume_tell (daemon, volume, "destroy");
  return TRUE;
}

DN_VERB (volume_remove)
{
  g_autofree char *name = NULL;
  gboolean force = FALSE;
  const DnJsonField fields[] = {
    { "volume", DN_JSON_STRING, TRUE, &name },
    { "force", DN_JSON_BOOL, FALSE, &force },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnVolume) volume = NULL;
  g_autoptr (GError) local = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  volume = dn_volume_lookup (request, name, &local);
  if (volume == NULL && !(force && g_error_matches (local, DN_ERROR, DN_ERROR_NOT_FOUND)))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  if (volume != NULL && !remove_volume (request->daemon, volume, error))
    return NULL;
  ok = json_object_new ();
  dn_json_set_text (ok, "id", volume != NULL ? volume->id : NULL);
  return ok;
}

/* As docker has it: without @all the anonymous ones alone. */
DN_VERB (volume_prune)
{
  gboolean all = FALSE, dry_run = FALSE;
  const DnJsonField fields[] = {
    { "all", DN_JSON_BOOL, FALSE, &all },
    { "dry_run", DN_JSON_BOOL, FALSE, &dry_run },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (GPtrArray) volumes = NULL;
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  guint64 bytes = 0;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  volumes = dn_volume_lookup_all (request);
  for (guint i = 0; i < volumes->len; i++)
    {
      DnVolume *volume = volumes->pdata[i];
      g_autoptr (GPtrArray) users = dn_volume_list_users (request->daemon, volume);
      guint64 used = dn_volume_used_bytes (volume);

      if (users->len > 0 || (!all && !volume->is_anonymous)
          || (!dry_run && !remove_volume (request->daemon, volume, NULL)))
        continue;
      bytes += used;
      g_ptr_array_add (removed, g_strdup (volume->name));
    }
  g_ptr_array_add (removed, NULL);
  ok = json_object_new ();
  dn_json_set_strings (ok, "removed", (char **) removed->pdata);
  json_object_set_int_member (ok, "reclaimed_bytes", (gint64) bytes);
  return ok;
}
