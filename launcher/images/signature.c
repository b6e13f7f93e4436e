/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include "../daemon/json-build.h"

const char *const dn_signed_over_words[] = { "archive", "checksum", "message", NULL };

/* What is missing or of another type reads as nothing: image.json is this program's own. */
static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : "";
}

static gboolean
is_signed (JsonObject *decision)
{
  JsonNode *node = json_object_get_member (decision, "is_signed");

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
         && json_node_get_boolean (node);
}

static JsonArray *
list_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
nth (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* The files of a decision's keys. (transfer full) */
static char **
keys_of (JsonObject *decision)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  JsonArray *array = list_of (decision, "keys");

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (keys, json_node_get_string (node));
    }
  return g_strv_builder_end (keys);
}

static JsonObject *
new_decision (gboolean with_signature, const char *archive, gint64 time_us)
{
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "is_signed", with_signature);
  json_object_set_string_member (object, "by", "archive");
  json_object_set_string_member (object, "digest", archive);
  dn_json_set_time_or_null (object, "time", time_us);
  return object;
}

JsonObject *
dn_signature_of_archive (const DnArchiveSignature *signature, const char *archive, gint64 time_us)
{
  JsonObject *object = new_decision (TRUE, archive, time_us);
  char *keys[] = { (char *) signature->key, NULL };

  json_object_set_string_member (object, "kind", dn_signing_kind_words[signature->kind]);
  dn_json_set_strings (object, "keys", keys);
  json_object_set_string_member (object, "key_id", signature->key_id);
  json_object_set_string_member (object, "over", dn_signed_over_words[signature->over]);
  dn_json_set_time_or_null (object, "signed", signature->signed_us);
  return object;
}

JsonObject *
dn_signature_missing (const char *archive, const char *why, gint64 time_us)
{
  JsonObject *object = new_decision (FALSE, archive, time_us);

  json_object_set_string_member (object, "why", why);
  return object;
}

void
dn_signature_set (JsonObject *provenance, JsonObject *decision)
{
  JsonArray *array = json_array_new ();

  json_array_add_object_element (array, decision);
  json_object_set_array_member (provenance, DN_SIGNATURE_MEMBER, array);
}

/* Whether two say the same, but for when. */
static gboolean
is_same (JsonObject *one, JsonObject *other)
{
  static const char *const members[]
      = { "by", "kind", "key_id", "over", "digest", "policy", "scope" };
  g_auto (GStrv) one_keys = keys_of (one), other_keys = keys_of (other);

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (!g_str_equal (text_of (one, members[i]), text_of (other, members[i])))
      return FALSE;
  return is_signed (one) == is_signed (other)
         && g_strv_equal ((const char *const *) one_keys, (const char *const *) other_keys);
}

/* Those of @from for which @wanted holds, as far as there is room and the list has them not yet. */
static void
take (JsonArray *into, JsonArray *from, gboolean wanted)
{
  for (guint i = 0; from != NULL && i < json_array_get_length (from); i++)
    {
      JsonObject *decision = nth (from, i);
      gboolean is_new = decision != NULL && is_signed (decision) == wanted
                        && json_array_get_length (into) < DN_SIGNATURES_MAX;

      for (guint k = 0; is_new && k < json_array_get_length (into); k++)
        is_new = !is_same (json_array_get_object_element (into, k), decision);
      if (is_new)
        json_array_add_object_element (into, json_object_ref (decision));
    }
}

JsonArray *
dn_signature_merge (JsonArray *old, JsonArray *new)
{
  JsonArray *array = json_array_new ();

  take (array, new, TRUE);
  take (array, old, TRUE);
  /* Why there is none is worth a word only as long as there is none. */
  if (json_array_get_length (array) == 0)
    take (array, new, FALSE);
  if (json_array_get_length (array) == 0)
    take (array, old, FALSE);
  return array;
}

JsonObject *
dn_signature_first (JsonObject *provenance)
{
  JsonArray *array = list_of (provenance, DN_SIGNATURE_MEMBER);

  return array != NULL && json_array_get_length (array) > 0 ? nth (array, 0) : NULL;
}

GPtrArray *
dn_signature_keys (JsonObject *provenance)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  JsonArray *array = list_of (provenance, DN_SIGNATURE_MEMBER);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *decision = nth (array, i);

      if (decision != NULL && is_signed (decision))
        g_ptr_array_add (all, keys_of (decision));
    }
  return all;
}

/* (transfer full) */
static char *
signer_of (JsonObject *decision)
{
  g_auto (GStrv) keys = keys_of (decision);

  for (char **key = keys; *key != NULL; key++)
    {
      char *name = dn_signing_key_name (*key);

      g_free (*key);
      *key = name;
    }
  return keys[0] != NULL ? g_strjoinv (" or ", keys) : g_strdup ("a key in the policy");
}

char *
dn_signature_signer (JsonObject *provenance)
{
  JsonObject *first = dn_signature_first (provenance);

  return first != NULL && is_signed (first) ? signer_of (first) : NULL;
}

static char *
scope_words (JsonObject *decision)
{
  const char *scope = text_of (decision, "scope");

  return *scope != '\0' ? g_strdup_printf ("policy for %s", scope) : g_strdup ("policy's default");
}

char *
dn_signature_words (JsonObject *decision)
{
  g_autofree char *signer = NULL, *scope = NULL;

  if (!is_signed (decision))
    return g_strdup_printf ("not signed: %s", text_of (decision, "why"));
  signer = signer_of (decision);
  if (g_str_equal (text_of (decision, "by"), "archive"))
    {
      gboolean is_direct
          = g_str_equal (text_of (decision, "over"), dn_signed_over_words[DN_SIGNED_ARCHIVE]);

      return g_strdup_printf ("signed by %s (%s %s), over the archive%s", signer,
                              text_of (decision, "kind"), text_of (decision, "key_id"),
                              is_direct ? "" : "'s checksum");
    }
  scope = scope_words (decision);
  return g_strdup_printf ("signed by %s (%s, %s)", signer, text_of (decision, "kind"), scope);
}
