/* SPDX-License-Identifier: Apache-2.0 */
#include "clean.h"

#include "../cli/escape.h"
#include "../cli/table.h"

static JsonNode *clean_node (JsonNode *node, guint depth);

static JsonNode *
clean_text (const char *text)
{
  g_autofree char *escaped = dn_escape_text (text != NULL ? text : "", -1);
  g_autofree char *shortened = dn_table_shorten (escaped, DN_CLEAN_TEXT_MAX);

  return json_node_init_string (json_node_alloc (), shortened);
}

static JsonNode *
take_array (JsonArray *array)
{
  JsonNode *node = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (node, array);
  return node;
}

static JsonNode *
take_object (JsonObject *object)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  return node;
}

static JsonNode *
clean_array (JsonArray *array, guint depth)
{
  JsonArray *copy = json_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_element (copy, clean_node (json_array_get_element (array, i), depth + 1));
  return take_array (copy);
}

/* Names of members are only looked for, never shown. */
static JsonObject *
clean_object (JsonObject *object, guint depth)
{
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    json_object_set_member (copy, name, clean_node (node, depth + 1));
  return copy;
}

static JsonNode *
clean_node (JsonNode *node, guint depth)
{
  if (depth > DN_CLEAN_DEPTH_MAX)
    return json_node_new (JSON_NODE_NULL);
  if (JSON_NODE_HOLDS_OBJECT (node))
    return take_object (clean_object (json_node_get_object (node), depth));
  if (JSON_NODE_HOLDS_ARRAY (node))
    return clean_array (json_node_get_array (node), depth);
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return clean_text (json_node_get_string (node));
  return json_node_copy (node);
}

JsonObject *
dn_clean_document (JsonObject *document)
{
  return document != NULL ? clean_object (document, 0) : json_object_new ();
}
