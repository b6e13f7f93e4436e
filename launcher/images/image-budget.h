/* SPDX-License-Identifier: Apache-2.0 */
/* What one image may cost the store's disk, whatever its guests say.
 *
 * A guest that a hostile archive took over can name 128 layers, each as large as the whole archive
 * and all of them different by a byte; and it can leave 128 images as large as its output disk.
 * Each alone is within its limits.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 offset; /* in the plain archive, or DN_UNPACK_ELSEWHERE */
  guint64 bytes;
  char *sha256;  /* owned; NULL: the archive does not say */
  char *diff_id; /* owned */
} DnReadingEntry;

/* The first of @entries with the same bytes as number @index, which may be that itself: an image
 * may have one layer several times. */
guint dn_image_budget_find_same (const GPtrArray *entries, guint index);

/* Whether the ranges of different layers, all within a file of @file_bytes, are no more than that
 * file together.  DN_ERROR_GUEST. */
gboolean dn_image_budget_check_ranges (const GPtrArray *entries, guint64 file_bytes,
                                       GError **error);

/* Takes @bytes of an image's new layers from @left; DN_ERROR_LIMIT, with @left as it was, when they
 * are more. */
gboolean dn_image_budget_take (guint64 *left, guint64 bytes, GError **error);
