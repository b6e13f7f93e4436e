/* SPDX-License-Identifier: Apache-2.0 */
/* What of the host's a pod's container has: planned by what this node permits, looked for, and put
 * into the guest's share by danchi-share.  danchid opens none of it itself.
 *
 * Copies of what the kubelet changes are brought up to date while the container runs: danchid looks
 * at where "..data" leads, every few seconds, and says so where that has changed.
 */
#pragma once

#include "../daemon/container-part.h"
#include "pod-mount.h"

/* All containers of a pod have one range of ids: what one writes to a volume is another's. */
#define DN_POD_FIRST_UID DN_CONTEXT_FIRST_UID

/* Plans the mounts of a container that is being made, and looks for them.  FALSE with @error, as
 * dn_pod_mounts_plan() and dn_share_server_order() */
gboolean dn_pod_volumes_plan (DnContainer *container, GError **error);

/* Likewise at danchid's start: by what was found then. */
gboolean dn_pod_volumes_restore (DnContainer *container, GError **error);

/* Once more before a start, since what is permitted or there may have changed. */
gboolean dn_pod_volumes_check (DnContainer *container, GError **error);

/* Puts the container's root into the share. */
gboolean dn_pod_volumes_share_root (DnContainer *container, DnGuest *guest, guint slot,
                                    GError **error);

/* Likewise a mount of it. */
gboolean dn_pod_volumes_share (DnGuest *guest, guint slot, DnPodMount *mount, GError **error);

/* Takes all of it away. */
void dn_pod_volumes_unshare (DnContainer *container, DnGuest *guest);

/* Begins to look at what changes, every few seconds, as long as danchid runs. */
void dn_pod_volumes_watch (DnDaemon *daemon);
