/* SPDX-License-Identifier: Apache-2.0 */
/* The verb network-list. */
#include <string.h>

#include "../network/container-network.h"
#include "lookup.h"
#include "verbs.h"

/* One line of the list: contexts of one mode, or of one tenant network. */
typedef struct
{
  char *name;            /* owned, as the context's file has it */
  char *network;         /* owned; over all tenants, or NULL for a mode */
  char *tenant;          /* owned; or NULL */
  JsonArray *contexts;   /* owned */
  JsonArray *containers; /* owned */
} Line;

static void
line_free (gpointer data)
{
  Line *line = data;

  g_free (line->name);
  g_free (line->network);
  g_free (line->tenant);
  json_array_unref (line->contexts);
  json_array_unref (line->containers);
  g_free (line);
}

/* The line for @context, made if it is the first of it.  Under the daemon's lock. */
static Line *
find_line (GHashTable *lines, DnContext *context)
{
  const DnContextDefinition *definition = &context->definition;
  const DnNetworkPolicy *policy = &definition->network;
  g_autofree char *network
      = dn_network_mode (policy->mode) == DN_NETWORK_NAMED
            ? dn_network_policy_network (policy, definition->tenant, context->owner_uid)
            : NULL;
  const char *key = network != NULL ? network : policy->mode;
  Line *line = g_hash_table_lookup (lines, key);

  if (line != NULL)
    return line;
  line = g_new0 (Line, 1);
  line->name = g_strdup (policy->mode);
  line->tenant = network != NULL ? g_strdup (definition->tenant) : NULL;
  line->contexts = json_array_new ();
  line->containers = json_array_new ();
  g_hash_table_insert (lines, g_strdup (key), line);
  line->network = g_steal_pointer (&network);
  return line;
}

static void
add_context (GHashTable *lines, DnContext *context, GHashTable *visible)
{
  g_autoptr (GPtrArray) members
      = dn_network_registry_list_context (dn_network_registry_get (), context->name);
  Line *line;

  g_mutex_lock (&context->daemon->lock);
  line = find_line (lines, context);
  json_array_add_string_element (line->contexts, context->name);
  g_mutex_unlock (&context->daemon->lock);
  for (guint i = 0; i < members->len; i++)
    {
      const DnNetworkMember *member = members->pdata[i];
      JsonObject *object;

      if (!g_hash_table_contains (visible, member->container))
        continue;
      object = dn_container_network_to_json (member);
      json_object_set_string_member (object, "id", member->container);
      json_object_set_string_member (object, "name", member->name);
      json_object_set_string_member (object, "context", member->context);
      json_array_add_object_element (line->containers, object);
    }
}

static gint
compare_lines (gconstpointer a, gconstpointer b)
{
  const Line *one = *(Line *const *) a;
  const Line *other = *(Line *const *) b;
  gint by_kind = (one->network != NULL) - (other->network != NULL);
  gint by_name = strcmp (one->name, other->name);

  if (by_kind != 0 || by_name != 0)
    return by_kind != 0 ? by_kind : by_name;
  return g_strcmp0 (one->network, other->network);
}

static JsonObject *
line_to_json (const Line *line)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", line->name);
  json_object_set_string_member (object, "kind", line->network != NULL ? "tenant" : "mode");
  if (line->network != NULL)
    json_object_set_string_member (object, "network", line->network);
  if (line->tenant != NULL)
    json_object_set_string_member (object, "tenant", line->tenant);
  json_object_set_array_member (object, "contexts", json_array_ref (line->contexts));
  json_object_set_array_member (object, "containers", json_array_ref (line->containers));
  return object;
}

DN_VERB (network_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GHashTable) lines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, line_free);
  g_autoptr (GHashTable) visible = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) contexts = NULL, containers = NULL;
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  JsonArray *array;
  JsonObject *ok;
  GHashTableIter iter;
  gpointer line;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  contexts = dn_lookup_contexts (request);
  containers = dn_lookup_containers (request);
  for (guint i = 0; i < containers->len; i++)
    g_hash_table_add (visible, ((DnContainer *) containers->pdata[i])->id);
  for (guint i = 0; i < contexts->len; i++)
    add_context (lines, contexts->pdata[i], visible);
  g_hash_table_iter_init (&iter, lines);
  while (g_hash_table_iter_next (&iter, NULL, &line))
    g_ptr_array_add (sorted, line);
  g_ptr_array_sort (sorted, compare_lines);
  array = json_array_new ();
  for (guint i = 0; i < sorted->len; i++)
    json_array_add_object_element (array, line_to_json (sorted->pdata[i]));
  ok = json_object_new ();
  json_object_set_array_member (ok, "networks", array);
  return ok;
}
