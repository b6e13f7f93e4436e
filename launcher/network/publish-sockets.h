/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets for danchi-publish, made by danchi-gateway: danchid has no network.
 *
 * Both wait for the gateway, up to its deadline.
 */
#pragma once

#include "../base/fdpass.h"
#include "../spec/port-spec.h"

typedef enum
{
  DN_LISTEN_DONE,
  DN_LISTEN_IN_USE,     /* somebody has the port */
  DN_LISTEN_NO_ADDRESS, /* the host has no such address, or not this family */
  DN_LISTEN_FAILED,
} DnListenResult;

/**
 * dn_publish_sockets_listen:
 * @ret_fd: (out): with DN_LISTEN_DONE: a socket that is bound and, of TCP, listens
 *
 * With all other results @error is set.
 */
DnListenResult dn_publish_sockets_listen (const DnHostPort *port, int *ret_fd, GError **error);

/* Up to %DN_FDPASS_MAX sockets to reach the containers of @slot's guest with, and nothing else:
 * bound to its tap, and marked so that the gateway's rules know them.  @ret_fds is the caller's. */
gboolean dn_publish_sockets_dial (guint slot, gboolean is_udp, guint family, guint count,
                                  DnFdList *ret_fds, GError **error);
