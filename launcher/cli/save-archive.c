/* SPDX-License-Identifier: Apache-2.0 */
#include "save-archive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/tar-writer.h"

#define CHUNK_BYTES (1024 * 1024)
/* As much as danchid takes for a manifest. */
#define MANIFEST_MAX_BYTES (4 * 1024 * 1024)

typedef struct
{
  char *sha256; /* owned */
  guint64 bytes;
  int fd;     /* owned; -1: `text` is its content */
  char *text; /* owned */
} Blob;

struct DnSaveArchive
{
  gboolean is_oci;
  GPtrArray *images;  /* DnSaveImage */
  GPtrArray *blobs;   /* Blob, in the order in which they came */
  GHashTable *by_sha; /* digest → Blob, borrowed */
  int fd;             /* while it is written */
  guint64 written;
};

static void
free_blob (Blob *blob)
{
  g_free (blob->sha256);
  g_free (blob->text);
  dn_fd_clear (&blob->fd);
  g_free (blob);
}

DnSaveArchive *
dn_save_archive_new (gboolean is_oci)
{
  DnSaveArchive *archive = g_new0 (DnSaveArchive, 1);

  archive->is_oci = is_oci;
  archive->images = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_save_image_free);
  archive->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) free_blob);
  archive->by_sha = g_hash_table_new (g_str_hash, g_str_equal);
  archive->fd = -1;
  return archive;
}

void
dn_save_archive_free (DnSaveArchive *archive)
{
  if (archive == NULL)
    return;
  g_hash_table_unref (archive->by_sha);
  g_ptr_array_unref (archive->images);
  g_ptr_array_unref (archive->blobs);
  g_free (archive);
}

static void
keep_blob (DnSaveArchive *archive, const char *sha256, guint64 bytes, int fd, char *text)
{
  Blob *blob = g_new0 (Blob, 1);

  *blob = (Blob){ .sha256 = g_strdup (sha256), .bytes = bytes, .fd = fd, .text = text };
  if (g_hash_table_contains (archive->by_sha, sha256))
    {
      free_blob (blob);
      return;
    }
  g_ptr_array_add (archive->blobs, blob);
  g_hash_table_insert (archive->by_sha, blob->sha256, blob);
}

void
dn_save_archive_add_blob (DnSaveArchive *archive, const char *sha256, guint64 bytes, int fd)
{
  keep_blob (archive, sha256, bytes, fd, NULL);
}

void
dn_save_archive_add_image (DnSaveArchive *archive, DnSaveImage *image)
{
  g_ptr_array_add (archive->images, image);
}

