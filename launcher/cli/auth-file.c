/* SPDX-License-Identifier: Apache-2.0 */
#include "auth-file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/json.h"
#include "answer.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define HELPER_PREFIX "docker-credential-"
#define HELPER_TOKEN_USER "<token>"
#define DOCKER "docker.io"
/* What docker itself calls its own registry. */
#define DOCKER_SERVER "https://index.docker.io/v1/"

void
dn_auth_entry_clear (DnAuthEntry *entry)
{
  char **const all[] = { &entry->key, &entry->auth, &entry->token, &entry->helper, &entry->server };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    g_clear_pointer (all[i], g_free);
}

/* Docker's keys are addresses: "https://host/v1/" is "host". (transfer full) */
static char *
host_of (const char *key)
{
  const char *start = strstr (key, "://");
  char *host;

  start = start != NULL ? start + strlen ("://") : key;
  host = g_strndup (start, strcspn (start, "/"));
  if (g_str_equal (host, "index.docker.io") || g_str_equal (host, "registry-1.docker.io"))
    {
      g_free (host);
      host = g_strdup (DOCKER);
    }
  return host;
}

static gboolean
take_entry (JsonObject *entry, const char *key, DnAuthEntry *ret_entry)
{
  const char *auth = dn_answer_text (entry, "auth");
  const char *token = dn_answer_text (entry, "identitytoken");

  /* Docker leaves an empty entry where a helper has the credentials. */
  if (auth[0] == '\0' && token[0] == '\0')
    return FALSE;
  ret_entry->key = g_strdup (key);
  ret_entry->auth = auth[0] != '\0' ? g_strdup (auth) : NULL;
  ret_entry->token = token[0] != '\0' ? g_strdup (token) : NULL;
  return TRUE;
}

/* The most specific first. */
static gboolean
find_named (JsonObject *auths, const char *repository, DnAuthEntry *ret_entry)
{
  g_autofree char *key = g_strdup (repository);

  for (;;)
    {
      JsonObject *entry = dn_answer_object (auths, key);
      char *slash = strrchr (key, '/');

      if (entry != NULL && take_entry (entry, key, ret_entry))
        return TRUE;
      if (slash == NULL)
        return FALSE;
      *slash = '\0';
    }
}

static gboolean
find_addressed (JsonObject *auths, const char *registry, DnAuthEntry *ret_entry)
{
  g_autoptr (GList) keys = json_object_get_members (auths);

  for (GList *at = keys; at != NULL; at = at->next)
    {
      const char *key = at->data;
      g_autofree char *host = host_of (key);
      JsonObject *entry = dn_answer_object (auths, key);

      /* "registry/namespace" is no address: it was looked for by name. */
      if ((strstr (key, "://") != NULL || strchr (key, '/') == NULL) && g_str_equal (host, registry)
          && entry != NULL && take_entry (entry, registry, ret_entry))
        return TRUE;
    }
  return FALSE;
}

static gboolean
take_helper (const char *helper, const char *registry, DnAuthEntry *ret_entry)
{
  if (helper[0] == '\0')
    return FALSE;
  ret_entry->key = g_strdup (registry);
  ret_entry->helper = g_strdup (helper);
  ret_entry->server = g_strdup (g_str_equal (registry, DOCKER) ? DOCKER_SERVER : registry);
  return TRUE;
}

gboolean
dn_auth_file_find (JsonObject *root, const char *repository, DnAuthEntry *ret_entry)
{
  g_autofree char *registry = g_strndup (repository, strcspn (repository, "/"));
  JsonObject *auths = dn_answer_object (root, "auths");
  JsonObject *helpers = dn_answer_object (root, "credHelpers");

  *ret_entry = (DnAuthEntry){ NULL };
  if (helpers != NULL && take_helper (dn_answer_text (helpers, registry), registry, ret_entry))
    return TRUE;
  if (auths != NULL
      && (find_named (auths, repository, ret_entry) || find_addressed (auths, registry, ret_entry)))
    return TRUE;
  return take_helper (dn_answer_text (root, "credsStore"), registry, ret_entry);
}

