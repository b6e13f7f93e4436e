/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/spec*.c launcher/spec/options*.c launcher/spec/restart-policy.c
   launcher/spec/health-times.c launcher/spec/profile*.c launcher/spec/c[ap]*.c
   launcher/spec/env.c launcher/common/names.c launcher/spec/u*t.c launcher/spec/quantity.c
   launcher/common/secret-spec.c launcher/spec/secrets-check.c
   launcher/common/signal-name.c launcher/spec/tmpfs.c launcher/spec/mount-*.c
   launcher/common/[ej]*.c launcher/spec/admission*.c launcher/spec/placement.c
   launcher/spec/terms.c launcher/spec/bind-policy.c launcher/spec/signing-key.c
   launcher/spec/reference-glob.c launcher/spec/policy.c launcher/common/key-*.c
   launcher/common/paths.c launcher/spec/network-*.c launcher/spec/port-spec.c
   launcher/base/network-rule.c launcher/base/public-address.c */

/* tests/golden/spec/NAME.in.json holds {"args", "image", "exec", "files"}; NAME.json is the
 * config.json (or the process object) that comes of it, NAME.error the refusal.  "files": which of
 * the host's paths that are bound are none of directories. */
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/spec/profile-store.h"
#include "../../launcher/spec/spec-mounts.h"
#include "../../launcher/spec/spec.h"
#include "golden.h"

#define DIRECTORY "tests/golden/spec/"
#define CONTAINER_ID "0123456789abcdef0123456789abcdef"
#define FIRST_UID 165536

typedef struct
{
  JsonObject *args;
  DnImageConfig image;
  JsonObject *exec;
  char **files;
} Case;

static void
read_image (JsonObject *object, DnImageConfig *image)
{
  g_autoptr (GError) error = NULL;
  const DnJsonField fields[] = { { "user", DN_JSON_STRING, FALSE, &image->user },
                                 { "working_dir", DN_JSON_STRING, FALSE, &image->working_dir },
                                 { "env", DN_JSON_STRINGS, FALSE, &image->env },
                                 { "entrypoint", DN_JSON_STRINGS, FALSE, &image->entrypoint },
                                 { "cmd", DN_JSON_STRINGS, FALSE, &image->cmd },
                                 { "volumes", DN_JSON_STRINGS, FALSE, &image->volumes },
                                 { NULL } };

  dn_json_read (object, fields, "image", &error);
  g_assert_no_error (error);
}

static void
case_read (const char *path, Case *ret_case)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (JsonObject) image = NULL;
  gsize size;
  const DnJsonField fields[] = { { "args", DN_JSON_OBJECT, TRUE, &ret_case->args },
                                 { "image", DN_JSON_OBJECT, TRUE, &image },
                                 { "exec", DN_JSON_OBJECT, FALSE, &ret_case->exec },
                                 { "files", DN_JSON_STRINGS, FALSE, &ret_case->files },
                                 { NULL } };

  g_file_get_contents (path, &text, &size, &error);
  g_assert_no_error (error);
  root = dn_json_parse (text, size, 1024 * 1024, path, &error);
  g_assert_no_error (error);
  dn_json_read (json_node_get_object (root), fields, path, &error);
  g_assert_no_error (error);
  read_image (image, &ret_case->image);
}

static void
case_clear (Case *c)
{
  g_clear_pointer (&c->args, json_object_unref);
  g_clear_pointer (&c->exec, json_object_unref);
  g_strfreev (c->files);
  g_free (c->image.user);
  g_free (c->image.working_dir);
  g_strfreev (c->image.env);
  g_strfreev (c->image.entrypoint);
  g_strfreev (c->image.volumes);
  g_strfreev (c->image.cmd);
}