static gboolean
write_all (DnSaveArchive *archive, const void *bytes, gsize size, GError **error)
{
  const guint8 *at = bytes;

  archive->written += size;
  while (size > 0)
    {
      ssize_t n = write (archive->fd, at, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "the archive: writing it");
      at += n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
begin_file (DnSaveArchive *archive, const char *name, guint64 bytes, GError **error)
{
  guint8 block[DN_TAR_BLOCK_BYTES];

  dn_tar_write_header (name, bytes, block);
  return write_all (archive, block, sizeof block, error);
}

static gboolean
end_file (DnSaveArchive *archive, guint64 bytes, GError **error)
{
  const guint8 zeroes[DN_TAR_BLOCK_BYTES] = { 0 };

  return write_all (archive, zeroes, dn_tar_padding (bytes), error);
}

static gboolean
write_text (DnSaveArchive *archive, const char *name, const char *text, GError **error)
{
  return begin_file (archive, name, strlen (text), error)
         && write_all (archive, text, strlen (text), error)
         && end_file (archive, strlen (text), error);
}

static gboolean
throw_damaged (const Blob *blob, const char *problem, GError **error)
{
  return dn_throw (error, DN_ERROR_FAILED, "blob '%.12s' of the store: %s\nsee danchi image verify",
                   blob->sha256, problem);
}

/* Copies what @blob has, and finds out whether it is what its name says. */
static gboolean
copy_blob (DnSaveArchive *archive, const Blob *blob, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);
  guint64 at = 0;

  while (at < blob->bytes)
    {
      ssize_t n = pread (blob->fd, buffer, MIN (CHUNK_BYTES, blob->bytes - at), (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return throw_damaged (blob, g_strerror (errno), error);
      if (n == 0)
        return throw_damaged (blob, "it has become shorter", error);
      g_checksum_update (checksum, buffer, n);
      if (!write_all (archive, buffer, (gsize) n, error))
        return FALSE;
      at += (guint64) n;
    }
  return g_str_equal (g_checksum_get_string (checksum), blob->sha256)
         || throw_damaged (blob, "its bytes are not those of its digest", error);
}

static gboolean
write_blob (DnSaveArchive *archive, const Blob *blob, GError **error)
{
  g_autofree char *name = g_strconcat (DN_SAVE_BLOBS, blob->sha256, NULL);

  if (blob->text != NULL)
    return write_text (archive, name, blob->text, error);
  return begin_file (archive, name, blob->bytes, error) && copy_blob (archive, blob, error)
         && end_file (archive, blob->bytes, error);
}

static Blob *
find_blob (DnSaveArchive *archive, const char *sha256, GError **error)
{
  Blob *blob = g_hash_table_lookup (archive->by_sha, sha256);

  if (blob == NULL)
    dn_throw (error, DN_ERROR_PROTOCOL, "danchid: gave no blob '%.12s'", sha256);
  return blob;
}

/* Whether the image's own manifest can stand in the archive. */
static gboolean
keeps_manifest (DnSaveArchive *archive, DnSaveImage *image)
{
  const Blob *blob
      = image->manifest != NULL ? g_hash_table_lookup (archive->by_sha, image->manifest) : NULL;
  g_autofree char *text = NULL;

  if (blob == NULL || blob->fd < 0 || blob->bytes > MANIFEST_MAX_BYTES)
    return FALSE;
  text = g_malloc (blob->bytes + 1);
  image->manifest_bytes = blob->bytes;
  return pread (blob->fd, text, blob->bytes, 0) == (ssize_t) blob->bytes
         && !dn_save_is_docker_manifest (text, blob->bytes);
}

static gboolean
describe_layer (const Blob *blob, DnSaveLayer *ret_layer, GError **error)
{
  guint8 start[DN_SAVE_START_BYTES];
  ssize_t n = pread (blob->fd, start, sizeof start, 0);

  if (n < 0)
    return throw_damaged (blob, g_strerror (errno), error);
  *ret_layer = (DnSaveLayer){ .bytes = blob->bytes, .kind = dn_save_layer_kind (start, (gsize) n) };
  return ret_layer->kind != DN_SAVE_LAYER_OTHER
         || dn_throw (error, DN_ERROR_USAGE,
                      "layer '%.12s': compressed in a way that OCI has no name for\n"
                      "leave out --format oci",
                      blob->sha256);
}

/* Gives @image a manifest made here. */
static gboolean
make_manifest (DnSaveArchive *archive, DnSaveImage *image, GError **error)
{
  guint count = g_strv_length (image->layers);
  g_autofree DnSaveLayer *layers = g_new0 (DnSaveLayer, count + 1);
  const Blob *config = find_blob (archive, image->id, error);
  char *text;

  for (guint i = 0; config != NULL && i < count; i++)
    {
      const Blob *blob = find_blob (archive, image->layers[i], error);

      if (blob == NULL || !describe_layer (blob, &layers[i], error))
        return FALSE;
    }
  if (config == NULL)
    return FALSE;
  text = dn_save_oci_manifest (image, config->bytes, layers);
  g_free (image->manifest);
  image->manifest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  image->manifest_bytes = strlen (text);
  keep_blob (archive, image->manifest, image->manifest_bytes, -1, text);
  return TRUE;
}

/* docker's format has no place for a manifest of a registry's. */
static void
drop_manifest (DnSaveArchive *archive, DnSaveImage *image)
{
  Blob *blob
      = image->manifest != NULL ? g_hash_table_lookup (archive->by_sha, image->manifest) : NULL;

  if (blob != NULL)
    {
      g_hash_table_remove (archive->by_sha, blob->sha256);
      g_ptr_array_remove (archive->blobs, blob);
    }
}

static gboolean
write_documents (DnSaveArchive *archive, GError **error)
{
  g_autofree char *text = NULL;

  for (guint i = 0; i < archive->images->len; i++)
    {
      DnSaveImage *image = archive->images->pdata[i];
      gboolean is_kept = archive->is_oci && keeps_manifest (archive, image);

      if (!is_kept)
        drop_manifest (archive, image);
      if (archive->is_oci && !is_kept && !make_manifest (archive, image, error))
        return FALSE;
    }
  if (!archive->is_oci)
    {
      text = dn_save_docker_manifest (archive->images);
      return write_text (archive, "manifest.json", text, error);
    }
  text = dn_save_oci_index (archive->images);
  return write_text (archive, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", error)
         && write_text (archive, "index.json", text, error);
}

gboolean
dn_save_archive_write (DnSaveArchive *archive, int fd, GError **error)
{
  const guint8 end[DN_TAR_END_BYTES] = { 0 };

  archive->fd = fd;
  archive->written = 0;
  if (!write_documents (archive, error))
    return FALSE;
  for (guint i = 0; i < archive->blobs->len; i++)
    if (!write_blob (archive, archive->blobs->pdata[i], error))
      return FALSE;
  return write_all (archive, end, sizeof end, error);
}

guint64
dn_save_archive_bytes (const DnSaveArchive *archive)
{
  return archive->written;
}
