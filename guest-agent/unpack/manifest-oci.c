/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "manifest.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

#define ANNOTATION_NAME "io.containerd.image.name"
#define ANNOTATION_REF "org.opencontainers.image.ref.name"
#define ANNOTATION_KIND "vnd.docker.reference.type" /* an attestation beside an image */

/* The image manifest that was chosen among those of all indexes. */
typedef struct
{
  const DnArchive *archive;
  const char *reference;
  DnManifest *manifest;
  DnFailure *failure;
  size_t images;      /* how many could have been meant */
  size_t other;       /* images for other platforms */
  unsigned documents; /* indexes read so far: they may name each other */
  json_t *document;   /* owned; the chosen manifest */
} Search;

typedef struct
{
  const char *media_type;
  DnBlob blob;
  DnDigest digest;
} Descriptor;

/* Reads a descriptor; where its blob is, is not looked for: the blob has the promised size alone.
 */
static bool
parse_descriptor (const json_t *object, const char *what, Descriptor *ret_descriptor,
                  DnFailure *failure)
{
  Descriptor descriptor = { .media_type = "" };
  const char *digest = NULL;
  int64_t size = -1;

  if (!json_is_object (object))
    return dn_fail (failure, -EINVAL, "%s: no descriptor", what);
  if (!dn_document_text (object, "mediaType", &descriptor.media_type, failure)
      || !dn_document_text (object, "digest", &digest, failure)
      || !dn_document_number (object, "size", &size, failure))
    return dn_fail_prefix (failure, "%s", what);
  if (digest == NULL || size < 0)
    return dn_fail (failure, -EINVAL, "%s: its descriptor lacks digest or size", what);
  if (!dn_digest_read (digest, what, &descriptor.digest, failure))
    return false;
  descriptor.blob.size = (uint64_t) size;
  *ret_descriptor = descriptor;
  return true;
}

/* Finds a descriptor's blob, whose size must be the one promised. */
static bool
find_blob (const DnArchive *archive, const char *what, Descriptor *descriptor, DnFailure *failure)
{
  char name[sizeof "blobs/sha256/" + 2 * DN_DIGEST_BYTES];
  char digest[DN_DIGEST_TEXT_BYTES + 1];
  DnBlob blob;

  dn_digest_write (&descriptor->digest, digest);
  (void) snprintf (name, sizeof name, "blobs/sha256/%s", digest + 7);
  if (!dn_archive_find (archive, name, &blob, failure))
    return dn_fail_prefix (failure, "%s", what);
  if (blob.size != descriptor->blob.size)
    return dn_fail (failure, -EBADMSG, "%s: has the wrong size: %llu bytes, not %llu", what,
                    (unsigned long long) blob.size, (unsigned long long) descriptor->blob.size);
  descriptor->blob = blob;
  return true;
}

static bool
read_descriptor (const DnArchive *archive, const json_t *object, const char *what,
                 Descriptor *ret_descriptor, DnFailure *failure)
{
  return parse_descriptor (object, what, ret_descriptor, failure)
         && find_blob (archive, what, ret_descriptor, failure);
}

/* Reads the document that a descriptor names.  (transfer full) */
static bool
read_document (const DnArchive *archive, const Descriptor *descriptor, const char *what,
               json_t **ret_document, DnFailure *failure)
{
  DnDigest digest;
  char *text;
  bool is_good;

  if (!dn_archive_read (archive, &descriptor->blob, what, &text, &digest, failure))
    return false;
  if (!dn_digest_is_equal (&digest, &descriptor->digest))
    is_good = dn_fail (failure, -EBADMSG, "%s: has the wrong digest", what);
  else
    is_good = dn_document_parse (text, (size_t) descriptor->blob.size, what, ret_document, failure);
  free (text);
  return is_good;
}

/* Whether an index's entry can be run here; one without a platform is taken at its word. */
static bool
is_for_us (const json_t *entry)
{
  const json_t *platform = json_object_get (entry, "platform");
  const char *os = json_string_value (json_object_get (platform, "os"));
  const char *architecture = json_string_value (json_object_get (platform, "architecture"));

  return (os == NULL || strcmp (os, "linux") == 0)
         && (architecture == NULL || strcmp (architecture, "amd64") == 0);
}

/* "v3" and the like: for newer processors only.  Whoever fetched one image of an index took the one
 * without. */
static bool
has_variant (const json_t *entry)
{
  const json_t *platform = json_object_get (entry, "platform");
  const char *variant = json_string_value (json_object_get (platform, "variant"));

  return variant != NULL && *variant != '\0';
}

