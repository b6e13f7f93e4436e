/* SPDX-License-Identifier: Apache-2.0 */
#include "oci-config.h"

#include <string.h>

#include "../common/error.h"
#include "../common/names.h"

static void
free_mount (gpointer data)
{
  DnOciMount *mount = data;

  g_free (mount->target);
  g_free (mount->type);
  g_free (mount->source);
  g_strfreev (mount->options);
  g_free (mount);
}

static DnOciConfig *
new_config (void)
{
  DnOciConfig *config = g_new0 (DnOciConfig, 1);

  config->groups = g_array_new (FALSE, FALSE, sizeof (guint));
  config->ulimits = g_array_new (FALSE, FALSE, sizeof (DnUlimit));
  config->mounts = g_ptr_array_new_with_free_func (free_mount);
  config->sysctls = g_ptr_array_new_with_free_func (g_free);
  config->annotations = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return config;
}

void
dn_oci_config_free (DnOciConfig *config)
{
  if (config == NULL)
    return;
  g_strfreev (config->args);
  g_strfreev (config->env);
  g_free (config->cwd);
  g_array_unref (config->groups);
  g_array_unref (config->ulimits);
  g_ptr_array_unref (config->mounts);
  g_strfreev (config->masked);
  g_strfreev (config->readonly);
  g_free (config->hostname);
  g_free (config->pid_path);
  g_free (config->network_path);
  g_ptr_array_unref (config->sysctls);
  g_hash_table_unref (config->annotations);
  g_free (config->seccomp_json);
  g_free (config);
}

gboolean
dn_oci_read (JsonObject *object, const DnJsonField *fields, const char *what, GError **error)
{
  g_autoptr (JsonObject) known = json_object_new ();
  g_autoptr (GError) local = NULL;

  for (; object != NULL && fields->name != NULL; fields++)
    {
      JsonNode *node = json_object_get_member (object, fields->name);
      const DnJsonField one[] = { *fields, { NULL, DN_JSON_STRING, FALSE, NULL } };

      /* An empty list is null where Go wrote it. */
      if (node == NULL || JSON_NODE_HOLDS_NULL (node))
        continue;
      json_object_set_member (known, fields->name, json_node_ref (node));
      if (!dn_json_read (known, one, what, &local))
        return dn_throw (error, DN_ERROR_USAGE, "%s", local->message);
      json_object_remove_member (known, fields->name);
    }
  return TRUE;
}

static gboolean
read_annotations (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (object == NULL)
    return TRUE;
  if (json_object_get_size (object) > DN_OCI_ANNOTATIONS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d annotations", what,
                     DN_OCI_ANNOTATIONS_MAX);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "%s: an annotation is no text", what);
      g_hash_table_insert (config->annotations, g_strdup (name), json_node_dup_string (node));
    }
  return TRUE;
}

/* Programs of the host's that are to run around the container. */
static gboolean
refuse_hooks (JsonObject *hooks, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (hooks == NULL)
    return TRUE;
  json_object_iter_init (&iter, hooks);
  while (json_object_iter_next (&iter, &name, &node))
    if (!JSON_NODE_HOLDS_NULL (node)
        && !(JSON_NODE_HOLDS_ARRAY (node)
             && json_array_get_length (json_node_get_array (node)) == 0))
      return dn_throw (error, DN_ERROR_DENIED,
                       "%s: hooks are programs of the host's, and its container is in a guest\n"
                       "take CDI devices, NRI plug-ins and OCI hooks away from this runtime class",
                       what);
  return TRUE;
}

static gboolean
check_hostname (const char *hostname, const char *what, GError **error)
{
  return hostname == NULL || hostname[0] == '\0' || dn_name_is_valid (hostname)
         || dn_throw (error, DN_ERROR_USAGE, "%s: its hostname is none", what);
}

static gboolean
read_all (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autoptr (JsonObject) process = NULL, root = NULL, linux_object = NULL, hooks = NULL;
  g_autoptr (JsonObject) annotations = NULL;
  g_autoptr (JsonArray) mounts = NULL;
  const DnJsonField fields[] = {
    { "process", DN_JSON_OBJECT, FALSE, &process },
    { "root", DN_JSON_OBJECT, FALSE, &root },
    { "hostname", DN_JSON_STRING, FALSE, &config->hostname },
    { "mounts", DN_JSON_ARRAY, FALSE, &mounts },
    { "hooks", DN_JSON_OBJECT, FALSE, &hooks },
    { "annotations", DN_JSON_OBJECT, FALSE, &annotations },
    { "linux", DN_JSON_OBJECT, FALSE, &linux_object },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField root_fields[] = {
    { "readonly", DN_JSON_BOOL, FALSE, &config->is_root_readonly },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error) || !dn_oci_read (root, root_fields, what, error)
      || !refuse_hooks (hooks, what, error) || !check_hostname (config->hostname, what, error)
      || !read_annotations (annotations, config, what, error)
      || !dn_oci_read_process (process, config, what, error)
      || !dn_oci_read_mounts (mounts, config, what, error))
    return FALSE;
  return dn_oci_read_linux (linux_object, config, what, error);
}

DnOciConfig *
dn_oci_config_read (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnOciConfig) config = new_config ();

  return read_all (object, config, what, error) ? g_steal_pointer (&config) : NULL;
}

const char *
dn_oci_config_annotation (const DnOciConfig *config, const char *name)
{
  return g_hash_table_lookup (config->annotations, name);
}
