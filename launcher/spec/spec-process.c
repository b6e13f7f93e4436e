/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-process.h"

#include "../common/error.h"
#include "admission.h"
#include "capability.h"
#include "env.h"
#include "options-check.h"
#include "user-text.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const char *
dn_spec_user_text (const DnContainerOptions *options, const DnImageConfig *image)
{
  return options->user != NULL ? options->user : image->user;
}

static gboolean
is_empty (char **list)
{
  return list == NULL || list[0] == NULL;
}

static void
append (GPtrArray *words, char **list)
{
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    g_ptr_array_add (words, list[i]);
}

/* Docker's rules: a command replaces the image's Cmd, and an entrypoint of the user's replaces the
 * image's Entrypoint and its Cmd, which was written for the other.  An entrypoint of one empty word
 * stands for none at all. */
static gboolean
collect_args (const DnContainerOptions *options, const DnImageConfig *image, GPtrArray *words,
              GError **error)
{
  gboolean has_entrypoint = options->entrypoint != NULL;

  if (!dn_options_check_command (image->entrypoint, "image's entrypoint", DN_ERROR_CONFIG, error)
      || !dn_options_check_command (image->cmd, "image's command", DN_ERROR_CONFIG, error))
    return FALSE;
  if (!has_entrypoint)
    append (words, image->entrypoint);
  else if (!is_empty (options->entrypoint)
           && !(options->entrypoint[0][0] == '\0' && options->entrypoint[1] == NULL))
    append (words, options->entrypoint);
  if (!is_empty (options->command))
    append (words, options->command);
  else if (!has_entrypoint)
    append (words, image->cmd);
  if (words->len == 0)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "image '%s': names no command, and none was given\n"
                     "write it after the image: danchi run IMAGE COMMAND...",
                     options->image != NULL ? options->image : "");
  if (((const char *) words->pdata[0])[0] == '\0')
    return dn_throw (error, DN_ERROR_CONFIG, "command: its first word is empty");
  return TRUE;
}

static void
add_strings (JsonBuilder *builder, const char *name, GPtrArray *strings)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < strings->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (strings, i));
  json_builder_end_array (builder);
}

static gboolean
add_env (JsonBuilder *builder, const DnContainerOptions *options, const DnImageConfig *image,
         const char *hostname, GError **error)
{
  g_autoptr (GPtrArray) env = g_ptr_array_new_with_free_func (g_free);

  if (!dn_env_check (image->env, "image's environment", DN_ERROR_CONFIG, error))
    return FALSE;
  g_ptr_array_add (env, g_strdup (DEFAULT_PATH));
  g_ptr_array_add (env, g_strdup_printf ("HOSTNAME=%s", hostname));
  if (options->has_terminal)
    g_ptr_array_add (env, g_strdup ("TERM=xterm"));
  dn_env_merge (env, image->env);
  dn_env_merge (env, options->env);
  add_strings (builder, "env", env);
  return TRUE;
}

/* Numbers of the container's range, as those of --user. */
static gboolean
add_groups (JsonBuilder *builder, JsonArray *groups, GError **error)
{
  guint count = json_array_get_length (groups);

  if (count > DN_EXEC_GROUPS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "groups: more than %d", DN_EXEC_GROUPS_MAX);
  json_builder_set_member_name (builder, "additionalGids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < count; i++)
    {
      JsonNode *node = json_array_get_element (groups, i);
      gint64 group = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64
                         ? json_node_get_int (node)
                         : -1;

      if (group < 0 || group > DN_USER_ID_MAX)
        return dn_throw (error, DN_ERROR_USAGE, "groups: one is no number from 0 to %d",
                         DN_USER_ID_MAX);
      json_builder_add_int_value (builder, group);
    }
  json_builder_end_array (builder);
  return TRUE;
}

/* Names wait for the image's own files, which only the guest reads: `username`.  @groups: numbers
 * besides; NULL: none. */
static gboolean
add_user (JsonBuilder *builder, const char *text, JsonArray *groups, const char *what, int code,
          GError **error)
{
  DnUserText user;

  if (!dn_user_text_parse (text, what, code, &user, error))
    return FALSE;
  json_builder_set_member_name (builder, "user");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "uid");
  json_builder_add_int_value (builder, user.uid);
  json_builder_set_member_name (builder, "gid");
  json_builder_add_int_value (builder, user.gid);
  if (!user.is_resolved)
    {
      json_builder_set_member_name (builder, "username");
      json_builder_add_string_value (builder, text);
    }
  if (groups != NULL && !add_groups (builder, groups, error))
    return FALSE;
  json_builder_end_object (builder);
  return TRUE;
}

