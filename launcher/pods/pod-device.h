/* SPDX-License-Identifier: Apache-2.0 */
/* The root of a pod's container that is a block device of the host's: a snapshot of containerd's
 * devmapper, or a file behind a loop device.
 *
 *     enter    the device becomes a disk of the guest (../guest/guest-disks.c), which mounts it
 *     leave    the guest writes what is to be written and unmounts it; the disk is taken away
 *
 * The host's kernel never reads the file system, in which the container's programs wrote what they
 * liked.  danchid knows the device by its number alone: it opens none.
 *
 * What leave() promises, it keeps: when it returns the guest has the device no more, since its
 * maker may give it to others then, as the layer of an image say.  A guest that does not let go of
 * it within the time-outs is ended, and with it the pod: it is broken, or hostile, and the one that
 * is harmed is itself.
 *
 * Privilege: CAP_FOWNER, for the ACL of the device's node.
 */
#pragma once

#include "../daemon/container.h"

/* The disk's serial number, and the name of the guest's volume.  Returns: @ret_serial, or NULL
 * where the container's root is no device */
const char *dn_pod_device_serial (const DnContainer *container,
                                  char ret_serial[DN_DISK_SERIAL_BYTES + 1]);

/* Whether its path is that of a block device, and a plain one; TRUE also where it has none.
 * DN_ERROR_USAGE */
gboolean dn_pod_device_check (const DnPodMember *member, GError **error);

/* Both with the container's op_lock held.  What is attached already stays so; nothing there is no
 * error for leave, also where it was never entered. */
gboolean dn_pod_device_enter (DnContainer *container, DnGuest *guest, GError **error);
void dn_pod_device_leave (DnContainer *container);

/* Likewise of all containers of a pod that goes: those that run are ended.  A guest that does not
 * answer is not waited for again. */
void dn_pod_devices_leave (DnContext *context);
