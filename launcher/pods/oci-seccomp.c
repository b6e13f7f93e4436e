/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp profile of a pod, which a runtime has made: as it stands but for what runtimes mean
 * and an operator's profile may not say (spec/seccomp-profile.h).  Where a rule compares one
 * argument more than once, any of its comparisons will do; CRI-O's default for clone is so.  And a
 * call that is both permitted and refused, whatever its arguments, as setns is there, is refused:
 * a profile of a pod's can only take away. */
#include "../common/error.h"
#include "oci-config.h"

#define COMPARISONS_MAX 64

static gboolean
is_repeated (JsonArray *args)
{
  guint64 seen = 0;

  for (guint i = 0; i < json_array_get_length (args); i++)
    {
      JsonNode *node = json_array_get_element (args, i);
      gint64 index
          = JSON_NODE_HOLDS_OBJECT (node)
                ? json_object_get_int_member_with_default (json_node_get_object (node), "index", -1)
                : -1;

      if (index < 0 || index >= 64)
        continue; /* an error, which its reader explains */
      if ((seen >> index & 1) != 0)
        return TRUE;
      seen |= (guint64) 1 << index;
    }
  return FALSE;
}

/* @rule with one of its comparisons.  (transfer full) */
static JsonNode *
with_one (JsonObject *rule, JsonNode *comparison)
{
  JsonObject *copy = json_object_new ();
  JsonArray *args = json_array_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  json_object_iter_init (&iter, rule);
  while (json_object_iter_next (&iter, &name, &member))
    json_object_set_member (copy, name, json_node_copy (member));
  json_array_add_element (args, json_node_copy (comparison));
  json_object_set_array_member (copy, "args", args);
  return json_node_init_object (json_node_alloc (), copy);
}

static void
spread (JsonNode *node, JsonArray *to)
{
  JsonObject *rule = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *member = rule != NULL ? json_object_get_member (rule, "args") : NULL;
  JsonArray *args
      = member != NULL && JSON_NODE_HOLDS_ARRAY (member) ? json_node_get_array (member) : NULL;

  if (args == NULL || json_array_get_length (args) > COMPARISONS_MAX || !is_repeated (args))
    {
      json_array_add_element (to, json_node_copy (node));
      return;
    }
  for (guint i = 0; i < json_array_get_length (args); i++)
    {
      g_autoptr (JsonNode) one = with_one (rule, json_array_get_element (args, i));

      json_array_add_element (to, g_steal_pointer (&one));
    }
}

static JsonArray *
array_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static gboolean
permits (JsonObject *rule)
{
  const char *action = json_object_get_string_member_with_default (rule, "action", "");

  return g_str_equal (action, "SCMP_ACT_ALLOW") || g_str_equal (action, "SCMP_ACT_LOG");
}

/* The names that a rule refuses whatever the arguments, into the set @refused. */
static void
take_refused (JsonObject *rule, GHashTable *refused)
{
  JsonArray *args = array_of (rule, "args"), *names = array_of (rule, "names");

  if (names == NULL || permits (rule) || (args != NULL && json_array_get_length (args) > 0))
    return;
  for (guint i = 0; i < json_array_get_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (json_node_get_value_type (node) == G_TYPE_STRING)
        (void) g_hash_table_add (refused, json_node_dup_string (node));
    }
}

/* Takes those of @refused out of what @rule permits; FALSE: nothing is left of it. */
static gboolean
leave_out (JsonObject *rule, GHashTable *refused)
{
  JsonArray *names = array_of (rule, "names"), *rest;

  if (names == NULL || !permits (rule) || json_array_get_length (names) == 0)
    return TRUE;
  rest = json_array_new ();
  for (guint i = 0; i < json_array_get_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (json_node_get_value_type (node) != G_TYPE_STRING
          || !g_hash_table_contains (refused, json_node_get_string (node)))
        json_array_add_element (rest, json_node_copy (node));
    }
  json_object_set_array_member (rule, "names", rest);
  return json_array_get_length (rest) > 0;
}

static void
settle_refused (JsonArray *rules)
{
  g_autoptr (GHashTable) refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < json_array_get_length (rules); i++)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (rules, i)))
      take_refused (json_array_get_object_element (rules, i), refused);
  for (guint i = json_array_get_length (rules); i-- > 0;)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (rules, i))
        && !leave_out (json_array_get_object_element (rules, i), refused))
      json_array_remove_element (rules, i);
}

char *
dn_oci_seccomp_text (JsonObject *seccomp)
{
  JsonNode *member = json_object_get_member (seccomp, "syscalls");
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), seccomp);
  g_autoptr (JsonArray) rules = json_array_new ();

  if (member == NULL || !JSON_NODE_HOLDS_ARRAY (member))
    return dn_json_to_text (node, FALSE);
  for (guint i = 0; i < json_array_get_length (json_node_get_array (member)); i++)
    spread (json_array_get_element (json_node_get_array (member), i), rules);
  settle_refused (rules);
  json_object_set_array_member (seccomp, "syscalls", g_steal_pointer (&rules));
  return dn_json_to_text (node, FALSE);
}
