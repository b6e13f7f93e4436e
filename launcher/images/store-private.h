/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a store, for store*.c and verify-store.c alone. */
#pragma once

#include "store.h"

struct DnStore
{
  GMutex lock;
  GCond changed;       /* a claim on a layer went */
  GHashTable *images;  /* id → DnImage */
  GHashTable *layers;  /* key → DnLayer */
  GHashTable *staging; /* paths under way */
  GHashTable *holds;   /* set of DnStoreHold */
  char *images_path;   /* owned */
  char *blobs_path;    /* owned */
  char *layers_path;   /* owned */
  char *staging_path;  /* owned */
  char *fetch_path;    /* owned */
};

struct DnStoreHold
{
  DnStore *store;
  GHashTable *blobs;  /* set of digests */
  GHashTable *keys;   /* set of keys of layers, there or to come */
  GHashTable *claims; /* those of them that this import makes */
};

/* Writes image.json into @directory. */
gboolean dn_store_write_image (const char *directory, DnImage *image, GError **error);

/* Reads all layers; a damaged one is logged and left out. */
void dn_store_read_layers (DnStore *store);

/* Removes those of these layers and blobs that nobody needs any more, the layers first.  What was
 * removed is added to @removed (may be NULL) as texts. */
void dn_store_drop (DnStore *store, GHashTable *keys, GHashTable *blobs, GPtrArray *removed);

/* What an image is made of, added to two sets. */
void dn_store_add_parts (const DnImage *image, GHashTable *keys, GHashTable *blobs);