static bool
is_named (const json_t *annotations, const char *reference)
{
  const char *name = json_string_value (json_object_get (annotations, ANNOTATION_NAME));
  const char *ref = json_string_value (json_object_get (annotations, ANNOTATION_REF));

  return (name != NULL && strcmp (name, reference) == 0)
         || (ref != NULL && strcmp (ref, reference) == 0);
}

static bool
add_names (Search *search, const json_t *annotations)
{
  const char *name = NULL;

  if (!dn_document_text (annotations, ANNOTATION_NAME, &name, search->failure)
      || (name != NULL && !dn_manifest_add_name (search->manifest, name, search->failure)))
    return false;
  if (name != NULL)
    return true;
  return dn_document_text (annotations, ANNOTATION_REF, &name, search->failure)
         && (name == NULL || dn_manifest_add_name (search->manifest, name, search->failure));
}

static bool search_index (Search *search, const json_t *index, bool is_named_above, int depth);

/* An index's entry: another index, or an image's manifest. */
static bool
search_entry (Search *search, const json_t *entry, bool is_named_above, int depth)
{
  json_t *annotations = NULL;
  json_t *document = NULL;
  Descriptor descriptor;
  bool is_index;
  bool is_meant;
  bool is_good = true;

  if (!dn_document_object (entry, "annotations", &annotations, search->failure))
    return false;
  if (json_object_get (annotations, ANNOTATION_KIND) != NULL)
    return true;
  is_meant
      = is_named_above || *search->reference == '\0' || is_named (annotations, search->reference);
  if (!read_descriptor (search->archive, entry, "an entry of the index", &descriptor,
                        search->failure))
    {
      /* Archives may hold one platform of many: the others' blobs are not there. */
      if (is_for_us (entry) && !has_variant (entry))
        return false;
      search->other++;
      return true;
    }
  is_index = strcmp (descriptor.media_type, MEDIA_INDEX) == 0
             || strcmp (descriptor.media_type, MEDIA_DOCKER_INDEX) == 0;
  if (!is_index && strcmp (descriptor.media_type, MEDIA_MANIFEST) != 0
      && strcmp (descriptor.media_type, MEDIA_DOCKER_MANIFEST) != 0)
    return true; /* not an image: the specification has readers pass over what they do not know */
  if (!is_index && !is_for_us (entry))
    {
      search->other++;
      return true;
    }
  if (is_index && ++search->documents > DN_MANIFEST_INDEX_ENTRIES)
    return dn_fail (search->failure, -EFBIG, "more than %d indexes", DN_MANIFEST_INDEX_ENTRIES);
  /* One image under several names is one image. */
  if (!is_index && is_meant && search->document != NULL
      && dn_digest_is_equal (&descriptor.digest, &search->manifest->manifest_digest))
    return json_object_size (annotations) == 0 || add_names (search, annotations);
  if (!is_index && (!is_meant || search->images++ > 0))
    return true;

  if (!read_document (search->archive, &descriptor, is_index ? "an index" : "the image's manifest",
                      &document, search->failure))
    return false;
  if (is_meant && json_object_size (annotations) > 0)
    is_good = add_names (search, annotations);
  if (is_index)
    {
      is_good
          = is_good
            && search_index (search, document,
                             is_named_above || (*search->reference != '\0' && is_meant), depth + 1);
      json_decref (document);
      return is_good;
    }
  search->document = document;
  search->manifest->has_manifest = true;
  search->manifest->manifest_blob = descriptor.blob;
  search->manifest->manifest_digest = descriptor.digest;
  return is_good;
}

static bool
search_index (Search *search, const json_t *index, bool is_named_above, int depth)
{
  json_t *entries = NULL;

  if (depth > DN_MANIFEST_INDEX_DEPTH)
    return dn_fail (search->failure, -EINVAL, "indexes are nested deeper than %d",
                    DN_MANIFEST_INDEX_DEPTH);
  if (!json_is_object (index))
    return dn_fail (search->failure, -EINVAL, "an index is not an object");
  if (!dn_document_array (index, "manifests", DN_MANIFEST_INDEX_ENTRIES, &entries, search->failure))
    return false;
  for (size_t i = 0; i < json_array_size (entries); i++)
    {
      json_t *entry;

      if (!dn_document_object_at (entries, i, "manifests", &entry, search->failure)
          || !search_entry (search, entry, is_named_above, depth))
        return false;
    }
  return true;
}

/* What a layer is compressed with shows in its first bytes; the type says that it is one. */
static bool
is_layer (const char *media_type)
{
  static const char *const known[] = {
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
  };

  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strcmp (media_type, known[i]) == 0)
      return true;
  return false;
}

