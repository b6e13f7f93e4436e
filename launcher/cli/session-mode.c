/* SPDX-License-Identifier: Apache-2.0 */
#include "session-mode.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "../common/session-paths.h"

static gboolean
read_variable (gboolean *ret_is_asked, GError **error)
{
  const char *variable = g_getenv ("DANCHI_SESSION");

  *ret_is_asked = g_strcmp0 (variable, "1") == 0;
  return variable == NULL || *ret_is_asked || *variable == '\0' || g_str_equal (variable, "0")
         || dn_throw (error, DN_ERROR_USAGE, "DANCHI_SESSION: '%s': must be 1 or 0", variable);
}

gboolean
dn_session_mode_choose (DnCli *cli, GError **error)
{
  /* Lives as long as the process: dn_paths_override() keeps what it is given. */
  static DnSessionPaths *chosen;
  gboolean is_by_variable;

  if (chosen != NULL)
    return TRUE;
  if (!read_variable (&is_by_variable, error))
    return FALSE;
  if (cli->is_session && cli->socket_path != NULL)
    return dn_throw (error, DN_ERROR_USAGE, "--session and --socket exclude each other");
  /* Who names a socket means that one. */
  if (!cli->is_session && (!is_by_variable || cli->socket_path != NULL))
    return TRUE;
  cli->is_session = TRUE;
  if (geteuid () == 0)
    return dn_throw (error, DN_ERROR_DENIED,
                     "--session is for ordinary users\nroot has the host's danchid: leave it out");
  chosen = dn_session_paths_here (error);
  if (chosen == NULL)
    return FALSE;
  dn_paths_set_session ();
  dn_paths_override (chosen->config, chosen->state, chosen->run);
  cli->socket_path = g_strdup (chosen->socket);
  return TRUE;
}

gboolean
dn_session_mode_is_kept (void)
{
  g_autofree char *path = g_build_filename (dn_paths ()->run, "session.lock", NULL);
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  return fd >= 0 && flock (fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
