/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive says an image is made of: its config and its layers, lowest first.
 *
 * Two formats end up in the same struct: docker-archive (manifest.json) and OCI image layout
 * (oci-layout, index.json, with nested indexes).  An archive that is both is read as the first,
 * as docker does.  Documents are checked against the digests that name them; layers are not looked
 * at here, only found: in an OCI archive they may be missing (a thin archive, whose layers are
 * elsewhere), in a docker-archive they may not.
 *
 * Source: OCI image-spec 1.1: image-layout.md, image-index.md, manifest.md, descriptor.md;
 * docker image spec v1.2, "Combined Image JSON + Filesystem Changeset Format".
 */
#pragma once

#include <jansson.h>

#include "archive.h"

#define DN_MANIFEST_LAYERS_MAX DN_DISK_LAYERS_MAX
#define DN_MANIFEST_NAMES_MAX 64
#define DN_MANIFEST_INDEX_DEPTH 4
#define DN_MANIFEST_INDEX_ENTRIES 4096

typedef struct
{
  bool is_elsewhere; /* it is not in the archive: then only the blob's size means anything */
  DnBlob blob;
  bool has_digest; /* of the blob, by a descriptor */
  DnDigest digest;
  DnDigest diff_id; /* of the tar stream, by the config */
} DnLayer;

typedef struct
{
  json_t *config; /* owned; the config document, an object */
  DnBlob config_blob;
  DnDigest config_digest;
  bool has_manifest; /* OCI's; that of a docker-archive is about the archive, not the image */
  DnBlob manifest_blob;
  DnDigest manifest_digest;
  DnLayer *layers; /* owned */
  size_t layers_count;
  char *names[DN_MANIFEST_NAMES_MAX]; /* owned; full names only */
  size_t names_count;
} DnManifest;

/**
 * dn_manifest_read:
 * @reference: which image; "" where there is only one
 *
 * An image for another platform than linux/amd64 is a failure (-ENOEXEC), and so is an archive of
 * several images without a @reference.
 */
bool dn_manifest_read (const DnArchive *archive, const char *reference, DnManifest *ret_manifest,
                       DnFailure *failure);
void dn_manifest_clear (DnManifest *manifest);

/* For the two formats' readers. */
bool dn_manifest_read_docker (const DnArchive *archive, const char *reference, DnManifest *manifest,
                              DnFailure *failure);
bool dn_manifest_read_oci (const DnArchive *archive, const char *reference, DnManifest *manifest,
                           DnFailure *failure);
/* Adds a name once; one that is no full name (no ':' and no '/') is left out. */
bool dn_manifest_add_name (DnManifest *manifest, const char *name, DnFailure *failure);
bool dn_manifest_set_layers (DnManifest *manifest, size_t count, DnFailure *failure);
