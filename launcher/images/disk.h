/* SPDX-License-Identifier: Apache-2.0 */
/* Disks made of layers: what a guest is given, and how it is told what is on it.
 *
 * A stack of layers is one disk, so that no guest meets a new kind of device and the number of
 * layers needs no ports.  Of one layer it is the layer's file.  Of several it is a description that
 * QEMU reads (VMDK with flat extents), which names their files one
 * behind the other; the host's memory then holds each layer once for all guests and all images.
 *
 * Only this file writes such descriptions, of keys that are 64 hexadecimal digits; no byte of an
 * archive's or a guest's is in one.  What the extents hold is not looked at by QEMU.
 *
 * Source: QEMU's block/vmdk.c.  There must be no empty line before the extents: its parser would
 * take the first one twice.
 */
#pragma once

#include "../guest/guest.h"
#include "layer.h"

/**
 * dn_disk_write:
 * @path: is made, 0444, synced; in a directory two below the store's, as are images and staging
 * @layers: DnLayer, the lowest first; the first @count of them, at least two
 */
gboolean dn_disk_write (const char *path, const GPtrArray *layers, guint count, GError **error);

/* Whether @path is, byte for byte, what dn_disk_write() would write. */
gboolean dn_disk_is_as_written (const char *path, const GPtrArray *layers, guint count);

/* DISK_LAYERs for the first @count of @layers. (transfer full) (element-type DnMsgDiskLayer) */
GArray *dn_disk_layers (const GPtrArray *layers, guint count);
