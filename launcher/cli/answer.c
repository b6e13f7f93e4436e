/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "escape.h"

static JsonNode *
find_value (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? node : NULL;
}

const char *
dn_answer_text (JsonObject *object, const char *name)
{
  JsonNode *node = find_value (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

gint64
dn_answer_int (JsonObject *object, const char *name, gint64 otherwise)
{
  JsonNode *node = find_value (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node)
                                                                         : otherwise;
}

double
dn_answer_number (JsonObject *object, const char *name, double otherwise)
{
  JsonNode *node = find_value (object, name);
  GType type = node != NULL ? json_node_get_value_type (node) : G_TYPE_INVALID;

  return type == G_TYPE_DOUBLE || type == G_TYPE_INT64 ? json_node_get_double (node) : otherwise;
}

gboolean
dn_answer_is (JsonObject *object, const char *name)
{
  JsonNode *node = find_value (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
         && json_node_get_boolean (node);
}

JsonObject *
dn_answer_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
dn_answer_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

char *
dn_answer_words (JsonObject *object, const char *name)
{
  JsonArray *array = dn_answer_array (object, name);
  GString *out;

  if (array == NULL)
    return g_strdup (dn_answer_text (object, name));
  out = g_string_new (NULL);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *word = NULL;

      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        continue;
      word = dn_escape_word (json_node_get_string (node));
      g_string_append_printf (out, "%s%s", out->len > 0 ? " " : "", word);
    }
  return g_string_free (out, FALSE);
}

JsonObject *
dn_answer_nth (JsonArray *array, guint index)
{
  JsonNode *node = array != NULL && index < json_array_get_length (array)
                       ? json_array_get_element (array, index)
                       : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

guint
dn_answer_length (JsonArray *array)
{
  return array != NULL ? json_array_get_length (array) : 0;
}

void
dn_args_set_text (JsonObject *args, const char *name, const char *value)
{
  if (value != NULL)
    json_object_set_string_member (args, name, value);
}

void
dn_args_set_list (JsonObject *args, const char *name, char **values)
{
  JsonArray *array;

  if (values == NULL)
    return;
  array = json_array_new ();
  for (; *values != NULL; values++)
    json_array_add_string_element (array, *values);
  json_object_set_array_member (args, name, array);
}

JsonObject *
dn_args_new (const char *name, const char *value)
{
  JsonObject *args = json_object_new ();

  dn_args_set_text (args, name, value);
  return args;
}
