/* SPDX-License-Identifier: Apache-2.0 */
#include "publish-sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../base/outside-wish.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/paths.h"
#include "gateway-server.h"

#define OUTSIDE_TIMEOUT_S 5

static guint8
protocol_of (gboolean is_udp)
{
  return is_udp ? IPPROTO_UDP : IPPROTO_TCP;
}

/* A session's own network is nobody else's: danchi-session makes the socket on the host. */
static gboolean
listen_outside (const DnHostPort *port, DnFdList *ret_fds, GError **error)
{
  g_autofree char *path = g_build_filename (dn_paths ()->run, DN_OUTSIDE_SOCKET, NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const struct timeval timeout = { .tv_sec = OUTSIDE_TIMEOUT_S };
  dn_autofd int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  DnOutsideWish wish = { .family = (uint8_t) port->family,
                         .protocol = protocol_of (port->is_udp),
                         .port = port->port };
  gint32 answer = 0;

  G_STATIC_ASSERT (sizeof wish.address == sizeof port->address);
  memcpy (wish.address, port->address, sizeof wish.address);
  if (fd < 0
      || g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path
      || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0
      || connect (fd, (struct sockaddr *) &address, sizeof address) < 0
      || send (fd, &wish, sizeof wish, MSG_NOSIGNAL) != (ssize_t) sizeof wish
      || dn_fdpass_receive (fd, &answer, sizeof answer, ret_fds) != (ssize_t) sizeof answer)
    return dn_throw (error, DN_ERROR_FAILED,
                     "danchi-session does not answer at '%s': %s\ndanchi-session start", path,
                     g_strerror (errno));
  if (answer == -EADDRINUSE)
    return dn_throw (error, DN_ERROR_CONFLICT,
                     "the port is in use\nsee ss -lntup, or take another port");
  if (answer == -EADDRNOTAVAIL || answer == -EAFNOSUPPORT)
    return dn_throw (error, DN_ERROR_NOT_FOUND, "this host has no such address\nsee ip address");
  return answer == 0
         || dn_throw (error, DN_ERROR_DENIED, "%s\nports below 1024 are root's",
                      g_strerror (-answer));
}

static gboolean
listen_on_host (DnGatewayOrder *order, const DnHostPort *port, DnFdList *ret_fds, GError **error)
{
  return dn_paths ()->is_session ? listen_outside (port, ret_fds, error)
                                 : dn_gateway_order (order, NULL, ret_fds, NULL, error);
}

DnListenResult
dn_publish_sockets_listen (const DnHostPort *port, int *ret_fd, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  DnGatewaySocket *wish = &order->listen.sockets[0];
  DnFdList fds = DN_FD_LIST_INIT;
  g_autoptr (GError) problem = NULL;
  DnListenResult result;

  order->type = DN_GATEWAY_LISTEN;
  /* Of no use here, and there has to be one. */
  (void) dn_network_pool_parse (NULL, "fd00::/48", &order->listen.pool);
  order->listen.count = 1;
  *wish = (DnGatewaySocket){ .family = (guint8) port->family,
                             .protocol = protocol_of (port->is_udp),
                             .port = port->port };
  memcpy (wish->address, port->address, sizeof wish->address);
  if (listen_on_host (order, port, &fds, &problem) && fds.count == 1)
    {
      *ret_fd = fds.fds[0];
      return DN_LISTEN_DONE;
    }
  dn_fd_list_clear (&fds);
  if (problem == NULL)
    g_set_error_literal (&problem, DN_ERROR, DN_ERROR_FAILED,
                         "danchi-gateway: its answer has no socket");
  result = g_error_matches (problem, DN_ERROR, DN_ERROR_CONFLICT)    ? DN_LISTEN_IN_USE
           : g_error_matches (problem, DN_ERROR, DN_ERROR_NOT_FOUND) ? DN_LISTEN_NO_ADDRESS
                                                                     : DN_LISTEN_FAILED;
  g_propagate_error (error, g_steal_pointer (&problem));
  return result;
}

gboolean
dn_publish_sockets_dial (guint slot, gboolean is_udp, guint family, guint count, DnFdList *ret_fds,
                         GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);

  order->type = DN_GATEWAY_REACH;
  order->reach = (DnGatewayReach){
    .slot = slot, .family = (guint8) family, .protocol = protocol_of (is_udp), .count = count
  };
  if (!dn_gateway_order (order, NULL, ret_fds, NULL, error))
    return FALSE;
  return ret_fds->count > 0
         || dn_throw (error, DN_ERROR_FAILED, "danchi-gateway: its answer has no sockets");
}
