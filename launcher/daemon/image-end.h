/* SPDX-License-Identifier: Apache-2.0 */
/* The end of images: removed one by one, or all that nothing needs.
 *
 * An image with a container, in whatever state, does not go without it, and one whose container
 * runs does not go at all.  Looking and removing are one step under the daemon's lock, under which
 * containers come into being too.
 */
#pragma once

#include "../images/image.h"
#include "daemon.h"

/* Removes @image, with @force also containers of it that do not run.  What went is added to
 * @removed as texts.  DN_ERROR_CONFLICT where a container needs it. */
gboolean dn_image_end (DnDaemon *daemon, const DnImage *image, gboolean force, GPtrArray *removed,
                       GError **error);

typedef struct
{
  gboolean wants_all;  /* also images with names */
  gint64 until_us;     /* only what was loaded before; 0: of any age */
  gboolean is_dry_run; /* only find out */
} DnPruneWishes;

typedef struct
{
  GPtrArray *images;       /* DnImage: what went, or would go */
  guint64 reclaimed_bytes; /* of layers and blobs that no other image has */
} DnPruned;

/* Removes images that no container has, nor danchi.conf, [scan] image.  One that a container takes
 * in this moment stays, in silence.  @ret_pruned: dn_pruned_clear() it. */
gboolean dn_image_end_unused (DnDaemon *daemon, const DnPruneWishes *wishes, DnPruned *ret_pruned,
                              GError **error);
void dn_pruned_clear (DnPruned *pruned);
