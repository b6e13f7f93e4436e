/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a guest's danchi-publish and finds it again.
 *
 * It gets two descriptors besides its standard ones: a listening socket and the lock file whose
 * lock it holds as long as it lives.  It is not bound to danchid's life; with its guest it ends,
 * because it has the guest's uid, by which all of the guest's processes are ended.
 *
 * Privilege: root; danchi-publish gives it up itself (launcher/confined/lockdown.h).
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *guest; /* its id; borrowed */
  guint uid;
  guint gid;
} DnPublishProcess;

/* Its standard error goes to STATE/log/publish-ID.log. */
gboolean dn_publish_process_start (const DnPublishProcess *process, GError **error);

/* Whether somebody holds the lock. */
gboolean dn_publish_process_is_alive (const char *guest);

/* Returns: the control socket, connected, or -1 with DN_ERROR_FAILED */
int dn_publish_process_connect (const char *guest, GError **error);

/* (transfer full) */
char *dn_publish_process_log_path (const char *guest);
