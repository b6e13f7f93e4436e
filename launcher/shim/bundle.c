/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "danchid.h"

#define CONFIG_MAX_BYTES (4 * 1024 * 1024)

/* What a caller writes to say which pod a container is of. */
static const struct
{
  const char *kind;         /* annotation */
  const char *sandbox;      /* its value for the pod itself */
  const char *pod;          /* annotation with the pod's id */
  gboolean repeats_network; /* containers name the network by the path that the sandbox has */
} dialects[] = {
  { "io.kubernetes.cri.container-type", "sandbox", "io.kubernetes.cri.sandbox-id", FALSE },
  { "io.kubernetes.cri-o.ContainerType", "sandbox", "io.kubernetes.cri-o.SandboxID", TRUE },
  { "io.kubernetes.docker.type", "podsandbox", "io.kubernetes.sandbox.id", FALSE },
};

void
dn_bundle_facts_clear (DnBundleFacts *facts)
{
  g_clear_pointer (&facts->pod, g_free);
  g_clear_pointer (&facts->netns, g_free);
  g_clear_pointer (&facts->hostname, g_free);
  g_clear_pointer (&facts->root, g_free);
}

gboolean
dn_shim_id_is_valid (const char *id)
{
  gsize size = strlen (id);

  if (size == 0 || size > DN_SHIM_ID_MAX_BYTES)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (!g_ascii_isalnum (id[i])
        && (strchr ("._-", id[i]) == NULL || i == 0 || !g_ascii_isalnum (id[i - 1])
            || i == size - 1))
      return FALSE;
  return TRUE;
}

JsonNode *
dn_bundle_read (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "config.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, &local))
    {
      dn_throw (error,
                g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? DN_ERROR_NOT_FOUND
                                                                          : DN_ERROR_FAILED,
                "%s", local->message);
      return NULL;
    }
  node = dn_json_parse_unsigned (text, size, CONFIG_MAX_BYTES, path, error);
  if (node != NULL && !JSON_NODE_HOLDS_OBJECT (node))
    {
      dn_throw (error, DN_ERROR_CONFIG, "'%s': not an object", path);
      return NULL;
    }
  return g_steal_pointer (&node);
}

static gboolean
read_pod (JsonObject *config, const char *id, DnBundleFacts *facts, GError **error)
{
  JsonObject *annotations = dn_danchid_object (config, "annotations");

  facts->kind = DN_BUNDLE_SINGLE;
  for (gsize i = 0; i < G_N_ELEMENTS (dialects); i++)
    {
      const char *kind = dn_danchid_text (annotations, dialects[i].kind);
      const char *pod = dn_danchid_text (annotations, dialects[i].pod);

      if (*kind == '\0')
        continue;
      /* CRI-O passes on all annotations of a pod: one of them is whoever makes pods', and would
       * have a say in what it is a part of. */
      if (facts->pod != NULL)
        return dn_throw (error, DN_ERROR_DENIED,
                         "container '%s': annotation '%s' is another runtime's\n"
                         "take it out of the pod",
                         id, dialects[i].kind);
      facts->kind = g_str_equal (kind, dialects[i].sandbox) ? DN_BUNDLE_SANDBOX : DN_BUNDLE_MEMBER;
      facts->pod = g_strdup (facts->kind == DN_BUNDLE_SANDBOX ? id : pod);
      facts->repeats_network = dialects[i].repeats_network;
    }
  if (facts->pod == NULL)
    facts->pod = g_strdup (id);
  if (!dn_shim_id_is_valid (facts->pod))
    return dn_throw (error, DN_ERROR_CONFIG,
                     "container '%s': its annotations name no valid pod ('%.80s')", id, facts->pod);
  return TRUE;
}

static void
read_network (JsonObject *config, DnBundleFacts *facts)
{
  JsonObject *system = dn_danchid_object (config, "linux");
  JsonNode *node = system != NULL ? json_object_get_member (system, "namespaces") : NULL;
  JsonArray *namespaces
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; namespaces != NULL && i < json_array_get_length (namespaces); i++)
    {
      JsonNode *element = json_array_get_element (namespaces, i);
      JsonObject *space = JSON_NODE_HOLDS_OBJECT (element) ? json_node_get_object (element) : NULL;

      if (g_str_equal (dn_danchid_text (space, "type"), "network"))
        {
          g_free (facts->netns);
          facts->netns = g_strdup (dn_danchid_text (space, "path"));
        }
    }
}

gboolean
dn_bundle_get_facts (JsonObject *config, const char *id, DnBundleFacts *ret_facts, GError **error)
{
  JsonObject *process = dn_danchid_object (config, "process");
  JsonObject *size = dn_danchid_object (process, "consoleSize");

  *ret_facts = (DnBundleFacts){ 0 };
  read_network (config, ret_facts);
  ret_facts->hostname = g_strdup (dn_danchid_text (config, "hostname"));
  ret_facts->root = g_strdup (dn_danchid_text (dn_danchid_object (config, "root"), "path"));
  ret_facts->rows = (guint16) CLAMP (dn_danchid_int (size, "height"), 0, G_MAXUINT16);
  ret_facts->columns = (guint16) CLAMP (dn_danchid_int (size, "width"), 0, G_MAXUINT16);
  return read_pod (config, id, ret_facts, error);
}
