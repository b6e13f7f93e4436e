/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"
#include "manifest.h"

#define MANIFEST "manifest.json"

/* Finds a file by the name that a document gives. */
static bool
find_file (const DnArchive *archive, const char *name, DnBlob *ret_blob, DnFailure *failure)
{
  char normal[DN_PATH_BYTES + 1];

  if (strlen (name) > DN_PATH_BYTES || !dn_archive_normalise (name, normal))
    return dn_fail (failure, -EINVAL, "'%s' leads outside of the archive",
                    dn_failure_name (name).text);
  return dn_archive_find (archive, normal, ret_blob, failure);
}

static bool
has_tag (const json_t *image, const char *reference)
{
  const json_t *tags = json_object_get (image, "RepoTags");

  for (size_t i = 0; i < json_array_size (tags); i++)
    {
      const char *tag = json_string_value (json_array_get (tags, i));

      if (tag != NULL && strcmp (tag, reference) == 0)
        return true;
    }
  return false;
}

static bool
choose (const json_t *images, const char *reference, json_t **ret_image, DnFailure *failure)
{
  size_t count = json_array_size (images);
  json_t *chosen = NULL;

  for (size_t i = 0; i < count; i++)
    {
      json_t *image;

      if (!dn_document_object_at (images, i, MANIFEST, &image, failure))
        return false;
      if (*reference == '\0' ? count == 1 : has_tag (image, reference))
        {
          if (chosen != NULL)
            return dn_fail (failure, -EINVAL, "the archive has '%s' twice",
                            dn_failure_name (reference).text);
          chosen = image;
        }
    }
  if (chosen == NULL && count == 0)
    return dn_fail (failure, -EINVAL, "the archive has no image");
  if (chosen == NULL && *reference == '\0')
    return dn_fail (failure, -EINVAL, "the archive has %zu images: name one", count);
  if (chosen == NULL)
    return dn_fail (failure, -ENOENT, "the archive has no image '%s'",
                    dn_failure_name (reference).text);
  *ret_image = chosen;
  return true;
}

static bool
read_names (DnManifest *manifest, const json_t *image, DnFailure *failure)
{
  json_t *tags = NULL;

  if (!dn_document_array (image, "RepoTags", DN_MANIFEST_NAMES_MAX, &tags, failure))
    return false;
  for (size_t i = 0; i < json_array_size (tags); i++)
    {
      const char *tag;

      if (!dn_document_text_at (tags, i, "RepoTags", &tag, failure)
          || !dn_manifest_add_name (manifest, tag, failure))
        return false;
    }
  return true;
}

static bool
read_layers (DnManifest *manifest, const DnArchive *archive, const json_t *image,
             DnFailure *failure)
{
  json_t *layers = NULL;

  if (!dn_document_array (image, "Layers", DN_MANIFEST_LAYERS_MAX, &layers, failure)
      || !dn_manifest_set_layers (manifest, json_array_size (layers), failure))
    return false;
  for (size_t i = 0; i < manifest->layers_count; i++)
    {
      DnLayer *layer = &manifest->layers[i];
      const char *name;

      if (!dn_document_text_at (layers, i, "Layers", &name, failure)
          || !find_file (archive, name, &layer->blob, failure))
        return false;
    }
  return true;
}

/* docker names the config by its digest: HEX.json, or blobs/sha256/HEX. */
static bool
check_config_name (const DnManifest *manifest, const char *name, DnFailure *failure)
{
  char text[DN_DIGEST_TEXT_BYTES + 1];
  const char *base = strrchr (name, '/');
  size_t length;

  base = base != NULL ? base + 1 : name;
  length = strspn (base, "0123456789abcdef");
  if (length != 2 * DN_DIGEST_BYTES
      || (base[length] != '\0' && strcmp (base + length, ".json") != 0))
    return true; /* a name of another kind promises nothing */
  dn_digest_write (&manifest->config_digest, text);
  if (strncmp (text + 7, base, length) != 0)
    return dn_fail (failure, -EBADMSG, "the image's config has the wrong digest: %s", text);
  return true;
}

static bool
read_config (DnManifest *manifest, const DnArchive *archive, const json_t *image,
             DnFailure *failure)
{
  const char *name = NULL;
  char *text;
  bool is_good;

  if (!dn_document_text (image, "Config", &name, failure))
    return false;
  if (name == NULL)
    return dn_fail (failure, -EINVAL, "there is no 'Config'");
  if (!find_file (archive, name, &manifest->config_blob, failure)
      || !dn_archive_read (archive, &manifest->config_blob, "the image's config", &text,
                           &manifest->config_digest, failure))
    return false;
  is_good = check_config_name (manifest, name, failure)
            && dn_document_parse (text, (size_t) manifest->config_blob.size, "the image's config",
                                  &manifest->config, failure);
  free (text);
  return is_good;
}

bool
dn_manifest_read_docker (const DnArchive *archive, const char *reference, DnManifest *manifest,
                         DnFailure *failure)
{
  json_t *images = NULL;
  json_t *image = NULL;
  DnDigest digest;
  char *text;
  DnBlob blob;
  bool is_good;

  if (!dn_archive_find (archive, MANIFEST, &blob, failure)
      || !dn_archive_read (archive, &blob, MANIFEST, &text, &digest, failure))
    return false;
  is_good = dn_document_parse (text, (size_t) blob.size, MANIFEST, &images, failure);
  free (text);
  if (!is_good)
    return false;
  if (!json_is_array (images) || json_array_size (images) > DN_MANIFEST_INDEX_ENTRIES)
    is_good = dn_fail (failure, -EINVAL, MANIFEST ": not a list of at most %d images",
                       DN_MANIFEST_INDEX_ENTRIES);
  else
    {
      is_good = choose (images, reference, &image, failure)
                && read_config (manifest, archive, image, failure)
                && read_names (manifest, image, failure)
                && read_layers (manifest, archive, image, failure);
      if (!is_good)
        (void) dn_fail_prefix (failure, MANIFEST);
    }
  json_decref (images);
  return is_good;
}
