/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp profile of a pod, which a runtime has made: as it stands but for what runtimes mean
 * and an operator's profile may not say (spec/seccomp-profile.h).  Where a rule compares one
 * argument more than once, any of its comparisons will do; CRI-O's default for clone is so. */
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
  json_object_set_array_member (seccomp, "syscalls", g_steal_pointer (&rules));
  return dn_json_to_text (node, FALSE);
}
