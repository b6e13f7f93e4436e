/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of a container in its guest: taken, attached, mounted, and back.
 *
 *     prepare   its place among the users of each volume, or who is in the way
 *     enter     the first container of a context has the disk attached; the agent mounts it, with
 *               the key of an encrypted one sent before; a volume that was never written to counts
 *               as written to from here on
 *     leave     with the last container of the context the agent writes what is left to write and
 *               lets go, and the disk is detached
 *     forget    anonymous volumes of a container with --rm go with it
 *
 * A guest that is for one container ends with it; but not before its volumes are written.
 *
 * Locks: a volume's op_lock is taken with the container's, and before the context's guest_lock.
 */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_volume_part;

/* Under the daemon's lock: whether its guest has something of it that must be written first. */
gboolean dn_container_has_volumes (const DnContainer *container);

/* Whether a guest has the key of one of its volumes, which nobody else keeps: it must not let go of
 * the volume when the container is stopped to be started at once.  With op_lock held, without the
 * daemon's lock. */
gboolean dn_volume_holds_key (DnContainer *container);

/* It will not be started again after all: lets go of what was kept for that.  Nothing where it runs
 * or nothing was; with op_lock held, without the daemon's lock. */
void dn_volume_drop (DnContainer *container);

/* A danchid that was started anew has found @guest: what that has attached is its context's. */
void dn_volume_adopt (DnDaemon *daemon, const char *context, DnGuest *guest);

/* Under the daemon's lock: likewise a container that is in a guest. */
void dn_volume_count_in (const DnContainer *container);

/* After all that: lets go of what no container needs any more. */
void dn_volume_settle (DnDaemon *daemon);
