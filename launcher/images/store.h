/* SPDX-License-Identifier: Apache-2.0 */
/* The store: what images are made of, and the images.
 *
 *   STATE/store/blobs/sha256/HEX     manifests, configs and layers as they were distributed, named
 * by their content; 0444 STATE/store/layers/KEY/          layer.erofs and layer.json (layer.h,
 * layer-file.h); 0444: every guest's QEMU reads the former STATE/store/images/ID/ image.json, and
 * disk.vmdk (disk.h) where it has several layers STATE/store/staging/ID/          what is under
 * way; swept at a start and by gc STATE/store/fetch/               blobs of pulls under way, kept
 * for going on
 *
 * Each comes into being by one rename(2) from staging, or for the last by its puller, and goes by
 * one into staging (blobs by one unlink(2)).  A layer lives as long as an image has it, a blob as
 * long as an image or a layer has it; who has what is read from the images, at a start and whenever
 * it matters, and is written nowhere else.  What an import under way needs is kept by its hold.
 * Nothing here reads an archive or a file system: the store moves bytes.
 *
 * A SIGKILL at any moment leaves a sound store: images that are there have all their layers and
 * blobs, since these are on the disk before; what is too much goes with the next sweep.
 *
 * Safe from any thread; the lock is a leaf and is never held while bytes are moved.
 * Privilege: root.  Directories on the way are 0711: found by whoever knows a digest, listed by
 * root alone.
 */
#pragma once

#include "../guest/guest.h"
#include "image-view.h"

/* Name inside a staging directory. */
#define DN_STORE_ARCHIVE "archive"

typedef struct DnStore DnStore;

/* Opens STATE/store, makes what is missing, reads all layers and images.  An image whose image.json
 * is damaged, or which lacks a layer, is logged and left out. */
DnStore *dn_store_open (GError **error);
void dn_store_free (DnStore *store);

/* @text: an id, the beginning of one, or a name; @view: what it may mean; DN_ERROR_NOT_FOUND,
 * _CONFLICT when ambiguous.  (transfer full) */
DnImage *dn_store_find (DnStore *store, const char *text, const DnImageView *view, GError **error);

/* By its whole id, or NULL. (transfer full) */
DnImage *dn_store_find_id (DnStore *store, const char *id);

/* (transfer full): the image that came from this archive, or NULL. */
DnImage *dn_store_find_source (DnStore *store, const char *archive, const char *reference);

/* The image's source of this archive, or NULL; a NULL @reference stands for any. (transfer none) */
DnImageSource *dn_store_image_source (const DnImage *image, const char *archive,
                                      const char *reference);

/* In order of loading, newest first.  (transfer full) (element-type DnImage) */
GPtrArray *dn_store_list (DnStore *store);

/* The disk that carries the image's root in a guest. (transfer full) */
DnGuestDisk *dn_store_make_disk (DnStore *store, const DnImage *image);

/* Blobs: manifests, configs and layers as they were distributed. */

/* Where the blob is, or would be. (transfer full) */
char *dn_store_blob_path (DnStore *store, const char *sha256);
gboolean dn_store_has_blob (DnStore *store, const char *sha256);
/* For reading; -1 with DN_ERROR_NOT_FOUND, _FAILED. */
int dn_store_open_blob (DnStore *store, const char *sha256, guint64 *ret_bytes, GError **error);

/* Layers: one for all images that have it. */

/* Where the file with the layer's EROFS image and hash tree is, or would be. (transfer full) */
char *dn_store_layer_path (DnStore *store, const char *key);
/* (transfer full): or NULL where the store has none of this key. */
DnLayer *dn_store_find_layer (DnStore *store, const char *key);

/* Blobs of pulls under way: kept for going on, and no business of a sweep's. (transfer full) */
char *dn_store_fetch_path (DnStore *store);

/* A fresh directory in staging, 0711; ends, with all that is in it, by dn_store_end_staging(),
 * which takes @path. */
char *dn_store_begin_staging (DnStore *store, GError **error);
void dn_store_end_staging (DnStore *store, char *path);

/* What an import under way needs: kept from going until the hold is freed. */
typedef struct DnStoreHold DnStoreHold;

DnStoreHold *dn_store_hold_new (DnStore *store);
/* Lets go: claims, and all that no image needs now. */
void dn_store_hold_free (DnStoreHold *hold);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnStoreHold, dn_store_hold_free)

/* Keeps a blob that the store has; FALSE: it has none. */
gboolean dn_store_hold_blob (DnStoreHold *hold, const char *sha256);

/* Makes @path, a synced file of staging with this digest, a blob, and keeps it.  The store's own
 * stays where it has one already. */
gboolean dn_store_keep_blob (DnStoreHold *hold, const char *path, const char *sha256,
                             GError **error);

/**
 * dn_store_claim_layers:
 * @layers: DnLayer with their keys, the lowest first; the first @ret_have, which the store has, are
 *   replaced by the store's own
 *
 * Keeps those, and takes it upon this import to make the others: nobody else makes them meanwhile.
 *
 * Returns: FALSE when another import is at one of them, after a moment of waiting for it: then
 *   nothing is claimed
 */
gboolean dn_store_claim_layers (DnStoreHold *hold, GPtrArray *layers, guint *ret_have);

/**
 * dn_store_keep_layer:
 * @directory: of dn_layer_file_make()
 *
 * Makes it a layer of the store; its claim is done.
 *
 * Returns: (transfer full): the layer, or NULL with @error
 */
DnLayer *dn_store_keep_layer (DnStoreHold *hold, DnLayer *layer, const char *directory,
                              GError **error);

/**
 * dn_store_add:
 * @hold: keeps all that @image is made of
 * @staging: of dn_store_begin_staging()
 *
 * Makes @image exist.  An image with the same id stays as it is when config and root are the same.
 * When they differ, nothing is done: what an image's config says and where its layers are is an
 * unpack guest's word, and a guest that a hostile archive took over must not replace what is there.
 * DN_ERROR_CONFLICT, _FAILED.
 */
gboolean dn_store_add (DnStoreHold *hold, DnImage *image, const char *staging, GError **error);

/**
 * dn_store_name:
 * @names: normalised references; taken away from images that had them
 * @source: (nullable) (transfer full): added to the image's sources when new
 *
 * Returns: (transfer full): the image as it is now, or NULL with @error
 */
DnImage *dn_store_name (DnStore *store, const char *id, char **names, DnImageSource *source,
                        GError **error);

/* Sets members of the image's provenance; those that are null go, others stay as they are.
 * @members: borrowed.  (transfer full): the image as it is now, or NULL with @error */
DnImage *dn_store_set_provenance (DnStore *store, const char *id, JsonObject *members,
                                  GError **error);

/* Takes one name away; the image stays, also without any. */
gboolean dn_store_unname (DnStore *store, const char *id, const char *name, GError **error);

/**
 * dn_store_withdraw:
 * @staging: of dn_store_begin_staging()
 *
 * From here on the image does not exist; its files wait in @staging for dn_store_discard().  Quick,
 * so that the caller can hold the lock under which it has seen that no container uses the image.
 *
 * Returns: (transfer full): the image, or NULL with @error
 */
DnImage *dn_store_withdraw (DnStore *store, const char *id, const char *staging, GError **error);

/* Removes a withdrawn image's files, and the layers and blobs that no other image has; takes
 * @staging. What was removed is added to @removed as texts. */
void dn_store_discard (DnStore *store, DnImage *image, char *staging, GPtrArray *removed);

/* Removes what crashes left: staging of nobody, layers and blobs without an image. */
void dn_store_sweep (DnStore *store, GPtrArray *removed);