static bool
read_layer (DnLayer *layer, const DnArchive *archive, const json_t *object, const char *what,
            DnFailure *failure)
{
  Descriptor descriptor;

  if (!parse_descriptor (object, what, &descriptor, failure))
    return false;
  if (!is_layer (descriptor.media_type))
    return dn_fail (failure, -EINVAL, "%s: is of the unknown type '%s'", what,
                    dn_failure_name (descriptor.media_type).text);
  if (!find_blob (archive, what, &descriptor, failure))
    {
      if (failure->status != -ENOENT)
        return false;
      failure->status = 0; /* a thin archive */
      layer->is_elsewhere = true;
    }
  layer->blob = descriptor.blob;
  layer->digest = descriptor.digest;
  layer->has_digest = true;
  return true;
}

static bool
read_layers (DnManifest *manifest, const DnArchive *archive, const json_t *document,
             DnFailure *failure)
{
  json_t *layers = NULL;

  if (!dn_document_array (document, "layers", DN_MANIFEST_LAYERS_MAX, &layers, failure)
      || !dn_manifest_set_layers (manifest, json_array_size (layers), failure))
    return false;
  for (size_t i = 0; i < manifest->layers_count; i++)
    {
      char what[32];

      (void) snprintf (what, sizeof what, "layer %zu", i + 1);
      if (!read_layer (&manifest->layers[i], archive, json_array_get (layers, i), what, failure))
        return false;
    }
  return true;
}

static bool
read_image (DnManifest *manifest, const DnArchive *archive, const json_t *document,
            DnFailure *failure)
{
  Descriptor config;
  int64_t version = -1;

  if (!json_is_object (document))
    return dn_fail (failure, -EINVAL, "the image's manifest is not an object");
  if (!dn_document_number (document, "schemaVersion", &version, failure))
    return false;
  if (version != 2)
    return dn_fail (failure, -EINVAL, "the image's manifest is not of schema version 2");
  if (!read_descriptor (archive, json_object_get (document, "config"), "the image's config",
                        &config, failure)
      || !read_document (archive, &config, "the image's config", &manifest->config, failure))
    return false;
  manifest->config_blob = config.blob;
  manifest->config_digest = config.digest;
  return read_layers (manifest, archive, document, failure);
}

static bool
check_layout (const DnArchive *archive, DnFailure *failure)
{
  const char *version = "";
  json_t *layout = NULL;
  DnDigest digest;
  DnBlob blob;
  char *text;
  bool is_good;

  if (!dn_archive_find (archive, "oci-layout", &blob, failure)
      || !dn_archive_read (archive, &blob, "oci-layout", &text, &digest, failure))
    return false;
  is_good = dn_document_parse (text, (size_t) blob.size, "oci-layout", &layout, failure)
            && dn_document_text (layout, "imageLayoutVersion", &version, failure);
  if (is_good && strncmp (version, "1.", 2) != 0)
    is_good = dn_fail (failure, -EINVAL, "oci-layout: version '%s' is not 1.x",
                       dn_failure_name (version).text);
  json_decref (layout);
  free (text);
  return is_good;
}

bool
dn_manifest_read_oci (const DnArchive *archive, const char *reference, DnManifest *manifest,
                      DnFailure *failure)
{
  Search search = { archive, reference, manifest, failure, 0, 0, 0, NULL };
  json_t *index = NULL;
  DnDigest digest;
  DnBlob blob;
  char *text;
  bool is_good;

  if (!check_layout (archive, failure) || !dn_archive_find (archive, "index.json", &blob, failure)
      || !dn_archive_read (archive, &blob, "index.json", &text, &digest, failure))
    return false;
  is_good = dn_document_parse (text, (size_t) blob.size, "index.json", &index, failure)
            && (search_index (&search, index, false, 1) || dn_fail_prefix (failure, "index.json"));
  free (text);
  json_decref (index);
  if (is_good && search.images == 0 && *reference != '\0')
    is_good = dn_fail (failure, -ENOENT, "the archive has no image '%s' for linux/amd64",
                       dn_failure_name (reference).text);
  else if (is_good && search.images == 0)
    is_good = dn_fail (failure, -ENOEXEC,
                       search.other > 0 ? "the archive's images are not for linux/amd64"
                                        : "the archive has no image");
  else if (is_good && search.images > 1)
    is_good = dn_fail (failure, -EINVAL, "the archive has %zu images: name one", search.images);
  is_good = is_good && read_image (manifest, archive, search.document, failure);
  json_decref (search.document);
  return is_good;
}
