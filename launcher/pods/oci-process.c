/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a config.json, and what is mounted for it. */
#include <string.h>

#include "../common/error.h"
#include "../spec/capability.h"
#include "../spec/env.h"
#include "../spec/options-check.h"
#include "oci-config.h"

#define LIMITS_MAX 32
#define MOUNT_OPTIONS_MAX 64
#define PATH_MAX_BYTES 4095

static gboolean
read_groups (JsonArray *array, DnOciConfig *config, const char *what, GError **error)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      gint64 gid = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64
                       ? json_node_get_int (node)
                       : -1;
      guint group = (guint) gid;

      if (i == DN_OCI_GROUPS_MAX)
        return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d groups", what, DN_OCI_GROUPS_MAX);
      if (gid < 0 || gid >= DN_OCI_IDS)
        return dn_throw (error, DN_ERROR_LIMIT,
                         "%s: group %" G_GINT64_FORMAT ": ids are from 0 to %d in a guest", what,
                         gid, DN_OCI_IDS - 1);
      g_array_append_val (config->groups, group);
    }
  return TRUE;
}

static gboolean
read_user (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autoptr (JsonArray) groups = NULL;
  gint64 uid = 0, gid = 0, umask_bits = 022;
  const DnJsonField fields[] = {
    { "uid", DN_JSON_INT, FALSE, &uid },
    { "gid", DN_JSON_INT, FALSE, &gid },
    { "umask", DN_JSON_INT, FALSE, &umask_bits },
    { "additionalGids", DN_JSON_ARRAY, FALSE, &groups },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error) || !read_groups (groups, config, what, error))
    return FALSE;
  if (uid < 0 || uid >= DN_OCI_IDS || gid < 0 || gid >= DN_OCI_IDS)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "%s: user %" G_GINT64_FORMAT ":%" G_GINT64_FORMAT
                     ": ids are from 0 to %d in a guest",
                     what, uid, gid, DN_OCI_IDS - 1);
  if (umask_bits < 0 || umask_bits > 0777)
    return dn_throw (error, DN_ERROR_USAGE, "%s: umask: is none", what);
  config->uid = (guint) uid;
  config->gid = (guint) gid;
  config->umask = (guint) umask_bits;
  return TRUE;
}

static gboolean
check_capabilities (char **names, const char *what, GError **error)
{
  guint64 bit;

  for (char **name = names; name != NULL && *name != NULL; name++)
    if (!g_str_has_prefix (*name, "CAP_") || !dn_capability_bit (*name, &bit))
      return dn_throw (error, DN_ERROR_USAGE, "%s: '%.40s' is no capability", what, *name);
  return TRUE;
}

static guint64
set_of (char **names)
{
  guint64 set = 0, bit;

  for (char **name = names; name != NULL && *name != NULL; name++)
    if (dn_capability_bit (*name, &bit))
      set |= bit;
  return set;
}

static gboolean
read_capabilities (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_auto (GStrv) bounding = NULL, ambient = NULL;
  const DnJsonField fields[] = {
    { "bounding", DN_JSON_STRINGS, FALSE, &bounding },
    { "ambient", DN_JSON_STRINGS, FALSE, &ambient },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (object, fields, what, error) || !check_capabilities (bounding, what, error)
      || !check_capabilities (ambient, what, error))
    return FALSE;
  config->capabilities = set_of (bounding);
  /* One that is not in the bounding set cannot be had. */
  config->ambient = set_of (ambient) & config->capabilities;
  return TRUE;
}

/* As the shim passes on what is above int64 (json.h): RLIM_INFINITY, and what is as good as that.
 */
static gint64
clean_limit (gint64 limit)
{
  return limit == G_MAXINT64 ? DN_ULIMIT_NONE : MAX (limit, DN_ULIMIT_NONE);
}

