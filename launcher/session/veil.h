/* SPDX-License-Identifier: Apache-2.0 */
/* What of the host's files a session's processes see.
 *
 * In a mount namespace of the session's own:
 *
 *   /run              empty, but for what is Danchi's: no sockets of the host's services, no D-Bus
 *   private ancestors a directory on the way to what the session needs (HOME, XDG_RUNTIME_DIR) that
 *                     others cannot pass through is covered by an empty one, in which nothing but
 * the needed is there.  Guests' ids get through, and none of the user's other files is to be seen
 *   libvirt's places  /var/{lib,cache,log}/libvirt and /etc/libvirt are directories of the
 * session's /etc/resolv.conf  names what pasta forwards questions from: upstream.h
 *
 * Privilege: CAP_SYS_ADMIN in a user namespace; one thread.
 * Source: mount_namespaces(7).
 */
#pragma once

#include <glib.h>

#include "../common/session-paths.h"

/* Holds the path of the session's run directory: the mark by which its processes are known. */
#define DN_VEIL_MARK "/run/danchi-session"

/* Danchi's programs, images and defaults (paths.h) stay where they are, too.  DN_ERROR_LOCKDOWN. */
gboolean dn_veil_run (const DnSessionPaths *paths, GError **error);

/* The topmost directory above @path, @path itself left out, through which others cannot pass; NULL
 * where there is none. (transfer full) */
char *dn_veil_barrier (const char *path);
