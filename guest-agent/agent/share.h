/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of the host's in containers: the guest's share, a virtiofs of which each bind is a
 * name.
 *
 * The place of a bind is a mount of type share of the container's config; it is made with the other
 * mounts, so that it is there also where the root is read-only.  What is mounted there comes later:
 * the host has the share show a file's owner as the container's user, and who that is (a name in
 * the image's /etc/passwd) is known only in the container.  So CREATE ends when the child has
 * looked that up; then come SHARE_USER, a SHARE_MOUNT for each, and SHARE_MOUNTED, which ends when
 * the child is ready for START.  What the config has mounted below such a place is moved onto the
 * bind.
 *
 * The root of a pod's container is a name in the share, too; that one is looked for before the
 * container's first process is made (share-root.h).
 *
 * The share is mounted with the first bind and stays.  It is asked by children alone, since who
 * asks waits for the host.
 *
 * Privilege: CAP_SYS_ADMIN and CAP_SYS_CHROOT in the guest.
 */
#pragma once

#include "container.h"

#define DN_SHARE_TAG "danchi"
#define DN_SHARE_JOBS_MAX 16
#define DN_SHARE_DEADLINE_MS 20000
/* Of a container's root, which a pod's first one has to mount the share for, beside the boots of
 * other guests.  The set-up that follows has what is left (DN_CREATE_DEADLINE_MS). */
#define DN_SHARE_ROOT_DEADLINE_MS 50000

/* Each ends @request by a REPLY, at once or later. */
void dn_share_tell_user (DnContainer *container, DnRequest request);
void dn_share_mount (DnContainer *container, DnRequest request, const DnMsgShareMount *message);
void dn_share_end_mounts (DnContainer *container, DnRequest request);
void dn_share_lose (DnAgent *agent, DnRequest request);

/* The root that the container's config has in the share: container->share_root.fd.
 * Returns: 0, -EAGAIN: not yet, which ends by itself, or a status with @fault */
int dn_share_take_root (DnContainer *container, DnFault *fault);

/* The container goes: nothing of it may be held any more. */
void dn_share_forget_container (const DnContainer *container);
