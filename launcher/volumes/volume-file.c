/* SPDX-License-Identifier: Apache-2.0 */
/* volume.json. */
#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "volume.h"

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 number)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, number);
}

static void
add_flag (JsonBuilder *builder, const char *name, gboolean flag)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, flag);
}

static void
add_labels (JsonBuilder *builder, GHashTable *labels)
{
  GHashTableIter iter;
  gpointer name, value;

  json_builder_set_member_name (builder, "labels");
  json_builder_begin_object (builder);
  g_hash_table_iter_init (&iter, labels);
  while (g_hash_table_iter_next (&iter, &name, &value))
    add_text (builder, name, value);
  json_builder_end_object (builder);
}

JsonNode *
dn_volume_print (const DnVolume *volume)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_text (builder, "id", volume->id);
  add_text (builder, "name", volume->name);
  add_text (builder, "scope", dn_volume_scope_words[volume->scope.kind]);
  add_text (builder, "tenant", volume->scope.tenant);
  add_text (builder, "context", volume->scope.context);
  add_number (builder, "scope_uid", volume->scope.uid);
  add_number (builder, "owner_uid", volume->owner_uid);
  add_number (builder, "created_us", volume->created_us);
  add_number (builder, "size_bytes", (gint64) volume->size_bytes);
  add_labels (builder, volume->labels);
  add_flag (builder, "is_anonymous", volume->is_anonymous);
  add_text (builder, "container", volume->container);
  add_flag (builder, "is_formatted", volume->is_formatted);
  add_flag (builder, "is_encrypted", volume->is_encrypted);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

static gboolean
read_labels (DnVolume *volume, JsonObject *labels, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, labels);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_CONFIG, "%s: label '%s' is no text", what, name);
      g_hash_table_replace (volume->labels, g_strdup (name),
                            g_strdup (json_node_get_string (node)));
    }
  return TRUE;
}

static gboolean
read_scope (DnVolume *volume, const char *scope, const char *what, GError **error)
{
  for (guint i = 0; dn_volume_scope_words[i] != NULL; i++)
    if (g_str_equal (scope, dn_volume_scope_words[i]))
      {
        volume->scope.kind = (DnVolumeScopeKind) i;
        if ((volume->scope.kind == DN_VOLUME_OF_CONTEXT) == (volume->scope.context != NULL))
          return TRUE;
      }
  return dn_throw (error, DN_ERROR_CONFIG, "%s: 'scope' is none", what);
}

gboolean
dn_volume_read (DnVolume *volume, JsonObject *object, const char *what, GError **error)
{
  g_autofree char *id = NULL, *scope = NULL;
  g_autoptr (JsonObject) labels = NULL;
  gint64 scope_uid = 0, owner_uid = 0, size_bytes = 0;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &id },
    { "name", DN_JSON_STRING, TRUE, &volume->name },
    { "scope", DN_JSON_STRING, TRUE, &scope },
    { "tenant", DN_JSON_STRING, TRUE, &volume->scope.tenant },
    { "context", DN_JSON_STRING, FALSE, &volume->scope.context },
    { "scope_uid", DN_JSON_INT, TRUE, &scope_uid },
    { "owner_uid", DN_JSON_INT, TRUE, &owner_uid },
    { "created_us", DN_JSON_INT, TRUE, &volume->created_us },
    { "size_bytes", DN_JSON_INT, TRUE, &size_bytes },
    { "labels", DN_JSON_OBJECT, TRUE, &labels },
    { "is_anonymous", DN_JSON_BOOL, TRUE, &volume->is_anonymous },
    { "container", DN_JSON_STRING, FALSE, &volume->container },
    { "is_formatted", DN_JSON_BOOL, TRUE, &volume->is_formatted },
    { "is_encrypted", DN_JSON_BOOL, TRUE, &volume->is_encrypted },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error) || !read_scope (volume, scope, what, error)
      || !read_labels (volume, labels, what, error))
    return FALSE;
  if (!g_str_equal (id, volume->id) || !dn_name_is_valid (volume->name) || size_bytes <= 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: is another volume's, or damaged", what);
  volume->scope.uid = (guint) scope_uid;
  volume->owner_uid = (guint) owner_uid;
  volume->size_bytes = (guint64) size_bytes;
  return TRUE;
}
