/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking an archive in a disposable guest (R5.2).
 *
 * The guest has three disks and nothing else: the archive, read-only; scratch space; and an output
 * disk, at whose start it leaves an EROFS image.  It has no network, and limits on memory,
 * processors, bytes, files and time.  Whatever becomes of it, it is destroyed at the end.
 */
#pragma once

#include "../daemon/request.h"
#include "../daemon/settings.h"
#include "image.h"

typedef struct
{
  const char *archive_path; /* borrowed, as are all of these */
  guint64 archive_bytes;
  const char *staging;   /* directory; scratch and output are made in it */
  const char *reference; /* "" for the only image of the archive */
  gboolean allow_emulation;
} DnUnpackPlan;

/**
 * dn_unpack_run:
 *
 * On success STAGING/rootfs.erofs is the image's root: as long as the guest said, of the digest it
 * said, 0444, the caller's, synced.
 *
 * Returns: (transfer full): the image, without `sources`; NULL with an error that says what in the
 *   archive is wrong, or which limit it is over
 */
DnImage *dn_unpack_run (DnRequest *request, const DnSettings *settings, const DnUnpackPlan *plan,
                        GError **error);
