/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive says of the image in it, found out by a throw-away guest (R5.2).
 *
 * The reading guest has two disks and nothing else: the archive, read-only, and an output disk, on
 * which it leaves the archive's plain form where that was compressed.  It has no network, and
 * limits on memory, processors, bytes and time.  What it says is a stranger's word: fields are
 * checked (image-fields.h), ranges lie within the file, and digests are compared with those that
 * danchid computes.
 */
#pragma once

#include "image-budget.h"
#include "image.h"
#include "work.h"

typedef struct
{
  DnImage *image;     /* owned; the fields, without id, layers and all that the host knows */
  GPtrArray *entries; /* owned; DnReadingEntry, the lowest layer first: at least one */
  DnReadingEntry config;
  DnReadingEntry manifest; /* without a digest: a docker-archive has none */
  char *plain_path;        /* owned; the file that all offsets are in */
} DnReading;

typedef struct
{
  const char *archive_path; /* borrowed, as are all of these */
  guint64 archive_bytes;
  const char *staging;   /* directory; the output disk is made in it, and may stay as plain_path */
  const char *reference; /* "" for the only image of the archive */
  gboolean allow_emulation;
} DnReadingPlan;

/* Returns: (transfer full): or NULL with an error that says what in the archive is wrong, or which
 * limit it is over */
DnReading *dn_reading_run (DnImageWork *work, const DnReadingPlan *plan, GError **error);
void dn_reading_free (DnReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnReading, dn_reading_free)
