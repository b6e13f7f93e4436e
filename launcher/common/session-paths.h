/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user's own danchid has its things (session mode).
 *
 *   run      $XDG_RUNTIME_DIR/danchi                    sockets, guests' directories; gone at
 * logout state    $XDG_DATA_HOME/danchi or ~/.local/share/danchi     images, logs, the audit record
 *   config   $XDG_CONFIG_HOME/danchi or ~/.config/danchi        danchi.conf, contexts.d, profiles
 *
 * Pure: the environment comes in, nothing is looked at.
 * Source: the XDG Base Directory Specification.
 */
#pragma once

#include <glib.h>

typedef struct
{
  char *run; /* owned, as are all */
  char *state;
  char *config;
  char *socket; /* the API's, in `run` */
} DnSessionPaths;

typedef struct
{
  const char *home; /* HOME; NULL, as are the others, where it is not set */
  const char *runtime;
  const char *data;
  const char *config;
} DnSessionEnvironment;

/* Returns: (transfer full): NULL with DN_ERROR_CONFIG where a directory is not named or no plain
 * absolute path */
DnSessionPaths *dn_session_paths_new (const DnSessionEnvironment *environment, GError **error);

/* Of this process's environment. (transfer full) */
DnSessionPaths *dn_session_paths_here (GError **error);

void dn_session_paths_free (DnSessionPaths *paths);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnSessionPaths, dn_session_paths_free)
