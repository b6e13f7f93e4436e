/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <stdio.h>

#include "../common/json.h"
#include "answer.h"
#include "escape.h"

static void
print_node (JsonNode *node, gboolean pretty)
{
  g_autofree char *text = dn_json_to_text (node, pretty);
  g_autofree char *safe = dn_escape_json (text);

  puts (safe);
}

void
dn_print_object (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  print_node (node, TRUE);
}

void
dn_print_array (JsonArray *array)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autoptr (JsonArray) none = json_array_new ();

  json_node_set_array (node, array != NULL ? array : none);
  print_node (node, TRUE);
}

void
dn_print_object_line (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  print_node (node, FALSE);
  fflush (stdout);
}

static void print_facts (JsonObject *object, guint indent);

static void
print_fact (const char *name, JsonNode *node, guint indent)
{
  g_autofree char *label = dn_escape_text (name, -1);

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      printf ("%*s%s:\n", (int) indent, "", label);
      print_facts (json_node_get_object (node), indent + 2);
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      printf ("%*s%s:\n", (int) indent, "", label);
      for (guint i = 0; i < json_array_get_length (array); i++)
        print_fact ("-", json_array_get_element (array, i), indent + 2);
    }
  else
    {
      g_autofree char *value
          = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                ? json_node_dup_string (node)
                : dn_json_to_text (node, FALSE);
      g_autofree char *shown = dn_escape_text (value, -1);

      printf ("%*s%s: %s\n", (int) indent, "", label, shown);
    }
}

static void
print_facts (JsonObject *object, guint indent)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    print_fact (name, node, indent);
}

void
dn_print_facts (JsonObject *object)
{
  print_facts (object, 0);
}

void
dn_print_table (const DnTable *table)
{
  g_autofree char *text = dn_table_to_text (table);

  fputs (text, stdout);
}

void
dn_print_line (const char *text)
{
  g_autofree char *shown = dn_escape_text (text, -1);

  puts (shown);
}