static JsonNode *
build_exec (JsonNode *spec, JsonObject *exec, GError **error)
{
  g_auto (GStrv) command = NULL, env = NULL, capabilities = NULL;
  g_autofree char *user = NULL, *working_dir = NULL;
  g_autoptr (JsonArray) groups = NULL;
  gboolean has_terminal = FALSE;
  const DnJsonField fields[] = { { "command", DN_JSON_STRINGS, FALSE, &command },
                                 { "env", DN_JSON_STRINGS, FALSE, &env },
                                 { "user", DN_JSON_STRING, FALSE, &user },
                                 { "groups", DN_JSON_ARRAY, FALSE, &groups },
                                 { "capabilities", DN_JSON_STRINGS, FALSE, &capabilities },
                                 { "working_dir", DN_JSON_STRING, FALSE, &working_dir },
                                 { "terminal", DN_JSON_BOOL, FALSE, &has_terminal },
                                 { NULL } };

  if (!dn_json_read (exec, fields, "exec", error))
    return NULL;
  return dn_spec_build_exec (spec,
                             &(DnSpecExec){ .command = command,
                                            .env = env,
                                            .user = user,
                                            .groups = groups,
                                            .capabilities = capabilities,
                                            .working_dir = working_dir,
                                            .has_terminal = has_terminal },
                             error);
}

/* As the part of binds does it (launcher/binds), which asks the host what is a directory. */
static void
add_binds (JsonNode *spec, const DnContainerOptions *options, char **files)
{
  JsonArray *mounts = json_object_get_array_member (json_node_get_object (spec), "mounts");

  for (char **text = options->volumes; text != NULL && *text != NULL; text++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (DnMountSpec) bind = dn_mount_spec_parse (*text, &error);

      g_assert_no_error (error);
      if (bind->kind == DN_MOUNT_BIND)
        dn_spec_add_share (mounts, bind,
                           files == NULL
                               || !g_strv_contains ((const char *const *) files, bind->source));
    }
}

/* The options go through the text that danchid stores, as they do in life. */
static JsonNode *
build (const Case *c, GError **error)
{
  g_autoptr (DnContainerOptions) given = dn_container_options_read (c->args, error);
  g_autoptr (DnContainerOptions) stored = NULL;
  g_autoptr (DnProfile) profile = NULL;
  g_autoptr (JsonNode) node = NULL, spec = NULL;

  if (given == NULL)
    return NULL;
  node = dn_container_options_to_json (given);
  stored = dn_container_options_read (json_node_get_object (node), error);
  if (stored == NULL)
    return NULL;
  profile = dn_profile_load (stored->profile != NULL ? stored->profile : "strict", NULL, error);
  if (profile == NULL)
    return NULL;
  spec = dn_spec_build (stored, profile, &c->image, CONTAINER_ID, FIRST_UID, error);
  if (spec != NULL)
    add_binds (spec, stored, c->files);
  if (spec == NULL || c->exec == NULL)
    return g_steal_pointer (&spec);
  return build_exec (spec, c->exec, error);
}

/* Whatever was asked for, this holds of every container (R2.2, R3.4, R3.5): what it has, some flag
 * or profile of the case's named. */
static void
check_process (JsonObject *process, gboolean has_capabilities)
{
  static const char *const sets[]
      = { "bounding", "effective", "inheritable", "permitted", "ambient" };
  JsonObject *capabilities = json_object_get_object_member (process, "capabilities");

  g_assert_true (json_object_get_boolean_member (process, "noNewPrivileges"));
  for (guint i = 0; !has_capabilities && i < G_N_ELEMENTS (sets); i++)
    g_assert_cmpuint (json_array_get_length (json_object_get_array_member (capabilities, sets[i])),
                      ==, 0);
}

static gboolean
has_option (JsonObject *mount, const char *option)
{
  JsonArray *options = json_object_get_array_member (mount, "options");

  for (guint i = 0; i < json_array_get_length (options); i++)
    if (g_str_equal (json_array_get_string_element (options, i), option))
      return TRUE;
  return FALSE;
}

