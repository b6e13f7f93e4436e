/* SPDX-License-Identifier: Apache-2.0 */
#include "tree-check.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK DN_HASH_TREE_BLOCK_BYTES
#define DIGEST DN_HASH_TREE_DIGEST_BYTES
#define HASHES_PER_BLOCK (BLOCK / DIGEST)
#define CHUNK_BLOCKS 256
/* Enough for 128^8 blocks. */
#define LEVELS_MAX 8

typedef struct
{
  int fd;
  const DnHashTree *tree;
  guint8 *hashes; /* owned; the whole tree */
  DnTreeCheckTick tick;
  gpointer data;
  char *problem; /* owned; the first */
  gboolean is_stopped;
} Check;

static gboolean
fail (Check *check, char *problem)
{
  check->problem = problem;
  return FALSE;
}

static gboolean
read_all (Check *check, guint8 *bytes, gsize size, guint64 at)
{
  while (size > 0)
    {
      ssize_t n = pread (check->fd, bytes, size, (off_t) at);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return fail (check, g_strdup_printf ("cannot be read at byte %" G_GUINT64_FORMAT ": %s", at,
                                             n == 0 ? "it ends" : g_strerror (errno)));
      bytes += n;
      at += (guint64) n;
      size -= (gsize) n;
    }
  return TRUE;
}

static gboolean
is_promised (const guint8 *block, const guint8 *promised)
{
  struct sha256_ctx sha256;
  guint8 digest[DIGEST];

  sha256_init (&sha256);
  sha256_update (&sha256, BLOCK, block);
  sha256_digest (&sha256, sizeof digest, digest);
  return memcmp (digest, promised, sizeof digest) == 0;
}

static gboolean
throw_block (Check *check, const char *kind, guint64 block)
{
  return fail (
      check,
      g_strdup_printf ("%s %" G_GUINT64_FORMAT " is not what its hash tree promises", kind, block));
}

/* The blocks of a level of the tree, by the hashes of the level above. */
static gboolean
check_level (Check *check, guint64 first, guint64 count, const guint8 *promised)
{
  for (guint64 i = 0; i < count; i++)
    if (!is_promised (check->hashes + (first + i) * BLOCK, promised + i * DIGEST))
      return throw_block (check, "hash block", first + i);
  return TRUE;
}

static gboolean
check_root (Check *check)
{
  g_autofree char *digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, check->hashes, BLOCK);

  return g_str_equal (digest, check->tree->root_hash)
         || fail (check, g_strdup ("its hash tree is not the one of its root hash"));
}

/* From the root down; @ret_lowest is where the hashes of the data begin, in blocks of the tree. */
static gboolean
check_hashes (Check *check, guint64 *ret_lowest)
{
  guint64 counts[LEVELS_MAX], count = check->tree->data_blocks, at = 0;
  guint levels = 0;

  do
    {
      count = (count + HASHES_PER_BLOCK - 1) / HASHES_PER_BLOCK;
      counts[levels++] = count;
      at += count;
    }
  while (count > 1 && levels < LEVELS_MAX);
  if (count != 1 || at != check->tree->hash_blocks)
    return fail (check, g_strdup ("its hash tree does not fit its data"));
  if (!read_all (check, check->hashes, check->tree->hash_blocks * BLOCK,
                 check->tree->data_blocks * BLOCK)
      || !check_root (check))
    return FALSE;
  /* The topmost block comes first, the level above the data last. */
  at = 0;
  for (guint level = levels - 1; level > 0; level--)
    {
      if (!check_level (check, at + counts[level], counts[level - 1], check->hashes + at * BLOCK))
        return FALSE;
      at += counts[level];
    }
  *ret_lowest = at;
  return TRUE;
}

static gboolean
check_data (Check *check, const guint8 *promised)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK_BLOCKS * BLOCK);

  for (guint64 at = 0; at < check->tree->data_blocks; at += CHUNK_BLOCKS)
    {
      guint64 count = MIN (CHUNK_BLOCKS, check->tree->data_blocks - at);

      if (!read_all (check, chunk, count * BLOCK, at * BLOCK))
        return FALSE;
      for (guint64 i = 0; i < count; i++)
        if (!is_promised (chunk + i * BLOCK, promised + (at + i) * DIGEST))
          return throw_block (check, "block", at + i);
      if (check->tick != NULL && !check->tick (count * BLOCK, check->data))
        {
          check->is_stopped = TRUE;
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
check_size (Check *check)
{
  guint64 bytes = dn_hash_tree_file_bytes (check->tree);
  struct stat status;

  if (fstat (check->fd, &status) < 0)
    return fail (check, g_strdup (g_strerror (errno)));
  if ((guint64) status.st_size != bytes)
    return fail (check, g_strdup_printf ("has %" G_GINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT,
                                         (gint64) status.st_size, bytes));
  /* Memory is taken for what is really there alone. */
  check->hashes = g_malloc (check->tree->hash_blocks * BLOCK);
  return TRUE;
}

DnTreeVerdict
dn_tree_check_file (int fd, const DnHashTree *tree, DnTreeCheckTick tick, gpointer data,
                    char **ret_problem)
{
  Check check = { .fd = fd, .tree = tree, .tick = tick, .data = data };
  guint64 lowest;
  gboolean is_sound = check_size (&check) && check_hashes (&check, &lowest)
                      && check_data (&check, check.hashes + lowest * BLOCK);

  g_free (check.hashes);
  if (is_sound)
    return DN_TREE_SOUND;
  if (check.is_stopped)
    return DN_TREE_STOPPED;
  *ret_problem = check.problem;
  return DN_TREE_DAMAGED;
}