/* Power over others is not a limit's to give: those stay as they are. */
static gboolean
add_limit (DnOciConfig *config, const char *type, gint64 soft, gint64 hard, const char *what,
           GError **error)
{
  g_autofree char *name = NULL, *text = NULL;
  DnUlimit ulimit;

  if (!g_str_has_prefix (type, "RLIMIT_"))
    return dn_throw (error, DN_ERROR_USAGE, "%s: rlimit '%.40s': there is none", what, type);
  soft = clean_limit (soft);
  hard = clean_limit (hard);
  if (g_str_equal (type, "RLIMIT_NOFILE"))
    {
      hard = hard < 0 ? DN_ULIMIT_NOFILE_MAX : MIN (hard, DN_ULIMIT_NOFILE_MAX);
      soft = soft < 0 ? hard : MIN (soft, hard);
    }
  name = g_ascii_strdown (type + strlen ("RLIMIT_"), -1);
  text = g_strdup_printf ("%s=%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT, name, soft, hard);
  if (!dn_ulimit_parse (text, &ulimit, error))
    {
      g_prefix_error (error, "%s: ", what);
      return FALSE;
    }
  g_array_append_val (config->ulimits, ulimit);
  return TRUE;
}

static gboolean
read_limits (JsonArray *array, DnOciConfig *config, const char *what, GError **error)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *type = NULL;
      gint64 soft = -1, hard = -1;
      const DnJsonField fields[] = {
        { "type", DN_JSON_STRING, FALSE, &type },
        { "soft", DN_JSON_INT, FALSE, &soft },
        { "hard", DN_JSON_INT, FALSE, &hard },
        { NULL, DN_JSON_STRING, FALSE, NULL },
      };

      if (i == LIMITS_MAX || !JSON_NODE_HOLDS_OBJECT (node))
        return dn_throw (error, DN_ERROR_USAGE, "%s: rlimits: are none", what);
      if (!dn_oci_read (json_node_get_object (node), fields, what, error))
        return FALSE;
      if (type == NULL)
        return dn_throw (error, DN_ERROR_USAGE, "%s: rlimits: one has no type", what);
      if (!add_limit (config, type, soft, hard, what, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_terminal (JsonObject *size, DnOciConfig *config, const char *what, GError **error)
{
  const DnJsonField fields[] = {
    { "height", DN_JSON_INT, FALSE, &config->rows },
    { "width", DN_JSON_INT, FALSE, &config->columns },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_oci_read (size, fields, what, error))
    return FALSE;
  config->rows = CLAMP (config->rows, 0, G_MAXUINT16);
  config->columns = CLAMP (config->columns, 0, G_MAXUINT16);
  return TRUE;
}

gboolean
dn_oci_read_process (JsonObject *object, DnOciConfig *config, const char *what, GError **error)
{
  g_autoptr (JsonObject) user = NULL, capabilities = NULL, size = NULL;
  g_autoptr (JsonArray) limits = NULL;
  const DnJsonField fields[] = {
    { "terminal", DN_JSON_BOOL, FALSE, &config->has_terminal },
    { "consoleSize", DN_JSON_OBJECT, FALSE, &size },
    { "user", DN_JSON_OBJECT, FALSE, &user },
    { "args", DN_JSON_STRINGS, FALSE, &config->args },
    { "env", DN_JSON_STRINGS, FALSE, &config->env },
    { "cwd", DN_JSON_STRING, FALSE, &config->cwd },
    { "capabilities", DN_JSON_OBJECT, FALSE, &capabilities },
    { "rlimits", DN_JSON_ARRAY, FALSE, &limits },
    { "oomScoreAdj", DN_JSON_INT, FALSE, &config->oom_score_adj },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  config->umask = 022;
  if (!dn_oci_read (object, fields, what, error) || !read_terminal (size, config, what, error)
      || !read_user (user, config, what, error)
      || !read_capabilities (capabilities, config, what, error)
      || !read_limits (limits, config, what, error)
      || !dn_options_check_command (config->args, what, DN_ERROR_USAGE, error)
      || !dn_env_check (config->env, what, DN_ERROR_USAGE, error)
      || !dn_options_check_directory (config->cwd, what, DN_ERROR_USAGE, error))
    return FALSE;
  /* Below 0 is the guest's own: its agent is to go last. */
  config->oom_score_adj = CLAMP (config->oom_score_adj, 0, 1000);
  return TRUE;
}

static gboolean
is_bind (const DnOciMount *mount)
{
  const char *const *options = (const char *const *) mount->options;

  return g_strv_contains (options, "bind") || g_strv_contains (options, "rbind");
}

/* Manifests have "/data/" as often as "/data"; what leads upwards stays, and is refused. */
static void
tidy (char *path)
{
  char *to = path;

  if (path[0] != '/')
    return;
  for (const char *from = path; *from != '\0';)
    {
      gsize slashes = strspn (from, "/"), letters = strcspn (from + slashes, "/");

      from += slashes;
      if (letters > 0 && (letters != 1 || from[0] != '.'))
        {
          *to++ = '/';
          memmove (to, from, letters);
          to += letters;
        }
      from += letters;
    }
  if (to == path)
    *to++ = '/';
  *to = '\0';
}

static gboolean
check_mount (const DnOciMount *mount, const char *what, GError **error)
{
  g_auto (GStrv) parts = NULL;

  if (mount->target == NULL || mount->target[0] != '/' || strlen (mount->target) > PATH_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE, "%s: a mount's destination is no absolute path", what);
  if (strlen (mount->source) > PATH_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE, "%s: mount '%s': its source is too long", what,
                     mount->target);
  if (g_strv_length (mount->options) > MOUNT_OPTIONS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: mount '%s': more than %d options", what,
                     mount->target, MOUNT_OPTIONS_MAX);
  parts = g_strsplit (mount->target, "/", -1);
  return !g_strv_contains ((const char *const *) parts, "..")
         || dn_throw (error, DN_ERROR_USAGE, "%s: mount '%s': leads upwards", what, mount->target);
}

gboolean
dn_oci_read_mounts (JsonArray *array, DnOciConfig *config, const char *what, GError **error)
{
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      DnOciMount *mount = g_new0 (DnOciMount, 1);
      const DnJsonField fields[] = {
        { "destination", DN_JSON_STRING, FALSE, &mount->target },
        { "type", DN_JSON_STRING, FALSE, &mount->type },
        { "source", DN_JSON_STRING, FALSE, &mount->source },
        { "options", DN_JSON_STRINGS, FALSE, &mount->options },
        { NULL, DN_JSON_STRING, FALSE, NULL },
      };

      g_ptr_array_add (config->mounts, mount);
      if (i == DN_OCI_MOUNTS_MAX)
        return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d mounts", what, DN_OCI_MOUNTS_MAX);
      if (!JSON_NODE_HOLDS_OBJECT (node))
        return dn_throw (error, DN_ERROR_USAGE, "%s: a mount is no object", what);
      if (!dn_oci_read (json_node_get_object (node), fields, what, error))
        return FALSE;
      if (mount->options == NULL)
        mount->options = g_new0 (char *, 1);
      if (mount->source == NULL)
        mount->source = g_strdup ("");
      if (mount->type == NULL || mount->type[0] == '\0' || g_str_equal (mount->type, "none")
          || is_bind (mount))
        {
          g_free (mount->type);
          mount->type = g_strdup (is_bind (mount) ? "bind" : "none");
        }
      if (mount->target != NULL)
        tidy (mount->target);
      tidy (mount->source);
      if (!check_mount (mount, what, error))
        return FALSE;
    }
  return TRUE;
}