/* Asks the helper and fills in what it says.  FALSE without @error: it has none. */
static gboolean
ask_helper (DnAuthEntry *entry, GError **error)
{
  g_autofree char *program = g_strconcat (HELPER_PREFIX, entry->helper, NULL);
  const char *const argv[] = { program, "get", NULL };
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *output = NULL, *plain = NULL;
  g_autoptr (JsonNode) node = NULL;
  const char *user, *secret;

  if (strchr (entry->helper, '/') != NULL)
    return dn_throw (error, DN_ERROR_CONFIG, "credentials: helper '%s': not a name", entry->helper);
  process = g_subprocess_newv (argv,
                               G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                   | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                               NULL);
  if (process == NULL)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "credentials: '%s' cannot be started\n"
                     "install it, or take it out of credHelpers or credsStore",
                     program);
  if (!g_subprocess_communicate_utf8 (process, entry->server, NULL, &output, NULL, NULL)
      || !g_subprocess_get_successful (process))
    return FALSE;
  node = dn_json_parse (output, strlen (output), FILE_MAX_BYTES, program, error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  user = dn_answer_text (json_node_get_object (node), "Username");
  secret = dn_answer_text (json_node_get_object (node), "Secret");
  if (g_str_equal (user, HELPER_TOKEN_USER))
    entry->token = g_strdup (secret);
  else
    {
      plain = g_strconcat (user, ":", secret, NULL);
      entry->auth = g_base64_encode ((const guchar *) plain, strlen (plain));
    }
  return TRUE;
}

/* {"auths": {KEY: {...}}}, in a file of memory that is never changed again. */
static int
seal (const DnAuthEntry *entry, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  dn_autofd int fd = memfd_create ("danchi-credentials", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  gsize size;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "auths");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, entry->key);
  json_builder_begin_object (builder);
  if (entry->auth != NULL)
    {
      json_builder_set_member_name (builder, "auth");
      json_builder_add_string_value (builder, entry->auth);
    }
  if (entry->token != NULL)
    {
      json_builder_set_member_name (builder, "identitytoken");
      json_builder_add_string_value (builder, entry->token);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  node = json_builder_get_root (builder);
  text = dn_json_to_text (node, FALSE);
  size = strlen (text);
  if (fd < 0 || write (fd, text, size) != (ssize_t) size
      || fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
    {
      dn_throw_errno (error, "credentials: a file of memory");
      return -1;
    }
  return g_steal_fd (&fd);
}

/* Returns: 1 found, 0 nothing for this repository, -1 with @error */
static int
look_into (const char *path, gboolean is_named, const char *repository, DnAuthEntry *ret_entry,
           GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, &local))
    {
      if (!is_named && g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return 0;
      dn_throw (error, DN_ERROR_CONFIG, "credentials: %s", local->message);
      return -1;
    }
  node = dn_json_parse (text, size, FILE_MAX_BYTES, path, error);
  explicit_bzero (text, size);
  if (node == NULL)
    return -1;
  if (!JSON_NODE_HOLDS_OBJECT (node)
      || !dn_auth_file_find (json_node_get_object (node), repository, ret_entry))
    return 0;
  if (ret_entry->helper == NULL || ask_helper (ret_entry, &local))
    return 1;
  dn_auth_entry_clear (ret_entry);
  if (local == NULL)
    return 0;
  g_propagate_error (error, g_steal_pointer (&local));
  return -1;
}

/* (transfer full) (element-type filename) */
static GPtrArray *
list_files (const char *given, gboolean *ret_is_named)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  const char *named = given != NULL ? given : g_getenv ("REGISTRY_AUTH_FILE");
  const char *runtime = g_getenv ("XDG_RUNTIME_DIR");

  *ret_is_named = named != NULL && named[0] != '\0';
  if (*ret_is_named)
    {
      g_ptr_array_add (paths, g_strdup (named));
      return paths;
    }
  if (runtime != NULL)
    g_ptr_array_add (paths, g_build_filename (runtime, "containers", "auth.json", NULL));
  g_ptr_array_add (paths, g_strdup_printf ("/run/containers/%u/auth.json", (guint) getuid ()));
  g_ptr_array_add (paths,
                   g_build_filename (g_get_user_config_dir (), "containers", "auth.json", NULL));
  g_ptr_array_add (paths, g_build_filename (g_get_home_dir (), ".docker", "config.json", NULL));
  return paths;
}

int
dn_auth_file_open (const char *reference, const char *path, GError **error)
{
  const struct rlimit none = { 0, 0 };
  const char *slash = strrchr (reference, '/');
  g_autofree char *repository
      = slash != NULL ? g_strndup (reference, (gsize) (slash - reference) + strcspn (slash, ":@"))
                      : g_strdup (reference);
  gboolean is_named;
  g_autoptr (GPtrArray) paths = list_files (path, &is_named);

  (void) setrlimit (RLIMIT_CORE, &none);
  for (guint i = 0; i < paths->len; i++)
    {
      g_auto (DnAuthEntry) entry = { NULL };

      switch (look_into (paths->pdata[i], is_named, repository, &entry, error))
        {
        case 1:
          return seal (&entry, error);
        case 0:
          break;
        default:
          return -1;
        }
    }
  return -1;
}
