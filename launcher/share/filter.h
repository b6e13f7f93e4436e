/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of a share's virtiofsd, before it loads a filter of its own.
 *
 * virtiofsd's own allowlist keeps it from mounts, namespaces, sockets and programs.  This one is
 * laid under it for what that one lets through, since a guest's root has a say in the arguments:
 *
 *   set-user-ID, set-group-ID   no file and no directory gets those bits by chmod, mkdir, mknod or
 *                               open: a mount's nosuid holds for that mount alone, and the host
 *                               sees the same file elsewhere.  In a pod's share chmod may set the
 *                               set-group-ID bit, which is a directory's when virtiofsd is what it
 *                               was (preload/modes.c); when it is not, it is in the same hands as
 *                               the files that a pod can leave as any owner's
 *   groups of the host          files are made with, and given to, guests' own groups alone; the
 *                               host's others can be seen (base/share-order.h)
 *   attributes                  none can be set, security.capability and ACLs among them
 *   devices                     no mknod but of FIFOs and sockets
 *
 * What is refused so is EPERM, since FUSE takes ENOSYS for "never ask again".
 *
 * Source: seccomp(2), seccomp_rule_add(3); traces of virtiofsd 7.2.
 */
#pragma once

#include <stdbool.h>

/* Needs no_new_privs.  Returns: 0 or -errno */
int dn_share_filter_load (bool is_pods);
