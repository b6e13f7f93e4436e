/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp profile of a pod, which a runtime has made: as it stands but for what runtimes mean
 * and an operator's profile may not say (spec/seccomp-profile.h).
 *
 *  - Where a rule compares one argument more than once, any of its comparisons will do; CRI-O's
 *    default for clone is so.
 *  - A call that is permitted by one rule and refused by another, as setns and socket are there, is
 *    refused where both hold.  That is said by more than one document, each of which can only take
 *    away: one for each answer of rules that refuse, and one for what is permitted.
 */
#include "../common/error.h"
#include "oci-config.h"

#define COMPARISONS_MAX 64
#define ANSWERS_MAX 8 /* with more it stays as it is, and is refused for its ambiguity */

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

/* What a rule that refuses answers; "" of one that permits.  What is no rule at all comes with
 * those, whose reader explains it. */
static char *
answer_of (JsonNode *node)
{
  JsonObject *rule = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (rule == NULL || permits (rule))
    return g_strdup ("");
  return g_strdup_printf ("%s %" G_GINT64_FORMAT,
                          json_object_get_string_member_with_default (rule, "action", ""),
                          json_object_get_int_member_with_default (rule, "errnoRet", -1));
}

/* Notes for each name of @rule what is done with it: 1, it is permitted, 2, it is refused.  TRUE:
 * one of them is both now. */
static gboolean
note (JsonObject *rule, GHashTable *seen)
{
  JsonArray *names = array_of (rule, "names");
  gboolean is_both = FALSE;

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);
      const char *name
          = json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : "";
      int both = GPOINTER_TO_INT (g_hash_table_lookup (seen, name)) | (permits (rule) ? 1 : 2);

      g_hash_table_insert (seen, g_strdup (name), GINT_TO_POINTER (both));
      is_both = is_both || both == 3;
    }
  return is_both;
}

static gboolean
is_ambiguous (JsonArray *rules)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean is_both = FALSE;

  for (guint i = 0; i < json_array_get_length (rules); i++)
    if (JSON_NODE_HOLDS_OBJECT (json_array_get_element (rules, i)))
      is_both = note (json_array_get_object_element (rules, i), seen) || is_both;
  return is_both;
}

/* A document of @seccomp's but for its rules: those of @rules whose answer is @answer.
 * (transfer full) */
static JsonNode *
part_of (JsonObject *seccomp, JsonArray *rules, const char *answer)
{
  JsonObject *part = json_object_new ();
  JsonArray *chosen = json_array_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  json_object_iter_init (&iter, seccomp);
  while (json_object_iter_next (&iter, &name, &member))
    json_object_set_member (part, name, json_node_copy (member));
  for (guint i = 0; i < json_array_get_length (rules); i++)
    {
      JsonNode *node = json_array_get_element (rules, i);
      g_autofree char *own = answer_of (node);

      if (g_str_equal (own, answer))
        json_array_add_element (chosen, json_node_copy (node));
    }
  json_object_set_array_member (part, "syscalls", chosen);
  if (*answer != '\0')
    {
      json_object_set_string_member (part, "defaultAction", "SCMP_ACT_ALLOW");
      json_object_remove_member (part, "defaultErrnoRet");
    }
  return json_node_init_object (json_node_alloc (), part);
}

/* One document for each answer of rules that refuse, and one for those that permit.  NULL: there
 * are too many. */
static char *
parts_text (JsonObject *seccomp, JsonArray *rules)
{
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *parts = json_array_new ();

  json_node_take_array (node, parts);
  for (guint i = 0; i < json_array_get_length (rules); i++)
    {
      g_autofree char *answer = answer_of (json_array_get_element (rules, i));

      if (*answer == '\0' || g_hash_table_contains (done, answer))
        continue;
      if (g_hash_table_size (done) == ANSWERS_MAX)
        return NULL;
      json_array_add_element (parts, part_of (seccomp, rules, answer));
      (void) g_hash_table_add (done, g_steal_pointer (&answer));
    }
  json_array_add_element (parts, part_of (seccomp, rules, ""));
  return dn_json_to_text (node, FALSE);
}

char *
dn_oci_seccomp_text (JsonObject *seccomp)
{
  JsonArray *given = array_of (seccomp, "syscalls");
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), seccomp);
  g_autoptr (JsonArray) rules = json_array_new ();

  if (given == NULL)
    return dn_json_to_text (node, FALSE);
  for (guint i = 0; i < json_array_get_length (given); i++)
    spread (json_array_get_element (given, i), rules);
  if (is_ambiguous (rules))
    {
      char *parts = parts_text (seccomp, rules);

      if (parts != NULL)
        return parts;
    }
  json_object_set_array_member (seccomp, "syscalls", g_steal_pointer (&rules));
  return dn_json_to_text (node, FALSE);
}
