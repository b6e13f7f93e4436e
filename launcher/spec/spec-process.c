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

/* Names wait for the image's own files, which only the guest reads: `username`. */
static gboolean
add_user (JsonBuilder *builder, const char *text, const char *what, int code, GError **error)
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
  if (!add_user (builder, dn_spec_user_text (options, image), is_users ? "--user" : "image's user",
                 is_users ? DN_ERROR_USAGE : DN_ERROR_CONFIG, error))
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

/* An exec is the container's own process with other words: whatever confines the first process is
 * copied and never asked for. */
JsonNode *
dn_spec_build_exec (JsonNode *spec, char **command, char **env, const char *user,
                    const char *working_dir, gboolean has_terminal, GError **error)
{
  JsonObject *container = json_object_get_object_member (json_node_get_object (spec), "process");
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) args = g_ptr_array_new (), merged = g_ptr_array_new_with_free_func (g_free);
  JsonArray *inherited = json_object_get_array_member (container, "env");

  if (is_empty (command) || command[0][0] == '\0')
    {
      dn_throw (error, DN_ERROR_USAGE,
                "command: is empty\nwrite it after the container: danchi exec CONTAINER COMMAND");
      return NULL;
    }
  if (!dn_options_check_command (command, "command", DN_ERROR_USAGE, error)
      || !dn_env_check (env, "--env", DN_ERROR_USAGE, error)
      || !dn_options_check_directory (working_dir, "--workdir", DN_ERROR_USAGE, error))
    return NULL;
  append (args, command);
  for (guint i = 0; i < json_array_get_length (inherited); i++)
    g_ptr_array_add (merged, g_strdup (json_array_get_string_element (inherited, i)));
  if (has_terminal && !dn_env_has (merged, "TERM"))
    g_ptr_array_add (merged, g_strdup ("TERM=xterm"));
  dn_env_merge (merged, env);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "terminal");
  json_builder_add_boolean_value (builder, has_terminal);
  if (user == NULL || user[0] == '\0')
    {
      json_builder_set_member_name (builder, "user");
      json_builder_add_value (builder, json_node_copy (json_object_get_member (container, "user")));
    }
  else if (!add_user (builder, user, "--user", DN_ERROR_USAGE, error))
    return NULL;
  add_strings (builder, "args", args);
  add_strings (builder, "env", merged);
  json_builder_set_member_name (builder, "cwd");
  json_builder_add_string_value (builder, working_dir != NULL && working_dir[0] != '\0'
                                              ? working_dir
                                              : json_object_get_string_member (container, "cwd"));
  for (guint i = 0; i < 3; i++)
    {
      static const char *const kept[] = { "capabilities", "rlimits", "noNewPrivileges" };

      json_builder_set_member_name (builder, kept[i]);
      json_builder_add_value (builder,
                              json_node_copy (json_object_get_member (container, kept[i])));
    }
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
