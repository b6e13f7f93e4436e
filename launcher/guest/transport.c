/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"

gboolean
dn_transport_host_has_vsock (void)
{
  dn_autofd int fd = -1;

  /* Numbers of guests (CIDs) are the whole host's: a session would take those of the system's
   * danchid and of other users. */
  if (dn_paths ()->is_session)
    return FALSE;
  /* Both are needed: the device gives guests a CID, the address family reaches them. */
  if (access ("/dev/vhost-vsock", F_OK) != 0)
    return FALSE;
  fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd >= 0;
}

const char *
dn_transport_name (DnTransport transport)
{
  switch (transport)
    {
    case DN_TRANSPORT_AUTO:
      return "auto";
    case DN_TRANSPORT_VSOCK:
      return "vsock";
    case DN_TRANSPORT_SERIAL:
      return "serial";
    }
  return "unknown";
}

int
dn_transport_connect_vsock (guint cid, guint timeout_ms, GError **error)
{
  struct sockaddr_vm address
      = { .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = DN_AGENT_VSOCK_PORT };
  struct timeval timeout = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
  dn_autofd int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0
      || setsockopt (fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof timeout) < 0
      || connect (fd, (const struct sockaddr *) &address, sizeof address) < 0)
    {
      dn_throw (error, DN_ERROR_GUEST, "vsock %u:%d: %s", cid, DN_AGENT_VSOCK_PORT,
                g_strerror (errno));
      return -1;
    }
  return g_steal_fd (&fd);
}

static gboolean
fill_address (struct sockaddr_un *ret_address, const char *path, GError **error)
{
  *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof ret_address->sun_path)
    return dn_throw (error, DN_ERROR_CONFIG,
                     "socket '%s': its path is longer than %zu bytes\n"
                     "use a shorter run directory",
                     path, sizeof ret_address->sun_path - 1);
  strcpy (ret_address->sun_path, path);
  return TRUE;
}

int
dn_transport_connect_unix (const char *path, GError **error)
{
  struct sockaddr_un address;
  dn_autofd int fd = -1;

  if (!fill_address (&address, path, error))
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (const struct sockaddr *) &address, sizeof address) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}

int
dn_transport_listen_unix (const char *path, guint mode, guint uid, guint gid, GError **error)
{
  struct sockaddr_un address;
  dn_autofd int fd = -1;

  if (!fill_address (&address, path, error))
    return -1;
  (void) unlink (path);
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  /* Nobody can connect before listen(2), so the order bind, owner, mode, listen leaves no gap. */
  if (fd < 0 || bind (fd, (const struct sockaddr *) &address, sizeof address) < 0
      || lchown (path, uid, gid) < 0 || chmod (path, mode) < 0 || listen (fd, 8) < 0)
    {
      dn_throw_errno (error, "socket '%s'", path);
      return -1;
    }
  return g_steal_fd (&fd);
}
