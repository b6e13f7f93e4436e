/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the virtiofsd of a guest, in a jail.
 *
 * Theory.  virtiofsd speaks FUSE with a guest's kernel, which a hostile container may have taken
 * over, and is more code than anything else of the host's that does.  So what it could do when it
 * is taken over is what counts:
 *
 *   user namespace  it is root in one of its own, as whom it has five capabilities; on the host it
 *                   is the context's uid and has none.  The ids that it can take besides are
 *                   guests', and nobody's on the host (base/share-order.h)
 *   files           the binds of this guest, each through a mount that gives it the rights of one
 *                   owner of the host's alone (tree.h); nothing else
 *   mounts          in a namespace that belongs to the host's user namespace, so it can change none
 *   processes       a pid namespace in which it is process 1
 *   network, IPC    namespaces of its own, empty; one unix socket, to which QEMU connects
 *   system calls    its own allowlist, and ours under it (filter.h)
 *   threads         one that QEMU's library begins before virtiofsd gives up anything keeps two
 * more capabilities (SETPCAP, SYS_CHROOT) and has our filter alone: so that one is the wall, and
 * there is nothing in reach to execute or to change the root to amounts         descriptors,
 * private memory, no core files
 *
 * It outlives danchid and danchi-share, and ends by itself when QEMU's end of the socket is closed.
 */
#pragma once

#include "../base/share-order.h"

/* Files that a guest can know at a time: virtiofsd holds a descriptor for each. */
#define DN_SHARE_DESCRIPTORS_MAX 131072

/**
 * dn_share_start:
 * @listen_fd: a socket that listens, to which QEMU connects; stays the caller's
 *
 * In a process that was forked for it.  Fills @ret_answer in any case.
 *
 * Privilege: CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, CAP_SETPCAP
 */
void dn_share_start (const DnShareOrder *order, int listen_fd, DnShareAnswer *ret_answer);