static void
add_capability_set (JsonBuilder *builder, const char *name, guint64 set)
{
  g_auto (GStrv) names = dn_capability_names (set);

  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (char **one = names; *one != NULL; one++)
    {
      g_autofree char *full = g_strconcat ("CAP_", *one, NULL);

      json_builder_add_string_value (builder, full);
    }
  json_builder_end_array (builder);
}

/* All five, spelled out: what is missing might be taken for a default by some reader.  These are
 * root's.  Who the user is may be known in the guest alone, so there the agent gives any other user
 * the ambient set in place of permitted and effective. */
static void
add_capabilities (JsonBuilder *builder, const DnContainerOptions *options, const DnProfile *profile)
{
  guint64 ambient = 0;
  guint64 roots
      = dn_admission_capabilities (profile, options->cap_add, options->cap_drop, &ambient);

  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_object (builder);
  add_capability_set (builder, "bounding", roots);
  add_capability_set (builder, "effective", roots);
  add_capability_set (builder, "inheritable", ambient);
  add_capability_set (builder, "permitted", roots);
  add_capability_set (builder, "ambient", ambient);
  json_builder_end_object (builder);
}

static void
add_ulimit (JsonBuilder *builder, const DnUlimit *ulimit)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "type");
  json_builder_add_string_value (builder, ulimit->type);
  /* -1 is RLIM_INFINITY, 2^64 - 1, in the 63 bits that JSON libraries agree on. */
  json_builder_set_member_name (builder, "hard");
  json_builder_add_int_value (builder, ulimit->hard);
  json_builder_set_member_name (builder, "soft");
  json_builder_add_int_value (builder, ulimit->soft);
  json_builder_end_object (builder);
}

static gboolean
add_ulimits (JsonBuilder *builder, char **wishes, const DnProfile *profile, GError **error)
{
  g_autoptr (GArray) ulimits = g_array_new (FALSE, FALSE, sizeof (DnUlimit));

  if (profile->ulimits->len > 0)
    g_array_append_vals (ulimits, profile->ulimits->data, profile->ulimits->len);
  for (guint i = 0; wishes != NULL && wishes[i] != NULL; i++)
    {
      DnUlimit wish;
      guint at = 0;

      if (!dn_ulimit_parse (wishes[i], &wish, error))
        return FALSE;
      while (at < ulimits->len
             && !g_str_equal (g_array_index (ulimits, DnUlimit, at).type, wish.type))
        at++;
      if (at == ulimits->len)
        g_array_append_val (ulimits, wish);
      else
        g_array_index (ulimits, DnUlimit, at) = wish;
    }
  json_builder_set_member_name (builder, "rlimits");
  json_builder_begin_array (builder);
  for (guint i = 0; i < ulimits->len; i++)
    add_ulimit (builder, &g_array_index (ulimits, DnUlimit, i));
  json_builder_end_array (builder);
  return TRUE;
}

static gboolean
add_directory (JsonBuilder *builder, const DnContainerOptions *options, const DnImageConfig *image,
               GError **error)
{
  const char *directory = options->working_dir;

  if (directory == NULL || directory[0] == '\0')
    {
      directory = image->working_dir;
      if (!dn_options_check_directory (directory, "image's working directory", DN_ERROR_CONFIG,
                                       error))
        return FALSE;
    }
  json_builder_set_member_name (builder, "cwd");
  json_builder_add_string_value (builder,
                                 directory == NULL || directory[0] == '\0' ? "/" : directory);
  return TRUE;
}

gboolean
dn_spec_add_process (JsonBuilder *builder, const DnContainerOptions *options,
                     const DnImageConfig *image, const char *hostname, const DnProfile *profile,
                     GError **error)
{
  g_autoptr (GPtrArray) args = g_ptr_array_new (); /* borrowed strings */
  gboolean is_users = options->user != NULL;

  if (!collect_args (options, image, args, error))
    return FALSE;
  json_builder_set_member_name (builder, "process");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "terminal");
  json_builder_add_boolean_value (builder, options->has_terminal);
  if (!add_user (builder, dn_spec_user_text (options, image), NULL,
                 is_users ? "--user" : "image's user", is_users ? DN_ERROR_USAGE : DN_ERROR_CONFIG,
                 error))
    return FALSE;
  add_strings (builder, "args", args);
  if (!add_env (builder, options, image, hostname, error)
      || !add_directory (builder, options, image, error))
    return FALSE;
  add_capabilities (builder, options, profile);
  if (!add_ulimits (builder, options->ulimits, profile, error))
    return FALSE;
  json_builder_set_member_name (builder, "noNewPrivileges");
  json_builder_add_boolean_value (builder, TRUE);
  json_builder_end_object (builder);
  return TRUE;
}

