/* SPDX-License-Identifier: Apache-2.0 */
/* All volumes of this host.
 *
 * A volume is there when its directory has its name: it is made beside, with all that belongs to it
 * and synced, and renamed.  It is gone when the directory is renamed away.  What a crash leaves of
 * either is removed at the next start and by gc.
 *
 * Locks itself; the lock is a leaf below the daemon's, so `holders` may be looked at under that.
 */
#pragma once

#include "volume.h"

typedef struct DnVolumes
{
  GMutex lock;
  char *directory;   /* owned; STATE/volumes */
  GHashTable *by_id; /* owned; id → DnVolume, a reference */
} DnVolumes;

/* What all of them, or those of one user, may come to; 0: no limit. */
typedef struct
{
  guint64 largest_bytes;
  guint64 total_bytes;
  guint64 user_bytes;
  guint64 user_count;
  const char *file; /* where the limits stand, for errors */
} DnVolumeLimits;

/* Makes the directory if it is not there and reads it; one that cannot be read is left out with a
 * warning, and stays where it is.  DN_ERROR_FAILED */
DnVolumes *dn_volumes_open (const char *directory, GError **error);
void dn_volumes_free (DnVolumes *volumes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnVolumes, dn_volumes_free)

/**
 * dn_volumes_create:
 * @volume: filled but for its files; its name must be free in its scope
 * @limits: NULL: none, for root
 *
 * Returns: TRUE: it is on the disk; FALSE with DN_ERROR_CONFLICT, _LIMIT that names the setting, or
 *   _FAILED: nothing of it is left
 */
gboolean dn_volumes_create (DnVolumes *volumes, DnVolume *volume, const DnVolumeLimits *limits,
                            GError **error);

/* Removes it, if nobody has it.  DN_ERROR_CONFLICT, _FAILED */
gboolean dn_volumes_remove (DnVolumes *volumes, DnVolume *volume, GError **error);

/* (transfer full) or NULL */
DnVolume *dn_volumes_find_id (DnVolumes *volumes, const char *id);
DnVolume *dn_volumes_find_name (DnVolumes *volumes, const DnVolumeScope *scope, const char *name);

/* (transfer full) (element-type DnVolume): by name */
GPtrArray *dn_volumes_list (DnVolumes *volumes);

/* Writes volume.json again. */
gboolean dn_volumes_save (DnVolumes *volumes, DnVolume *volume, GError **error);

/* What a crash left half made or half removed, and ACL entries of guests that there are no more.
 * Adds a line to @removed for each. */
void dn_volumes_sweep (DnVolumes *volumes, GPtrArray *removed);

/* dn_volume_claim() and the like, under the lock. */
gboolean dn_volumes_claim (DnVolumes *volumes, DnVolume *volume, const DnVolumeClaim *claim,
                           GError **error);

/* Takes the container from the users.  Returns: whether a guest of @context still has the disk and
 * no container needs it. */
gboolean dn_volumes_unclaim (DnVolumes *volumes, DnVolume *volume, const char *context,
                             const char *container);
void dn_volumes_let_go (DnVolumes *volumes, DnVolume *volume, const char *context);

/* Whether a guest of @context has it mounted: an encrypted one needs no key then. */
gboolean dn_volumes_is_open (DnVolumes *volumes, DnVolume *volume, const char *context);

/* The guest of @context is gone, and with it what it had. */
void dn_volumes_guest_gone (DnVolumes *volumes, const char *context);
