/* SPDX-License-Identifier: Apache-2.0 */
/* The member "linux" of a config.json: namespaces, limits, what is hidden. */
#include <string.h>

#include "../common/error.h"
#include "oci-config.h"

#define LIST_MAX 256
#define SYSCTLS_MAX 64
#define SHARES_MAX 262144

static gboolean
check_paths (char **paths, const char *member, const char *what, GError **error)
{
  guint count = paths != NULL ? g_strv_length (paths) : 0;

  if (count > LIST_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d %s", what, LIST_MAX, member);
  for (guint i = 0; i < count; i++)
    if (paths[i][0] != '/' || strlen (paths[i]) > 4095)
      return dn_throw (error, DN_ERROR_USAGE, "%s: %s: '%.80s' is no absolute path", what, member,
                       paths[i]);
  return TRUE;
}

static gboolean
read_sysctls (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  if (object == NULL)
    return TRUE;
  if (json_object_get_size (object) > SYSCTLS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d sysctls", what, SYSCTLS_MAX);
  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    {
      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        return dn_throw (error, DN_ERROR_USAGE, "%s: sysctl '%.80s': is no text", what, name);
      g_ptr_array_add (config->sysctls, g_strdup (name));
      g_ptr_array_add (config->sysctls, json_node_dup_string (node));
    }
  return TRUE;
}

/* Which of those that may be the host's are not: each that is missing in the list is the host's. */
typedef struct
{
  DnOciSpace pid;
  DnOciSpace network;
  DnOciSpace ipc;
} Spaces;

static gboolean
read_space (JsonObject *object, DnOciConfig *config, Spaces *spaces, const char *what,
            GError **error)
{
  g_autofree char *type = NULL, *path = NULL;
  const DnJsonField fields[] = {
    { "type", DN_JSON_STRING, FALSE, &type },
    { "path", DN_JSON_STRING, FALSE, &path },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  DnOciSpace space;

  if (!dn_oci_read (object, fields, what, error))
    return FALSE;
  if (type == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: namespaces: one has no type", what);
  space = path != NULL && path[0] != '\0' ? DN_OCI_SPACE_PATH : DN_OCI_SPACE_OWN;
  if (g_str_equal (type, "pid"))
    {
      spaces->pid = space;
      g_free (config->pid_path);
      config->pid_path = space == DN_OCI_SPACE_PATH ? g_steal_pointer (&path) : NULL;
    }
  else if (g_str_equal (type, "ipc"))
    spaces->ipc = space;
  else if (g_str_equal (type, "network"))
    {
      spaces->network = space;
      g_free (config->network_path);
      config->network_path = space == DN_OCI_SPACE_PATH ? g_steal_pointer (&path) : NULL;
    }
  else if (g_str_equal (type, "user"))
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: a user namespace of its own is what every container in a guest has, and "
                     "the ids of its files are made for that one\nleave hostUsers: false out",
                     what);
  return TRUE;
}

static gboolean
check_spaces (const Spaces *spaces, const char *what, GError **error)
{
  static const char remedy[] = "a pod is a machine of its own here, and has nothing of the host's";

  if (spaces->network == DN_OCI_SPACE_HOST)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: hostNetwork: %s\nuse another runtime class for pods of the node's", what,
                     remedy);
  if (spaces->pid == DN_OCI_SPACE_HOST)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: hostPID: %s\nuse another runtime class for pods of the node's", what,
                     remedy);
  if (spaces->ipc == DN_OCI_SPACE_HOST)
    return dn_throw (error, DN_ERROR_DENIED,
                     "%s: hostIPC: %s\nuse another runtime class for pods of the node's", what,
                     remedy);
  return TRUE;
}

static gboolean
read_spaces (JsonArray *array, DnOciConfig *config, const char *what, GError **error)
{
  Spaces spaces = { DN_OCI_SPACE_HOST, DN_OCI_SPACE_HOST, DN_OCI_SPACE_HOST };

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (i == LIST_MAX || !JSON_NODE_HOLDS_OBJECT (node))
        return dn_throw (error, DN_ERROR_USAGE, "%s: namespaces: are none", what);
      if (!read_space (json_node_get_object (node), config, &spaces, what, error))
        return FALSE;
    }
  config->pid = spaces.pid;
  config->network = spaces.network;
  return check_spaces (&spaces, what, error);
}

