/* SPDX-License-Identifier: Apache-2.0 */
/* An image of the store: what its unpack guest reported and where it came from.
 *
 * Immutable and counted: a change of names makes a new DnImage.  On disk it is
 * STORE/images/ID/image.json beside its disk's description; the directory comes into being whole,
 * by one rename.  All texts come from an archive that a stranger may have written: they were
 * checked when they came (image-fields.h), and decide nothing on the host.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../spec/spec.h"
#include "layer.h"

/* An archive from which the image was loaded. */
typedef struct
{
  char *archive;   /* owned; SHA-256, hexadecimal */
  char *reference; /* owned; which of its images was asked for, "" for the only one */
  char **names;    /* owned; what it calls the image, normalised */
} DnImageSource;

typedef struct
{
  gint ref_count;
  /* Owned, as all are: SHA-256 of the image's config, hexadecimal; also the config's name among the
   * store's blobs. */
  char *id;
  char **names; /* normalised references, sorted; never NULL */
  DnImageConfig config;
  char *architecture; /* may be NULL, as may all of these */
  char *os;
  char *created;
  char *author;
  char **exposed_ports; /* never NULL, as are all of these */
  char **volumes;
  char **labels;
  GPtrArray *layers; /* DnLayer, the lowest first: its root */
  char **history;
  char **history_steps; /* DN_IMAGE_HISTORY_STEP of each, or empty: it is not known */
  char **healthcheck;
  char **health_times;   /* "interval_ns=30000000000" */
  char *manifest_sha256; /* also among the blobs; of zeroes: a docker-archive has none */
  char *provenance;      /* a JSON object as text: dn_image_get_provenance() */
  gint64 rootfs_bytes;   /* of its disk: the files of all layers */
  gint64 unpacked_bytes; /* of all layers together, as are `files` */
  gint64 files;
  gint64 loaded_us;
  GPtrArray *sources; /* DnImageSource */
} DnImage;

DnImage *dn_image_new (void);
DnImage *dn_image_ref (DnImage *image);
void dn_image_unref (DnImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnImage, dn_image_unref)

DnImageSource *dn_image_source_new (const char *archive, const char *reference, char **names);
void dn_image_source_free (DnImageSource *source);

/* A copy with other names. (transfer full) */
DnImage *dn_image_copy (DnImage *image, char **names);

/* Takes the layers, and sets what adds up of them. */
void dn_image_set_layers (DnImage *image, GPtrArray *layers);

/* What the image's root was promised to be: the root hash of each layer, the lowest first.
 * (transfer full) */
char **dn_image_root_hashes (const DnImage *image);

/* Whether config and root are the same, whatever else is known of the two. */
gboolean dn_image_is_same (const DnImage *a, const DnImage *b);

/* What is known of where the image comes from and what was found out about it: an object of which
 * each member is somebody's own.  `from` "archive" or "registry", `registry`, `digest`, `time`,
 * `signature` (the decision about it), `scan` (the verdict).  dn_store_set_provenance() changes it.
 * (transfer full): the caller's own copy, empty where nothing is known */
JsonObject *dn_image_get_provenance (const DnImage *image);

/* What its archive wrote as the time of creation, or 0. */
gint64 dn_image_created_us (const DnImage *image);

/* For image.json; dn_image_from_json() reads it again.  (transfer full) */
JsonNode *dn_image_to_json (const DnImage *image);
DnImage *dn_image_from_json (JsonObject *object, const char *what, GError **error);

/* For image-list. (transfer full) */
JsonObject *dn_image_summary (const DnImage *image);

/* The serial number of the disk that carries the image's root in a guest: the id's beginning. */
void dn_image_disk_serial (const DnImage *image, char ret_serial[DN_DISK_SERIAL_BYTES + 1]);