static gboolean
add_exec_user (JsonBuilder *builder, JsonObject *container, const DnSpecExec *exec, GError **error)
{
  if (exec->user != NULL && exec->user[0] != '\0')
    return add_user (builder, exec->user, exec->groups, "--user", DN_ERROR_USAGE, error);
  if (exec->groups != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "groups: belong to a user, and none is given");
  json_builder_set_member_name (builder, "user");
  json_builder_add_value (builder, json_node_copy (json_object_get_member (container, "user")));
  return TRUE;
}

static guint64
read_set (JsonObject *capabilities, const char *name)
{
  JsonArray *names = json_object_get_array_member (capabilities, name);
  guint64 set = 0, bit;

  for (guint i = 0; i < json_array_get_length (names); i++)
    if (dn_capability_bit (json_array_get_string_element (names, i), &bit))
      set |= bit;
  return set;
}

/* As many of the container's as are asked for, and none besides. */
static gboolean
add_exec_capabilities (JsonBuilder *builder, JsonObject *container, char **wanted, GError **error)
{
  static const char *const sets[]
      = { "bounding", "effective", "inheritable", "permitted", "ambient" };
  JsonObject *own = json_object_get_object_member (container, "capabilities");
  guint64 kept = wanted == NULL ? G_MAXUINT64 : 0, bit;

  for (char **name = wanted; name != NULL && *name != NULL; name++)
    {
      if (!dn_capability_bit (*name, &bit))
        return dn_throw (error, DN_ERROR_USAGE, "capabilities: '%.40s' is none", *name);
      if ((read_set (own, "bounding") & bit) == 0)
        return dn_throw (error, DN_ERROR_DENIED,
                         "capabilities: %.40s: the container has not got it\nit can only be given "
                         "to the container, when that is made",
                         *name);
      kept |= bit;
    }
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_object (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    add_capability_set (builder, sets[i], read_set (own, sets[i]) & kept);
  json_builder_end_object (builder);
  return TRUE;
}

static void
add_exec_env (JsonBuilder *builder, JsonObject *container, const DnSpecExec *exec)
{
  g_autoptr (GPtrArray) merged = g_ptr_array_new_with_free_func (g_free);
  JsonArray *inherited = json_object_get_array_member (container, "env");

  for (guint i = 0; i < json_array_get_length (inherited); i++)
    g_ptr_array_add (merged, g_strdup (json_array_get_string_element (inherited, i)));
  if (exec->has_terminal && !dn_env_has (merged, "TERM"))
    g_ptr_array_add (merged, g_strdup ("TERM=xterm"));
  dn_env_merge (merged, exec->env);
  add_strings (builder, "env", merged);
}

/* An exec is the container's own process with other words: whatever confines the first process is
 * copied, and what is asked for can only be less. */
JsonNode *
dn_spec_build_exec (JsonNode *spec, const DnSpecExec *exec, GError **error)
{
  JsonObject *container = json_object_get_object_member (json_node_get_object (spec), "process");
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) args = g_ptr_array_new ();
  const char *directory = exec->working_dir;

  if (is_empty (exec->command) || exec->command[0][0] == '\0')
    {
      dn_throw (error, DN_ERROR_USAGE,
                "command: is empty\nwrite it after the container: danchi exec CONTAINER COMMAND");
      return NULL;
    }
  if (!dn_options_check_command (exec->command, "command", DN_ERROR_USAGE, error)
      || !dn_env_check (exec->env, "--env", DN_ERROR_USAGE, error)
      || !dn_options_check_directory (directory, "--workdir", DN_ERROR_USAGE, error))
    return NULL;
  if (directory == NULL || directory[0] == '\0')
    directory = json_object_get_string_member (container, "cwd");
  append (args, exec->command);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "terminal");
  json_builder_add_boolean_value (builder, exec->has_terminal);
  if (!add_exec_user (builder, container, exec, error))
    return NULL;
  add_strings (builder, "args", args);
  add_exec_env (builder, container, exec);
  json_builder_set_member_name (builder, "cwd");
  json_builder_add_string_value (builder, directory);
  if (!add_exec_capabilities (builder, container, exec->capabilities, error))
    return NULL;
  for (guint i = 0; i < 2; i++)
    {
      static const char *const kept[] = { "rlimits", "noNewPrivileges" };

      json_builder_set_member_name (builder, kept[i]);
      json_builder_add_value (builder,
                              json_node_copy (json_object_get_member (container, kept[i])));
    }
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
