/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of a pod's shim: where it is, and who listens there.
 *
 * Its name follows from containerd's address, the namespace and the pod, so that a second `start`
 * for the same pod comes to the same one.  All starts of a host take turns, by a lock on the
 * directory: looking whether somebody listens and listening oneself are one step.
 *
 * Source: containerd, core/runtime/v2/shim: "/run/containerd/s" and unix(7).
 */
#pragma once

#include <glib.h>

#define DN_SHIM_SOCKET_DIRECTORY "/run/containerd/s"

/* (transfer full) */
char *dn_shim_socket_path (const char *directory, const char *address, const char *name_space,
                           const char *pod);

/**
 * dn_shim_socket_listen:
 * @path: in a directory that is made where it is not there, for root alone
 * @ret_fd: (out): a listening socket; -1 where a shim listens there already
 *
 * Returns: TRUE, or FALSE with DN_ERROR_FAILED
 */
gboolean dn_shim_socket_listen (const char *path, int *ret_fd, GError **error);

/* Removes a socket on which nobody listens any more. */
void dn_shim_socket_clean (const char *path);
