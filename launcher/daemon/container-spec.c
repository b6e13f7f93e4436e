/* SPDX-License-Identifier: Apache-2.0 */
#include "container-spec.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/state-file.h"
#include "container-start.h"

#define SPEC_FILE "spec.json"

static char *
spec_path (const DnContainer *container)
{
  return g_build_filename (container->directory, SPEC_FILE, NULL);
}

gboolean
dn_container_spec_save (DnContainer *container, const char *text, GError **error)
{
  g_autofree char *path = spec_path (container);

  return dn_state_file_write_text (path, text, strlen (text), 0600, error);
}

static JsonObject *
get_linux (JsonNode *spec)
{
  JsonObject *object = json_node_get_object (spec);
  JsonNode *node = json_object_get_member (object, "linux");

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
take_resources (DnContainer *container, JsonNode *spec)
{
  g_autoptr (JsonNode) today = dn_container_build_spec (container, container->slot, NULL);
  JsonObject *from = today != NULL ? get_linux (today) : NULL;
  JsonObject *to = get_linux (spec);

  if (from != NULL && to != NULL && json_object_has_member (from, "resources"))
    json_object_set_member (to, "resources", json_object_dup_member (from, "resources"));
}

JsonNode *
dn_container_spec_load (DnContainer *container, GError **error)
{
  g_autofree char *path = spec_path (container);
  g_autofree char *text = NULL;
  g_autofree char *hash = NULL;
  g_autofree char *noted = NULL;
  g_autofree char *name = NULL;
  g_autoptr (JsonNode) spec = NULL;
  gsize size = 0;

  g_mutex_lock (&container->daemon->lock);
  noted = g_strdup (container->spec_sha256);
  name = g_strdup (container->name);
  g_mutex_unlock (&container->daemon->lock);
  if (!g_file_get_contents (path, &text, &size, error))
    {
      g_prefix_error (error, "container '%s': its configuration: ", name);
      return NULL;
    }
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, (gssize) size);
  if (noted == NULL || !g_str_equal (hash, noted))
    {
      dn_throw (error, DN_ERROR_FAILED, "'%s': is not what container '%s' was started with", path,
                name);
      return NULL;
    }
  spec = dn_json_parse (text, size, DN_PART_TOTAL_BYTES, "spec.json", error);
  if (spec == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (spec))
    {
      dn_throw (error, DN_ERROR_CONFIG, "'%s': is no object", path);
      return NULL;
    }
  take_resources (container, spec);
  return g_steal_pointer (&spec);
}
