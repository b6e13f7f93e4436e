/* SPDX-License-Identifier: Apache-2.0 */
/* What `start` finds on its standard input and answers on its standard output.
 *
 * Until containerd 2.2 the input is an Any of runtime options, of which none is needed, and the
 * answer the socket's address as text.  From 2.3 on it is BootstrapParams, known by its first
 * field, the id; then the answer is a BootstrapResult.
 *
 * It names version 2 of the Task service, although 3 is served and is the same: with 3 containerd
 * takes it that a pod's containers need no `start` and no `delete` of their own, and when a shim
 * dies the end of these is known to nobody until containerd is started again.
 *
 * Pure.  Source: containerd, api/runtime/bootstrap/v1.
 */
#pragma once

#include <glib.h>

typedef struct
{
  gboolean is_params; /* 2.3 and later */
  char *socket_dir;   /* owned; NULL: not said */
} DnBootstrap;

/* What cannot be read is as if nothing had come: no shim needs its input to start. */
DnBootstrap dn_bootstrap_read (const guint8 *bytes, gsize size, const char *id);

/* (transfer full) */
GBytes *dn_bootstrap_answer (const DnBootstrap *bootstrap, const char *address);