static void
check_container (JsonObject *spec, gboolean has_capabilities)
{
  JsonArray *mounts = json_object_get_array_member (spec, "mounts");
  JsonObject *linux_part = json_object_get_object_member (spec, "linux");
  JsonObject *mapping;

  check_process (json_object_get_object_member (spec, "process"), has_capabilities);
  for (guint i = 0; i < json_array_get_length (mounts); i++)
    {
      JsonObject *mount = json_array_get_object_element (mounts, i);
      const char *type = json_object_get_string_member (mount, "type");

      g_assert_true (has_option (mount, "nosuid"));
      g_assert_true (has_option (mount, "nodev") || g_str_equal (type, "devpts"));
      g_assert_cmpstr (type, !=, "bind");
      if (!g_str_equal (type, "volume"))
        g_assert_cmpstr (json_object_get_string_member (mount, "source"), ==, type);
    }
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (linux_part, "namespaces")),
                    ==, 7);
  mapping
      = json_array_get_object_element (json_object_get_array_member (linux_part, "uidMappings"), 0);
  g_assert_cmpint (json_object_get_int_member (mapping, "hostID"), ==, FIRST_UID);
  g_assert_cmpint (json_object_get_int_member (mapping, "containerID"), ==, 0);
}

static void
test_golden (gconstpointer data)
{
  const char *name = data;
  g_autofree char *input = g_strconcat (DIRECTORY, name, ".in.json", NULL);
  g_autofree char *output = NULL, *text = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  Case c = { NULL };
  gboolean has_capabilities;

  case_read (input, &c);
  has_capabilities
      = json_object_has_member (c.args, "cap_add") || json_object_has_member (c.args, "profile");
  node = build (&c, &error);
  if (node != NULL)
    {
      g_autofree char *json = dn_json_to_text (node, TRUE);

      g_assert_no_error (error);
      if (c.exec != NULL)
        check_process (json_node_get_object (node), has_capabilities);
      else
        check_container (json_node_get_object (node), has_capabilities);
      output = g_strconcat (DIRECTORY, name, ".json", NULL);
      text = g_strconcat (json, "\n", NULL);
    }
  else
    {
      g_assert_nonnull (error);
      output = g_strconcat (DIRECTORY, name, ".error", NULL);
      text = g_strdup_printf ("%s: %s\n", dn_error_code_to_name ((DnError) error->code),
                              error->message);
    }
  golden_compare (output, text);
  case_clear (&c);
}

static void
test_refuses_ids_that_are_the_guests_own (void)
{
  g_autoptr (DnContainerOptions) options = NULL;
  g_autoptr (JsonObject) args = json_object_new ();
  char *cmd[] = { (char *) "/bin/true", NULL };
  const DnImageConfig image = { .cmd = cmd };
  g_autoptr (DnProfile) profile = dn_profile_load ("strict", NULL, NULL);
  const guint32 bad[] = { 0, 1, 1000, 65535, G_MAXINT32, G_MAXUINT32 };

  options = dn_container_options_read (args, NULL);
  g_assert_nonnull (options);
  g_assert_nonnull (profile);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (dn_spec_build (options, profile, &image, CONTAINER_ID, bad[i], &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) directory = NULL;
  const char *file;
  guint count = 0;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override ("config", NULL, NULL);
  directory = g_dir_open (DIRECTORY, 0, NULL);
  g_assert_nonnull (directory);
  while ((file = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (file, ".in.json"))
      {
        char *name = g_strndup (file, strlen (file) - strlen (".in.json"));
        g_autofree char *path = g_strconcat ("/spec/golden/", name, NULL);

        g_test_add_data_func_full (path, name, test_golden, g_free);
        count++;
      }
  g_assert_cmpuint (count, >, 10);
  g_test_add_func ("/spec/refuses-ids-that-are-the-guests-own",
                   test_refuses_ids_that_are_the_guests_own);
  return g_test_run ();
}
