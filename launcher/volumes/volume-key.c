/* SPDX-License-Identifier: Apache-2.0 */
#include "volume-key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/settings-file.h"
#include "../secrets/secret-send.h"

/* A key that others may read or exchange is none. */
static gboolean
check_key_file (int fd, const char *path, GError **error)
{
  struct stat status;

  return (fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && status.st_uid == geteuid ()
          && (status.st_mode & 077) == 0)
         || dn_throw (
             error, DN_ERROR_CONFIG,
             "key '%s': must be a file that is root's alone\nchown root '%s'; chmod 0400 '%s'",
             path, path, path);
}

/* The key's file: what came with the request, or is in the operator's directory. -1 with @error */
static int
open_key (DnPartStart *start, const DnVolume *volume, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (start->container->daemon);
  g_autofree char *path = NULL;
  int fd = -1;

  for (guint i = 0; start->plan->volume_keys != NULL && start->plan->volume_keys[i] != NULL; i++)
    if (g_str_equal (start->plan->volume_keys[i], volume->name)
        || g_str_equal (start->plan->volume_keys[i], volume->id))
      fd = fcntl (start->request->fds.fds[i], F_DUPFD_CLOEXEC, 3);
  if (fd >= 0)
    return fd;
  if (settings->volume_key_directory != NULL)
    {
      path = g_build_filename (settings->volume_key_directory, volume->id, NULL);
      fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
      if (fd >= 0 && !check_key_file (fd, path, error))
        dn_fd_clear (&fd);
      if (fd >= 0 || (error != NULL && *error != NULL))
        return fd;
    }
  dn_throw (error, DN_ERROR_USAGE,
            "volume '%s': is encrypted, and needs its key, of which no copy is kept\ngive it to "
            "run, start or restart with --volume-key %s=FILE%s%s",
            volume->name, volume->name, path != NULL ? ", or put it into " : "",
            path != NULL ? path : "");
  return -1;
}

gboolean
dn_volume_key_check (DnPartStart *start, DnVolume *volume, GError **error)
{
  DnContainer *container = start->container;
  dn_autofd int fd = -1;

  if (dn_volumes_is_open (container->daemon->volumes, volume, container->context->name))
    return TRUE;
  fd = open_key (start, volume, error);
  return fd >= 0;
}

gboolean
dn_volume_key_send (DnPartStart *start, const DnVolume *volume, const char *name, GError **error)
{
  dn_autofd int fd = open_key (start, volume, error);

  if (fd < 0)
    return FALSE;
  if (dn_secret_send_key (start->guest, name, fd, error))
    return TRUE;
  g_prefix_error (error, "volume '%s': ", volume->name);
  return FALSE;
}
