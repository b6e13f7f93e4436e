/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <string.h>

#define NAME_BYTES 64

/* No path of ours is deeper or longer than its own text, so this ends. */
static JsonNode *
find (JsonObject *object, const char *path)
{
  const char *dot;

  while (object != NULL && (dot = strchr (path, '.')) != NULL)
    {
      char name[NAME_BYTES];
      JsonNode *node;

      g_strlcpy (name, path, MIN (sizeof name, (gsize) (dot - path) + 1));
      node = json_object_get_member (object, name);
      object = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
      path = dot + 1;
    }
  return object != NULL ? json_object_get_member (object, path) : NULL;
}

static JsonNode *
find_value (JsonObject *object, const char *path, GType type)
{
  JsonNode *node = find (object, path);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type
             ? node
             : NULL;
}

const char *
dn_facts_text (JsonObject *object, const char *path)
{
  JsonNode *node = find_value (object, path, G_TYPE_STRING);

  return node != NULL ? json_node_get_string (node) : "";
}

gint64
dn_facts_int (JsonObject *object, const char *path, gint64 otherwise)
{
  JsonNode *node = find_value (object, path, G_TYPE_INT64);

  return node != NULL ? json_node_get_int (node) : otherwise;
}

gboolean
dn_facts_is (JsonObject *object, const char *path)
{
  JsonNode *node = find_value (object, path, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}

JsonObject *
dn_facts_object (JsonObject *object, const char *path)
{
  JsonNode *node = find (object, path);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
dn_facts_array (JsonObject *object, const char *path)
{
  JsonNode *node = find (object, path);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

char *
dn_facts_number (JsonObject *object, const char *path)
{
  JsonNode *node = find_value (object, path, G_TYPE_INT64);

  return node != NULL ? g_strdup_printf ("%" G_GINT64_FORMAT, json_node_get_int (node))
                      : g_strdup ("");
}

const char *
dn_facts_yes_no (JsonObject *object, const char *path)
{
  JsonNode *node = find_value (object, path, G_TYPE_BOOLEAN);

  return node == NULL ? "unknown" : json_node_get_boolean (node) ? "yes" : "no";
}

char *
dn_facts_list (JsonObject *object, const char *path)
{
  JsonArray *array = dn_facts_array (object, path);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < dn_facts_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_string_append_printf (out, "%s%s", out->len > 0 ? ", " : "", json_node_get_string (node));
    }
  return g_string_free (out, FALSE);
}

JsonObject *
dn_facts_nth (JsonArray *array, guint index)
{
  JsonNode *node = array != NULL && index < json_array_get_length (array)
                       ? json_array_get_element (array, index)
                       : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

guint
dn_facts_length (JsonArray *array)
{
  return array != NULL ? json_array_get_length (array) : 0;
}
