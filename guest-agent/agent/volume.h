/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that are open in this guest, and what containers see of them.
 *
 *     VOLUME_OPEN ──▶ opening ──▶ open ◀── containers that have it mounted
 *                        └─ failed   └── VOLUME_CLOSE ──▶ closing ──▶ gone
 *
 * Opening and closing go on in a process of their own, since disks block; at a time one for each
 * volume.  Every container of the guest that names a volume gets a clone of the same mount,
 * idmapped through its user namespace: ids on the disk are ids in the container, whichever range it
 * has this time, so what one run wrote belongs to the same user in the next.
 *
 * The first content: a container whose image has something where an empty volume is to be mounted
 * copies it (fill.h) into a directory beside, which takes the volume's place at once when all of it
 * is there; another container that comes meanwhile waits.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.  Source: mount_setattr(2).
 */
#pragma once

#include "agent.h"
#include "volume-disk.h"

#define DN_VOLUMES_MAX 16
typedef enum
{
  DN_VOLUME_FREE,
  DN_VOLUME_OPENING,
  DN_VOLUME_IS_OPEN,
  DN_VOLUME_CLOSING,
} DnVolumeStage;

typedef struct
{
  DnAgent *agent;
  DnVolumeStage stage;
  char id[DN_DISK_SERIAL_BYTES + 1];
  char disk[DN_DISK_SERIAL_BYTES + 1];
  char name[DN_VOLUME_NAME_BYTES + 1];
  bool is_readonly;
  bool is_encrypted;
  bool is_foreign;
  uint32_t number;                 /* of this opening */
  char target[DN_DISK_PATH_BYTES]; /* where it is mounted */
  int mount_fd;                    /* O_PATH; -1: not open */
  unsigned references;             /* mounts of containers */
  bool is_being_filled;            /* by one container */
  DnRequest request;               /* that waits for the worker */
  DnWatch worker;                  /* its pidfd, or -1 */
  int report_fd;                   /* the end of its pipe, or -1 */
} DnVolume;

struct DnVolumes
{
  DnVolume volumes[DN_VOLUMES_MAX];
  uint32_t last_number;
};

/* None; NULL without memory. */
DnVolumes *dn_volumes_new (void);

/* Each ends @request by a REPLY, later. */
void dn_volume_open (DnAgent *agent, DnRequest request, const DnMsgVolumeOpen *message);
void dn_volume_close (DnAgent *agent, DnRequest request, const DnMsgVolumeClose *message);

/* The open one, or NULL. */
DnVolume *dn_volume_find (DnAgent *agent, const char *id);

/* Writes what is not on the disks yet: the guest ends. */
void dn_volumes_sync (DnAgent *agent);
