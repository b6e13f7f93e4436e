/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#include <string.h>

#include "../common/names.h"

typedef enum
{
  AS_IT_IS, /* a text, number, switch, or list of texts */
  FIRST,    /* of a list of words the first, and how many there are */
  COUNT,    /* of a list how many it has */
  DIGEST,   /* of a text its SHA-256 */
  PAIRS,    /* of an object of texts a list of NAME=TEXT */
} How;

static const struct
{
  const char *name;
  How how;
} picked[] = {
  /* What it is about. */
  { "container", AS_IT_IS },
  { "context", AS_IT_IS },
  { "image", AS_IT_IS },
  { "name", AS_IT_IS },
  { "names", AS_IT_IS },
  { "containers", AS_IT_IS },
  { "kind", AS_IT_IS },
  { "reference", AS_IT_IS },
  { "signature", AS_IT_IS },
  { "checksum", AS_IT_IS },
  { "filters", AS_IT_IS },
  /* A pod, and a container of one: containerd's ids, and where on the host they are. */
  { "id", AS_IT_IS },
  { "pod", AS_IT_IS },
  { "namespace", AS_IT_IS },
  { "hostname", AS_IT_IS },
  { "bundle", AS_IT_IS },
  { "netns", AS_IT_IS },
  { "rootfs", AS_IT_IS },
  /* What is done. */
  { "command", FIRST },
  { "entrypoint", FIRST },
  { "user", AS_IT_IS },
  { "working_dir", AS_IT_IS },
  { "path", AS_IT_IS },
  { "signal", AS_IT_IS },
  { "timeout_s", AS_IT_IS },
  { "force", AS_IT_IS },
  { "attach", AS_IT_IS },
  { "terminal", AS_IT_IS },
  { "has_terminal", AS_IT_IS },
  { "follow", AS_IT_IS },
  { "since_us", AS_IT_IS },
  { "env", COUNT },
  /* Names and where they go; no content is ever an argument. */
  { "secrets", AS_IT_IS },
  { "configs", AS_IT_IS },
  { "contents", AS_IT_IS },
  /* How it is confined. */
  { "profile", AS_IT_IS },
  { "profile_text", DIGEST },
  { "seccomp_json", DIGEST },
  { "cap_add", AS_IT_IS },
  { "cap_drop", AS_IT_IS },
  { "is_writable", AS_IT_IS },
  { "is_on_disk", AS_IT_IS },
  { "writable_bytes", AS_IT_IS },
  { "is_readonly", AS_IT_IS },
  { "network", AS_IT_IS },
  { "memory_bytes", AS_IT_IS },
  { "cpus", AS_IT_IS },
  { "cpu_shares", AS_IT_IS },
  { "pids_limit", AS_IT_IS },
  { "guest_memory_bytes", AS_IT_IS },
  { "guest_vcpus", AS_IT_IS },
  { "keys", PAIRS },
  { "transport", AS_IT_IS },
  { "allow_emulation", AS_IT_IS },
  { "is_removed_at_exit", AS_IT_IS },
  /* A context's labels. */
  { "tenant", AS_IT_IS },
  { "stage", AS_IT_IS },
  { "tier", AS_IT_IS },
};

char *
dn_record_text (const char *text)
{
  g_autofree char *clean = dn_text_clean (text, DN_RECORD_TEXT_MAX_BYTES);
  const char *at = clean;
  gsize used = 0;

  while (*at != '\0')
    {
      const char *next = g_utf8_next_char (at);

      used += (gsize) (next - at) + (*at == '"' || *at == '\\');
      if (used > DN_RECORD_TEXT_MAX_BYTES)
        break;
      at = next;
    }
  return g_strndup (clean, (gsize) (at - clean));
}

static gboolean
is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static void
pick_list (JsonObject *picks, const char *name, JsonArray *list)
{
  guint size = json_array_get_length (list);
  JsonArray *texts = json_array_new ();

  for (guint i = 0; i < MIN (size, DN_RECORD_LIST_MAX); i++)
    if (is_text (json_array_get_element (list, i)))
      {
        g_autofree char *text = dn_record_text (json_array_get_string_element (list, i));

        json_array_add_string_element (texts, text);
      }
  json_object_set_array_member (picks, name, texts);
  if (size > DN_RECORD_LIST_MAX)
    {
      g_autofree char *count = g_strdup_printf ("%s_count", name);

      json_object_set_int_member (picks, count, size);
    }
}

static void
pick_as_it_is (JsonObject *picks, const char *name, JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    pick_list (picks, name, json_node_get_array (node));
  else if (is_text (node))
    {
      g_autofree char *text = dn_record_text (json_node_get_string (node));

      json_object_set_string_member (picks, name, text);
    }
  else if (JSON_NODE_HOLDS_VALUE (node))
    json_object_set_member (picks, name, json_node_copy (node));
}

static void
pick_count (JsonObject *picks, const char *name, JsonNode *node, gboolean has_first)
{
  g_autofree char *count = g_strdup_printf ("%s_count", name);
  JsonArray *list;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return;
  list = json_node_get_array (node);
  if (has_first && json_array_get_length (list) > 0 && is_text (json_array_get_element (list, 0)))
    {
      g_autofree char *text = dn_record_text (json_array_get_string_element (list, 0));

      json_object_set_string_member (picks, name, text);
    }
  json_object_set_int_member (picks, count, json_array_get_length (list));
}

static void
pick_digest (JsonObject *picks, const char *name, JsonNode *node)
{
  g_autofree char *member = g_strdup_printf ("%s_sha256", name);
  g_autofree char *hash = NULL;

  if (!is_text (node))
    return;
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, json_node_get_string (node), -1);
  json_object_set_string_member (picks, member, hash);
}

static void
pick_pairs (JsonObject *picks, const char *name, JsonNode *node)
{
  g_autoptr (JsonArray) list = json_array_new ();
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &key, &value))
    if (is_text (value))
      {
        g_autofree char *pair = g_strdup_printf ("%s=%s", key, json_node_get_string (value));

        json_array_add_string_element (list, pair);
      }
  pick_list (picks, name, list);
}

static void
pick (JsonObject *picks, const char *name, How how, JsonNode *node)
{
  switch (how)
    {
    case AS_IT_IS:
      pick_as_it_is (picks, name, node);
      break;
    case FIRST:
      pick_count (picks, name, node, TRUE);
      break;
    case COUNT:
      pick_count (picks, name, node, FALSE);
      break;
    case DIGEST:
      pick_digest (picks, name, node);
      break;
    case PAIRS:
      pick_pairs (picks, name, node);
      break;
    }
}

JsonObject *
dn_record_args_pick (JsonObject *args)
{
  g_autoptr (JsonObject) picks = json_object_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (picked); i++)
    {
      JsonNode *node = json_object_get_member (args, picked[i].name);

      if (node != NULL)
        pick (picks, picked[i].name, picked[i].how, node);
    }
  return json_object_get_size (picks) > 0 ? g_steal_pointer (&picks) : NULL;
}
