/* SPDX-License-Identifier: Apache-2.0 */
/* Directories in the guest's memory that are a pod's: /dev/shm, and volumes in memory.
 *
 * Each is a tmpfs with a name, of the size and mode that its first user asks for, and stays with
 * the guest, so that what one container leaves there another finds.  It belongs to the pod's id 0,
 * and its bytes count as the memory of the container that writes them.  One that is said to be
 * larger than the guest's memory is as large as half of that.
 *
 * A container may have a directory in it instead of all of it, which is made where it is missing,
 * like the top one.  Containers write there meanwhile: so no link is followed, and what is no
 * directory is none.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include "config.h"

/* The tree of one for a container, a detached mount: the caller's; -1 with errno. */
int dn_pod_memory_tree (const char *run_dir, const DnConfigMount *mount, const DnConfig *config);
