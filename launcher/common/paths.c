/* SPDX-License-Identifier: Apache-2.0 */
#include "paths.h"

#ifndef DN_PREFIX
#define DN_PREFIX "/usr"
#endif

static DnPaths paths;
static const char *config_override, *state_override, *run_override;

void
dn_paths_override (const char *config, const char *state, const char *run)
{
  g_return_if_fail (paths.helpers == NULL);
  config_override = config;
  state_override = state;
  run_override = run;
}

void
dn_paths_set_session (void)
{
  g_return_if_fail (paths.helpers == NULL);
  paths.is_session = TRUE;
}

static gboolean
find_build_tree (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *bin = self != NULL ? g_path_get_dirname (self) : NULL;
  g_autofree char *build = bin != NULL ? g_path_get_dirname (bin) : NULL;
  g_autofree char *mark = build != NULL ? g_build_filename (build, "build-tree", NULL) : NULL;
  g_autofree char *top = NULL;

  /* The Makefile leaves the mark, with the source tree's path in it. */
  if (mark == NULL || !g_file_get_contents (mark, &top, NULL, NULL))
    return FALSE;
  g_strchomp (top);
  paths.helpers = g_steal_pointer (&bin);
  paths.images = g_build_filename (build, "images", NULL);
  paths.defaults = g_build_filename (top, "config", NULL);
  return TRUE;
}

const DnPaths *
dn_paths (void)
{
  static gsize is_ready;

  if (g_once_init_enter (&is_ready))
    {
      if (!find_build_tree ())
        {
          paths.helpers = g_strdup (DN_PREFIX "/libexec/danchi");
          paths.images = g_strdup (DN_PREFIX "/lib/danchi/images");
          paths.defaults = g_strdup (DN_PREFIX "/share/danchi");
        }
      paths.config = g_strdup (config_override != NULL ? config_override : "/etc/danchi");
      paths.state = g_strdup (state_override != NULL ? state_override : "/var/lib/danchi");
      paths.run = g_strdup (run_override != NULL ? run_override : "/run/danchi");
      g_once_init_leave (&is_ready, 1);
    }
  return &paths;
}
