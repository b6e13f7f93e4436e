/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of an image in the scratch directory, one over the other, as the kernel's overlayfs
 * shows them while the next one is unpacked.
 *
 *   base/1 ...    layers of the store, the lowest first: directories of the agent's, read-only
 *   layer/1 ...   what was unpacked in this guest over them, one directory for each
 *   work/N        overlayfs's own, root: where the stack is mounted while layer/N is filled
 *
 * The lowest layer of all needs no overlayfs: its directory is the root itself.
 *
 * Privilege: CAP_SYS_ADMIN where there is more than one layer.
 * Source: the kernel's Documentation/filesystems/overlayfs.rst; mount(2).
 */
#pragma once

#include "failure.h"

/* Bases, and layers unpacked over them. */
#define DN_OVERLAY_LAYERS_MAX DN_DISK_LAYERS_MAX

typedef struct
{
  int scratch;                       /* borrowed */
  int lowers[DN_OVERLAY_LAYERS_MAX]; /* owned; the topmost first */
  size_t lowers_count;
  size_t bases;
  size_t number; /* of the layer that is unpacked now, from 1 */
  int upper;     /* owned, or -1; the layer's directory */
  bool is_mounted;
} DnOverlay;

/**
 * dn_overlay_begin:
 * @scratch: the scratch directory; stays the caller's
 * @bases: directories with the layers of the store, the lowest first; attached the first time, and
 *   the same every time
 * @ret_root: (out): a descriptor of the root to unpack into, the caller's, to be closed before
 *   dn_overlay_unmount()
 *
 * Makes the next layer's directory and shows it over those that are there.
 */
bool dn_overlay_begin (DnOverlay *overlay, int scratch, const char *const *bases, size_t count,
                       int *ret_root, DnFailure *failure);

/* Takes the stack away again, so that the layer's directory is a plain one. */
bool dn_overlay_unmount (DnOverlay *overlay, DnFailure *failure);

/* Closes what is open.  The mounts live as long as the guest. */
void dn_overlay_end (DnOverlay *overlay);