/* Limits in 64 bits without a sign come as the greatest number there is: no limit. */
static gint64
limit_of (gint64 value)
{
  return value < 0 || value == G_MAXINT64 ? -1 : value;
}

static gboolean
read_unified (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autofree char *whole = NULL;
  const DnJsonField fields[] = {
    { "memory.oom.group", DN_JSON_STRING, FALSE, &whole },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error))
    return FALSE;
  config->ends_whole = g_strcmp0 (whole, "1") == 0;
  return TRUE;
}

static gboolean
read_resources (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autoptr (JsonObject) memory = NULL, cpu = NULL, pids = NULL, unified = NULL;
  const DnJsonField fields[] = {
    { "memory", DN_JSON_OBJECT, FALSE, &memory }, { "cpu", DN_JSON_OBJECT, FALSE, &cpu },
    { "pids", DN_JSON_OBJECT, FALSE, &pids },     { "unified", DN_JSON_OBJECT, FALSE, &unified },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField memory_fields[] = {
    { "limit", DN_JSON_INT, FALSE, &config->memory_bytes },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField pids_fields[] = {
    { "limit", DN_JSON_INT, FALSE, &config->pids },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  const DnJsonField cpu_fields[] = {
    { "shares", DN_JSON_INT, FALSE, &config->cpu_shares },
    { "quota", DN_JSON_INT, FALSE, &config->cpu_quota_us },
    { "period", DN_JSON_INT, FALSE, &config->cpu_period_us },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error)
      || !dn_oci_read (memory, memory_fields, what, error)
      || !dn_oci_read (pids, pids_fields, what, error)
      || !dn_oci_read (cpu, cpu_fields, what, error)
      || !read_unified (unified, config, what, error))
    return FALSE;
  config->memory_bytes = limit_of (config->memory_bytes);
  config->pids = limit_of (config->pids);
  config->cpu_quota_us = limit_of (config->cpu_quota_us);
  config->cpu_shares = CLAMP (config->cpu_shares, 0, SHARES_MAX);
  if (config->cpu_period_us < 0 || config->cpu_period_us > G_USEC_PER_SEC)
    return dn_throw (error, DN_ERROR_USAGE, "%s: cpu period: is none", what);
  return TRUE;
}

static gboolean
refuse_devices (JsonArray *devices, const char *what, GError **error)
{
  return devices == NULL || json_array_get_length (devices) == 0
         || dn_throw (error, DN_ERROR_DENIED,
                      "%s: devices of the host's: a guest has none of them\n"
                      "for privileged pods set privileged_without_host_devices = true in the "
                      "runtime's table of containerd",
                      what);
}

gboolean
dn_oci_read_linux (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autoptr (JsonObject) resources = NULL, sysctls = NULL, seccomp = NULL;
  g_autoptr (JsonArray) spaces = NULL, devices = NULL;
  const DnJsonField fields[] = {
    { "namespaces", DN_JSON_ARRAY, FALSE, &spaces },
    { "resources", DN_JSON_OBJECT, FALSE, &resources },
    { "sysctl", DN_JSON_OBJECT, FALSE, &sysctls },
    { "seccomp", DN_JSON_OBJECT, FALSE, &seccomp },
    { "devices", DN_JSON_ARRAY, FALSE, &devices },
    { "maskedPaths", DN_JSON_STRINGS, FALSE, &config->masked },
    { "readonlyPaths", DN_JSON_STRINGS, FALSE, &config->readonly },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error))
    return FALSE;
  if (config->masked == NULL)
    config->masked = g_new0 (char *, 1);
  if (config->readonly == NULL)
    config->readonly = g_new0 (char *, 1);
  if (seccomp != NULL)
    config->seccomp_json = dn_oci_seccomp_text (seccomp);
  return check_paths (config->masked, "maskedPaths", what, error)
         && check_paths (config->readonly, "readonlyPaths", what, error)
         && read_spaces (spaces, config, what, error) && read_sysctls (sysctls, config, what, error)
         && read_resources (resources, config, what, error)
         && refuse_devices (devices, what, error);
}
