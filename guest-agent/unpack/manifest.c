/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

bool
dn_manifest_add_name (DnManifest *manifest, const char *name, DnFailure *failure)
{
  /* A bare tag ("latest") says nothing outside its registry's repository. */
  if (strpbrk (name, ":/") == NULL)
    return true;
  for (size_t i = 0; i < manifest->names_count; i++)
    if (strcmp (manifest->names[i], name) == 0)
      return true;
  if (manifest->names_count == DN_MANIFEST_NAMES_MAX)
    return dn_fail (failure, -EFBIG, "the image has more than %d names", DN_MANIFEST_NAMES_MAX);
  manifest->names[manifest->names_count] = strdup (name);
  if (manifest->names[manifest->names_count++] == NULL)
    abort ();
  return true;
}

bool
dn_manifest_set_layers (DnManifest *manifest, size_t count, DnFailure *failure)
{
  if (count > DN_MANIFEST_LAYERS_MAX)
    return dn_fail (failure, -EFBIG, "the image has more than %d layers", DN_MANIFEST_LAYERS_MAX);
  if (count == 0)
    return dn_fail (failure, -EINVAL, "the image has no layers");
  manifest->layers = calloc (count, sizeof *manifest->layers);
  if (manifest->layers == NULL)
    abort ();
  manifest->layers_count = count;
  return true;
}

/* The guest runs on the host's processor: an image for another one would fail at its first
 * instruction, with a worse message. */
static bool
check_platform (const DnManifest *manifest, DnFailure *failure)
{
  const char *os = NULL;
  const char *architecture = NULL;

  if (!json_is_object (manifest->config))
    return dn_fail (failure, -EINVAL, "the image's config is not an object");
  if (!dn_document_text (manifest->config, "os", &os, failure)
      || !dn_document_text (manifest->config, "architecture", &architecture, failure))
    return dn_fail_prefix (failure, "the image's config");
  if ((os != NULL && strcmp (os, "linux") != 0)
      || (architecture != NULL && strcmp (architecture, "amd64") != 0))
    return dn_fail (failure, -ENOEXEC, "the image is for %s/%s, not for linux/amd64",
                    dn_failure_name (os != NULL ? os : "?").text,
                    dn_failure_name (architecture != NULL ? architecture : "?").text);
  return true;
}

/* The config names each layer's uncompressed bytes: what is unpacked must be what it means. */
static bool
read_diff_ids (DnManifest *manifest, DnFailure *failure)
{
  json_t *rootfs = NULL;
  json_t *diff_ids = NULL;
  const char *type = NULL;

  if (!dn_document_object (manifest->config, "rootfs", &rootfs, failure)
      || (rootfs != NULL
          && (!dn_document_text (rootfs, "type", &type, failure)
              || !dn_document_array (rootfs, "diff_ids", DN_MANIFEST_LAYERS_MAX, &diff_ids,
                                     failure))))
    return dn_fail_prefix (failure, "the image's config");
  if (type == NULL || strcmp (type, "layers") != 0 || diff_ids == NULL)
    return dn_fail (failure, -EINVAL, "the image's config has no list of layers (rootfs.diff_ids)");
  if (json_array_size (diff_ids) != manifest->layers_count)
    return dn_fail (failure, -EINVAL, "the image's config names %zu layers, its manifest %zu",
                    json_array_size (diff_ids), manifest->layers_count);
  for (size_t i = 0; i < manifest->layers_count; i++)
    {
      char what[32];
      const char *text;

      (void) snprintf (what, sizeof what, "diff id %zu", i + 1);
      if (!dn_document_text_at (diff_ids, i, "rootfs.diff_ids", &text, failure)
          || !dn_digest_read (text, what, &manifest->layers[i].diff_id, failure))
        return dn_fail_prefix (failure, "the image's config");
    }
  return true;
}

bool
dn_manifest_read (const DnArchive *archive, const char *reference, DnManifest *ret_manifest,
                  DnFailure *failure)
{
  DnManifest manifest = { 0 };
  bool is_good;

  if (dn_archive_has (archive, "manifest.json"))
    is_good = dn_manifest_read_docker (archive, reference, &manifest, failure);
  else if (dn_archive_has (archive, "index.json"))
    is_good = dn_manifest_read_oci (archive, reference, &manifest, failure);
  else
    is_good = dn_fail (failure, -EINVAL,
                       "this is no image archive: it has neither manifest.json nor index.json");
  is_good = is_good && check_platform (&manifest, failure) && read_diff_ids (&manifest, failure);
  if (is_good)
    *ret_manifest = manifest;
  else
    dn_manifest_clear (&manifest);
  return is_good;
}

void
dn_manifest_clear (DnManifest *manifest)
{
  json_decref (manifest->config);
  free (manifest->layers);
  for (size_t i = 0; i < manifest->names_count; i++)
    free (manifest->names[i]);
  memset (manifest, 0, sizeof *manifest);
}
