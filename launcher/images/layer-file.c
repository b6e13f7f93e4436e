/* SPDX-License-Identifier: Apache-2.0 */
#include "layer-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/state-file.h"
#include "../daemon/json-build.h"
#include "../daemon/tree.h"
#include "../guest/hash-tree-build.h"
#include "blob.h"

#define CHUNK_BYTES (1024 * 1024)
#define CHUNK_BLOCKS (CHUNK_BYTES / DN_DISK_BLOCK_BYTES)

/* Fills @buffer. */
static gboolean
read_all (int fd, guint8 *buffer, gsize size, guint64 offset, GError **error)
{
  gsize done = 0;

  while (done < size)
    {
      ssize_t n = pread (fd, buffer + done, size - done, (off_t) (offset + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "the guest's output: reading it");
      if (n == 0)
        return dn_throw (error, DN_ERROR_GUEST, "the guest's output: ends too early");
      done += (gsize) n;
    }
  return TRUE;
}

static gboolean
copy_blocks (DnImageWork *work, int from, int to, guint64 blocks, DnHashTreeBuild *build,
             GError **error)
{
  g_autofree guint8 *buffer = g_malloc (CHUNK_BYTES);

  for (guint64 at = 0; at < blocks;)
    {
      guint64 count = MIN (CHUNK_BLOCKS, blocks - at);
      gsize size = (gsize) count * DN_DISK_BLOCK_BYTES;

      if (!dn_image_work_go_on (work, error)
          || !read_all (from, buffer, size, at * DN_DISK_BLOCK_BYTES, error)
          || !dn_blob_write (to, buffer, size, "layer", error)
          || !dn_hash_tree_build_add (build, buffer, count, error))
        return FALSE;
      at += count;
    }
  return TRUE;
}

static gboolean
copy (DnImageWork *work, int from, guint64 image_bytes, const char *path, DnLayer *layer,
      GError **error)
{
  static const guint8 zeroes[DN_DISK_BLOCK_BYTES];
  dn_autofd int to = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  guint64 blocks = image_bytes / DN_DISK_BLOCK_BYTES;
  /* There is no tree over one block: an image of one gets another, of zeroes. */
  guint64 data_blocks = MAX (blocks, 2);
  g_autoptr (DnHashTreeBuild) build = dn_hash_tree_build_new (data_blocks, to);
  DnHashTree tree;

  if (to < 0)
    return dn_throw_errno (error, "file '%s': making", path);
  if (!copy_blocks (work, from, to, blocks, build, error)
      || (data_blocks > blocks
          && (!dn_blob_write (to, zeroes, sizeof zeroes, "layer", error)
              || !dn_hash_tree_build_add (build, zeroes, 1, error)))
      || !dn_hash_tree_build_finish (build, &tree, error))
    return FALSE;
  if (fchmod (to, 0444) < 0 || fsync (to) < 0)
    return dn_throw_errno (error, "file '%s': syncing", path);
  layer->data_blocks = (gint64) tree.data_blocks;
  layer->hash_blocks = (gint64) tree.hash_blocks;
  g_free (layer->root_hash);
  layer->root_hash = g_strdup (tree.root_hash);
  return TRUE;
}

static gboolean
write_facts (const char *directory, const DnLayer *layer, GError **error)
{
  g_autofree char *path = g_build_filename (directory, DN_LAYER_FACTS, NULL);
  g_autoptr (JsonNode) node = dn_json_node_take (dn_layer_to_json (layer));

  return dn_state_file_write (path, node, error);
}

gboolean
dn_layer_file_make (DnImageWork *work, const char *output, guint64 image_bytes,
                    const char *directory, DnLayer *layer, GError **error)
{
  g_autofree char *path = g_build_filename (directory, DN_LAYER_FILE, NULL);
  dn_autofd int from = open (output, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat status;

  if (from < 0 || fstat (from, &status) < 0)
    return dn_throw_errno (error, "file '%s'", output);
  if (image_bytes == 0 || image_bytes % DN_DISK_BLOCK_BYTES != 0
      || image_bytes > (guint64) status.st_size)
    return dn_throw (error, DN_ERROR_GUEST,
                     "the guest reports an image of %" G_GUINT64_FORMAT " bytes, which cannot be",
                     image_bytes);
  return dn_tree_make (directory, 0711, error) && copy (work, from, image_bytes, path, layer, error)
         && write_facts (directory, layer, error);
}
