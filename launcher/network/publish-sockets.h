/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets for danchi-publish, made by danchi-gateway: danchid has no network.
 *
 * Both wait for the gateway, up to its deadline.
 */
#pragma once

#include "../base/fdpass.h"
#include "../spec/port-spec.h"

/**
 * dn_publish_sockets_listen:
 * @ret_errno: (out): why not, for instance EADDRINUSE, EADDRNOTAVAIL
 *
 * Returns: a socket that is bound and, of TCP, listens; or -1 with DN_ERROR_FAILED
 */
int dn_publish_sockets_listen (const DnHostPort *port, int *ret_errno, GError **error);

/* Up to %DN_FDPASS_MAX sockets to reach the containers of @slot's guest with: bound to its tap, and
 * of @uid, by which the gateway's rules know them.  @ret_fds is the caller's. */
gboolean dn_publish_sockets_dial (guint slot, guint uid, gboolean is_udp, guint family, guint count,
                                  DnFdList *ret_fds, GError **error);
