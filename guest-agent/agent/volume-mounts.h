/* SPDX-License-Identifier: Apache-2.0 */
/* The volumes that a container has mounted: mounts of type "volume" of its config.
 *
 *     {"destination": "/data", "type": "volume", "source": "VOLUME",
 *      "options": ["rw", "noexec", "tmpcopyup"]}
 *
 * `source` is what VOLUME_OPEN called the volume; `tmpcopyup`: an empty one gets what the image has
 * there.  Always nosuid and nodev.  As with disks, the agent makes the tree and the child knows
 * where it goes.
 *
 * Privilege: CAP_SYS_ADMIN in the guest.
 */
#pragma once

#include "config.h"
#include "volume.h"

typedef struct
{
  DnVolume *volumes[DN_CONFIG_VOLUME_MOUNTS_MAX]; /* in the order of the config's mounts, or NULL */
  bool is_filling[DN_CONFIG_VOLUME_MOUNTS_MAX];   /* this container is the one that fills it */
} DnVolumeMounts;

/* Takes those that were not taken yet, and settles in @config which are to be filled.  0, or a
 * negative status with @fault; -ENOENT: another container is filling one, ask again. */
int dn_volume_mounts_take (DnVolumeMounts *mounts, DnAgent *agent, DnConfig *config,
                           DnFault *fault);

/* The tree of the @number'th for the child, a detached mount: the caller's; -1 with errno. */
int dn_volume_mounts_tree (const DnVolumeMounts *mounts, size_t number, const DnConfigMount *mount,
                           int user_namespace);

/* The child has filled what was to be filled: it takes its place.  0 or a status with @fault. */
int dn_volume_mounts_settle (DnVolumeMounts *mounts, DnFault *fault);

/* A container's root that is a foreign volume, for it alone: taken, as a detached mount with the
 * container's ids (the caller's; -1 with errno), and given back.  NULL is accepted. */
int dn_volume_root_take (DnAgent *agent, const char *id, DnVolume **ret_volume, DnFault *fault);
int dn_volume_root_tree (const DnVolume *volume, int user_namespace);
void dn_volume_root_release (DnVolume *volume);

/* Gives all back. */
void dn_volume_mounts_clear (DnVolumeMounts *mounts);
