/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts a container's root filesystem where containerd asks for it: BUNDLE/rootfs.
 *
 * In containerd's own mount namespace, which is the shim's: danchid takes it from there into the
 * guest's share, and containerd's own cleaning finds it.  The mounts are containerd's, who is root
 * and names them; nothing of an image is read here.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const char *type;
  const char *source;
  const char *target; /* below the root; "" */
  const char *const *options;
  gsize option_count;
} DnRootMount;

/**
 * dn_root_mount_make:
 * @mounts: in their order
 * @root: an absolute path; made where it is not there
 *
 * What was mounted is undone on failure.  Changes the working directory of its thread, which has it
 * for itself from then on: a worker's.
 *
 * Needs: CAP_SYS_ADMIN.  Source: mount(2); the options' text is at most a page.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_FAILED
 */
gboolean dn_root_mount_make (const DnRootMount *mounts, gsize count, const char *root,
                             GError **error);

/* All that is mounted there, at once for everybody who looks; open files live on. */
void dn_root_mount_undo (const char *root);
