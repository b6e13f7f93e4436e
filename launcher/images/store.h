/* SPDX-License-Identifier: Apache-2.0 */
/* The store: archives as bytes, and the images that were made of them.
 *
 *   STATE/store/blobs/sha256/HEX     archives, as they came, named by their content; 0444
 *   STATE/store/images/ID/           image.json and rootfs.erofs (0444: every guest's QEMU reads
 * it) STATE/store/staging/ID/          what is under way; swept at a start and by gc
 *
 * An image exists when its directory does: that comes by one rename(2) from staging and goes by one
 * into staging.  Nothing here reads an archive or a file system: the store moves bytes.
 *
 * Safe from any thread; the lock is a leaf and is never held while bytes are moved.
 * Privilege: root.  Directories on the way are 0711: found by whoever knows a digest, listed by
 * root alone.
 */
#pragma once

#include "image-view.h"

/* Names inside a staging directory. */
#define DN_STORE_ARCHIVE "archive"
#define DN_STORE_ROOTFS "rootfs.erofs"

typedef struct DnStore DnStore;

/* Opens STATE/store, makes what is missing, reads all images.  A damaged image.json is logged and
 * its image left out. */
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

/* The path of an image's root. (transfer full) */
char *dn_store_rootfs_path (DnStore *store, const char *id);

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

/**
 * dn_store_add:
 * @staging: of dn_store_begin_staging(); has the root in the file "rootfs.erofs", checked and
 * synced
 *
 * Makes @image exist.  An image with the same id stays as it is when its root is the same.  When it
 * differs, nothing is done: an id is what an unpack guest says it is, and a guest that a hostile
 * archive took over must not replace what is there.  DN_ERROR_CONFLICT, _FAILED.
 */
gboolean dn_store_add (DnStore *store, DnImage *image, const char *staging, const char *archive,
                       GError **error);

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

/* Removes a withdrawn image's files, and archives that no other image came from; takes @staging.
 * What was removed is added to @removed as texts. */
void dn_store_discard (DnStore *store, DnImage *image, char *staging, GPtrArray *removed);

/* Removes what crashes left: staging of nobody, archives without an image. */
void dn_store_sweep (DnStore *store, GPtrArray *removed);
