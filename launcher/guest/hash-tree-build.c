/* SPDX-License-Identifier: Apache-2.0 */
#include "hash-tree-build.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>
#include <unistd.h>

#include "../common/error.h"

typedef struct
{
  DnHashTreeLevel place;
  guint64 written; /* blocks */
  guint hashes;    /* in the block that is being filled */
  guint8 block[DN_HASH_TREE_BLOCK_BYTES];
} Level;

struct DnHashTreeBuild
{
  int fd;
  guint64 data_blocks;
  guint64 added;
  guint count;
  guint8 root[DN_HASH_TREE_DIGEST_BYTES];
  Level levels[DN_HASH_TREE_LEVELS_MAX];
};

DnHashTreeBuild *
dn_hash_tree_build_new (guint64 data_blocks, int fd)
{
  DnHashTreeBuild *build = g_new0 (DnHashTreeBuild, 1);
  DnHashTreeLevel places[DN_HASH_TREE_LEVELS_MAX];

  build->fd = fd;
  build->data_blocks = data_blocks;
  build->count = dn_hash_tree_lay_out (data_blocks, places);
  for (guint i = 0; i < build->count; i++)
    build->levels[i].place = places[i];
  return build;
}

void
dn_hash_tree_build_free (DnHashTreeBuild *build)
{
  g_free (build);
}

static void
hash_block (const guint8 *block, guint8 ret_digest[DN_HASH_TREE_DIGEST_BYTES])
{
  struct sha256_ctx context;

  sha256_init (&context);
  sha256_update (&context, DN_HASH_TREE_BLOCK_BYTES, block);
  sha256_digest (&context, DN_HASH_TREE_DIGEST_BYTES, ret_digest);
}

static gboolean
write_block (DnHashTreeBuild *build, const Level *level, GError **error)
{
  guint64 offset = (level->place.start + level->written) * DN_HASH_TREE_BLOCK_BYTES;
  gsize done = 0;

  while (done < DN_HASH_TREE_BLOCK_BYTES)
    {
      ssize_t n = pwrite (build->fd, level->block + done, DN_HASH_TREE_BLOCK_BYTES - done,
                          (off_t) (offset + done));

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return dn_throw_errno (error, "writing a hash tree");
      done += (gsize) n;
    }
  return TRUE;
}

static gboolean add_hash (DnHashTreeBuild *build, guint number,
                          const guint8 digest[DN_HASH_TREE_DIGEST_BYTES], GError **error);

/* The block that is being filled is as full as it gets; what is left of it is zeroes. */
static gboolean
end_block (DnHashTreeBuild *build, guint number, GError **error)
{
  Level *level = &build->levels[number];
  guint8 digest[DN_HASH_TREE_DIGEST_BYTES];

  if (!write_block (build, level, error))
    return FALSE;
  hash_block (level->block, digest);
  level->written++;
  level->hashes = 0;
  memset (level->block, 0, sizeof level->block);
  if (number + 1 < build->count)
    return add_hash (build, number + 1, digest, error);
  memcpy (build->root, digest, sizeof build->root);
  return TRUE;
}

static gboolean
add_hash (DnHashTreeBuild *build, guint number, const guint8 digest[DN_HASH_TREE_DIGEST_BYTES],
          GError **error)
{
  Level *level = &build->levels[number];

  memcpy (level->block + level->hashes * DN_HASH_TREE_DIGEST_BYTES, digest,
          DN_HASH_TREE_DIGEST_BYTES);
  level->hashes++;
  return level->hashes < DN_HASH_TREE_HASHES_OF_BLOCK || end_block (build, number, error);
}

gboolean
dn_hash_tree_build_add (DnHashTreeBuild *build, const guint8 *blocks, guint64 count, GError **error)
{
  g_return_val_if_fail (count <= build->data_blocks - build->added, FALSE);

  for (guint64 i = 0; i < count; i++)
    {
      guint8 digest[DN_HASH_TREE_DIGEST_BYTES];

      hash_block (blocks + i * DN_HASH_TREE_BLOCK_BYTES, digest);
      if (!add_hash (build, 0, digest, error))
        return FALSE;
    }
  build->added += count;
  return TRUE;
}

gboolean
dn_hash_tree_build_finish (DnHashTreeBuild *build, DnHashTree *ret_tree, GError **error)
{
  g_return_val_if_fail (build->added == build->data_blocks && build->count > 0, FALSE);

  /* From below: the last block of a level adds the last hash to the next. */
  for (guint i = 0; i < build->count; i++)
    if (build->levels[i].hashes > 0 && !end_block (build, i, error))
      return FALSE;
  ret_tree->data_blocks = build->data_blocks;
  ret_tree->hash_blocks = dn_hash_tree_count_hash_blocks (build->data_blocks);
  for (guint i = 0; i < DN_HASH_TREE_DIGEST_BYTES; i++)
    g_snprintf (ret_tree->root_hash + 2 * i, 3, "%02x", build->root[i]);
  return TRUE;
}
