/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a guest's danchi-resolver and finds it again.
 *
 * It gets its six descriptors (base/resolver-control.h): the control socket, the lock file whose
 * lock it holds as long as it lives, and the sockets of port 53 on the guest's tap, which the
 * gateway makes.  It is not bound to danchid's life; with its guest it ends, because it has the
 * guest's uid, by which all of the guest's processes are ended.
 *
 * Privilege: root; danchi-resolver gives it up itself (launcher/confined/lockdown.h).
 */
#pragma once

#include "plan.h"

#include <glib.h>

typedef struct
{
  const char *guest; /* its id; borrowed */
  guint uid;
  guint gid;
  guint slot;
  DnNetworkPool pool;
} DnResolverProcess;

/* Its standard error goes to STATE/log/resolver-ID.log.  DN_ERROR_FAILED, _CONFLICT. */
gboolean dn_resolver_process_start (const DnResolverProcess *process, GError **error);

/* Whether somebody holds the lock. */
gboolean dn_resolver_process_is_alive (const char *guest);

/* Returns: the control socket, connected, or -1 with DN_ERROR_FAILED */
int dn_resolver_process_connect (const char *guest, GError **error);

/* (transfer full) */
char *dn_resolver_process_log_path (const char *guest);
