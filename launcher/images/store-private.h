/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a store, for store*.c alone. */
#pragma once

#include "store.h"

struct DnStore
{
  GMutex lock;
  GHashTable *images;  /* id → DnImage */
  GHashTable *staging; /* paths under way */
  char *images_path;   /* owned */
  char *blobs_path;    /* owned */
  char *staging_path;  /* owned */
};

/* The image's source of this archive, or NULL; a NULL @reference stands for any. */
DnImageSource *dn_store_image_source (const DnImage *image, const char *archive,
                                      const char *reference);

/* Writes image.json into @directory. */
gboolean dn_store_write_image (const char *directory, DnImage *image, GError **error);
