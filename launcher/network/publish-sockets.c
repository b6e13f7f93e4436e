/* SPDX-License-Identifier: Apache-2.0 */
#include "publish-sockets.h"

#include <netinet/in.h>
#include <string.h>

#include "../common/error.h"
#include "gateway-server.h"

static guint8
protocol_of (gboolean is_udp)
{
  return is_udp ? IPPROTO_UDP : IPPROTO_TCP;
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
  if (dn_gateway_order (order, NULL, &fds, NULL, &problem) && fds.count == 1)
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
