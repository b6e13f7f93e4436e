/* SPDX-License-Identifier: Apache-2.0 */
/* The history of an image: which step of it made which layer.
 *
 * An image's config lists its steps, oldest first; those that changed nothing of the files say so
 * (empty_layer), the others made one layer each.  Where the two lists do not come out even, or a
 * config says nothing of it, no step is given a layer: a wrong size is worse than none.
 *
 * All of it is an archive's word, shown and never decided by.  Pure.
 * Source: the OCI image-spec, config.md, "history".
 */
#pragma once

#include <glib.h>

#define DN_HISTORY_NO_LAYER (-1)
#define DN_HISTORY_UNKNOWN (-2)

typedef struct
{
  const char *created;    /* as it is written, "" where it is not; borrowed, as is created_by */
  const char *created_by; /* "" where it is not said */
  gint layer;             /* its number, from 0, DN_HISTORY_NO_LAYER or _UNKNOWN */
} DnHistoryStep;

/**
 * dn_history_match:
 * @created_by: one text for each step
 * @steps: DN_IMAGE_HISTORY_STEP for each (protocol.h), or empty
 * @layers: how many the image has
 *
 * Returns: (transfer full) (element-type DnHistoryStep): oldest first
 */
GArray *dn_history_match (char **created_by, char **steps, guint layers);
