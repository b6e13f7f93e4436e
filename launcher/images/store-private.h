/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a store, for store*.c and verify-store.c alone. */
#pragma once

#include "store.h"

struct DnStore
{
  GMutex lock;
  GHashTable *images;  /* id → DnImage */
  GHashTable *layers;  /* key → DnLayer */
  GHashTable *staging; /* paths under way */
  char *images_path;   /* owned */
  char *blobs_path;    /* owned */
  char *layers_path;   /* owned */
  char *staging_path;  /* owned */
  char *fetch_path;    /* owned */
};

/* Writes image.json into @directory. */
gboolean dn_store_write_image (const char *directory, DnImage *image, GError **error);
