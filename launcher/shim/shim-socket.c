/* SPDX-License-Identifier: Apache-2.0 */
#include "shim-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"

#define BACKLOG 128

char *
dn_shim_socket_path (const char *directory, const char *address, const char *name_space,
                     const char *pod)
{
  g_autofree char *joined = g_build_filename (address, name_space, pod, NULL);
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, joined, -1);

  return g_build_filename (directory, name, NULL);
}

static gboolean
fill_address (const char *path, struct sockaddr_un *ret_address)
{
  *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  return g_strlcpy (ret_address->sun_path, path, sizeof ret_address->sun_path)
         < sizeof ret_address->sun_path;
}

static gboolean
has_listener (const struct sockaddr_un *address)
{
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  return fd >= 0 && connect (fd, (const struct sockaddr *) address, sizeof *address) == 0;
}

static int
lock_directory (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  dn_autofd int fd = -1;

  if (g_mkdir_with_parents (directory, 0700) == 0)
    fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || flock (fd, LOCK_EX) < 0)
    {
      dn_throw_errno (error, "directory '%s'", directory);
      return -1;
    }
  return g_steal_fd (&fd);
}

static int
bind_there (const struct sockaddr_un *address)
{
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  /* The mask instead of a chmod afterwards: there is no moment at which others could connect. */
  mode_t old_mask = umask (0177);
  int r = fd >= 0 ? bind (fd, (const struct sockaddr *) address, sizeof *address) : -1;

  (void) umask (old_mask);
  return r == 0 && listen (fd, BACKLOG) == 0 ? g_steal_fd (&fd) : -1;
}

gboolean
dn_shim_socket_listen (const char *path, int *ret_fd, GError **error)
{
  dn_autofd int lock = lock_directory (path, error);
  struct sockaddr_un address;

  if (lock < 0)
    return FALSE;
  if (!fill_address (path, &address))
    return dn_throw (error, DN_ERROR_FAILED, "socket '%s': a path of more than %zu bytes", path,
                     sizeof address.sun_path - 1);
  *ret_fd = -1;
  if (has_listener (&address))
    return TRUE;
  if (unlink (path) < 0 && errno != ENOENT)
    return dn_throw_errno (error, "socket '%s'", path);
  *ret_fd = bind_there (&address);
  return *ret_fd >= 0 || dn_throw_errno (error, "socket '%s'", path);
}

void
dn_shim_socket_clean (const char *path)
{
  struct sockaddr_un address;
  dn_autofd int lock = lock_directory (path, NULL);

  if (lock >= 0 && fill_address (path, &address) && !has_listener (&address))
    (void) unlink (path);
}
