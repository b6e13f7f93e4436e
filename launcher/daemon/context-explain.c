/* SPDX-License-Identifier: Apache-2.0 */
#include "context-explain.h"

#include "json-build.h"

static void
add_source (JsonObject *object, const DnContextExplanation *explanation, const DnKey *key)
{
  const DnOrigin *origin = dn_context_definition_origin (explanation->definition, key);
  guint own = dn_key_places_find (origin->places, key->group, key->key);
  guint host = dn_key_places_find (origin->settings->places, key->group, key->key);

  if (own == 0 && host == 0)
    {
      json_object_set_string_member (object, "source", "built-in");
      return;
    }
  json_object_set_string_member (object, "source", own != 0 ? "context" : "danchi.conf");
  dn_json_set_text (object, "file", own != 0 ? explanation->file : origin->settings->file);
  json_object_set_int_member (object, "line", own != 0 ? own : host);
}

static JsonObject *
explain_key (const DnContextExplanation *explanation, const DnKey *key, const DnKey *fresh)
{
  gboolean is_of_guest = dn_context_definition_is_of_guest (key);
  g_autofree char *value = dn_key_print (key);
  g_autofree char *next = fresh != NULL ? dn_key_print (fresh) : NULL;
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "group", key->group);
  json_object_set_string_member (object, "key", key->key);
  json_object_set_string_member (object, "value", value);
  add_source (object, explanation, key);
  json_object_set_string_member (object, "holds", is_of_guest ? "next-guest" : "at-once");
  if (is_of_guest && next != NULL && !g_str_equal (next, value))
    json_object_set_string_member (object, "next", next);
  return object;
}

JsonObject *
dn_context_explanation_to_json (const DnContextExplanation *explanation)
{
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();
  DnKey keys[DN_CONTEXT_KEYS + 1], fresh[DN_CONTEXT_KEYS + 1];

  dn_context_definition_fill_keys (explanation->definition, keys);
  if (explanation->fresh != NULL)
    dn_context_definition_fill_keys (explanation->fresh, fresh);
  json_object_set_string_member (object, "name", explanation->name);
  dn_json_set_text (object, "file", explanation->file);
  dn_json_set_text (object, "error", explanation->error);
  for (guint i = 0; i < DN_CONTEXT_KEYS; i++)
    json_array_add_object_element (
        array, explain_key (explanation, &keys[i], explanation->fresh != NULL ? &fresh[i] : NULL));
  json_object_set_array_member (object, "keys", array);
  return object;
}
