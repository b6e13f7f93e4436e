/* SPDX-License-Identifier: Apache-2.0 */
#include "session-paths.h"

#include <string.h>

#include "error.h"

/* Longer ones leave no room for a guest's sockets (unix(7): 108 bytes). */
#define RUNTIME_MAX_BYTES 40

static gboolean
is_plain (const char *path)
{
  if (path[0] != '/' || strstr (path, "//") != NULL || strstr (path, "/../") != NULL
      || g_str_has_suffix (path, "/..") || strstr (path, "/./") != NULL)
    return FALSE;
  /* What libvirt's XML and QEMU's options take as it is: dn_domain_path_is_valid(). */
  for (const char *p = path; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/_.-+@:", *p) == NULL)
      return FALSE;
  return TRUE;
}

/* The directory that @variable names, or @rest below @home.  (transfer full), or NULL */
static char *
choose (const char *variable, const char *value, const char *home, const char *rest, GError **error)
{
  g_autofree char *chosen = NULL;
  gsize size;

  /* The specification: a relative path counts as none. */
  if (value != NULL && value[0] == '/')
    chosen = g_strdup (value);
  else if (home != NULL && rest != NULL)
    chosen = g_build_filename (home, rest, NULL);
  if (chosen == NULL)
    {
      dn_throw (error, DN_ERROR_CONFIG, "session mode: %s is not set", variable);
      return NULL;
    }
  size = strlen (chosen);
  while (size > 1 && chosen[size - 1] == '/')
    chosen[--size] = '\0';
  if (!is_plain (chosen))
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "session mode: directory '%s' of %s: not a plain absolute path\n"
                "use letters, digits and /_.-+@: only",
                chosen, variable);
      return NULL;
    }
  return g_steal_pointer (&chosen);
}

DnSessionPaths *
dn_session_paths_new (const DnSessionEnvironment *environment, GError **error)
{
  g_autofree char *runtime = NULL;
  g_autofree char *data = NULL;
  g_autofree char *config = NULL;
  DnSessionPaths *paths;

  if (environment->runtime == NULL || environment->runtime[0] != '/')
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "session mode: XDG_RUNTIME_DIR is not set\n"
                "log in through PAM (pam_systemd makes /run/user/UID), or set it to a directory "
                "that is yours alone");
      return NULL;
    }
  runtime = choose ("XDG_RUNTIME_DIR", environment->runtime, NULL, NULL, error);
  if (runtime == NULL)
    return NULL;
  if (strlen (runtime) > RUNTIME_MAX_BYTES)
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "session mode: XDG_RUNTIME_DIR '%s' is longer than %d bytes, which leaves sockets "
                "no room\nset it to a shorter directory that is yours alone",
                runtime, RUNTIME_MAX_BYTES);
      return NULL;
    }
  data = choose ("HOME", environment->data, environment->home, ".local/share", error);
  config = data != NULL ? choose ("HOME", environment->config, environment->home, ".config", error)
                        : NULL;
  if (config == NULL)
    return NULL;
  paths = g_new0 (DnSessionPaths, 1);
  paths->run = g_build_filename (runtime, "danchi", NULL);
  paths->state = g_build_filename (data, "danchi", NULL);
  paths->config = g_build_filename (config, "danchi", NULL);
  paths->socket = g_build_filename (paths->run, "danchid.sock", NULL);
  return paths;
}

DnSessionPaths *
dn_session_paths_here (GError **error)
{
  const DnSessionEnvironment here = { .home = g_getenv ("HOME"),
                                      .runtime = g_getenv ("XDG_RUNTIME_DIR"),
                                      .data = g_getenv ("XDG_DATA_HOME"),
                                      .config = g_getenv ("XDG_CONFIG_HOME") };

  return dn_session_paths_new (&here, error);
}

void
dn_session_paths_free (DnSessionPaths *paths)
{
  if (paths == NULL)
    return;
  g_free (paths->run);
  g_free (paths->state);
  g_free (paths->config);
  g_free (paths->socket);
  g_free (paths);
}
