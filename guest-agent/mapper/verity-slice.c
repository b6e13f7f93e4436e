/* SPDX-License-Identifier: Apache-2.0 */
#include "verity-slice.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "verity-words.h"

#define SECTORS_PER_BLOCK (DN_VERITY_BLOCK_BYTES / 512)
#define HASHES_PER_BLOCK (DN_VERITY_BLOCK_BYTES / DN_VERITY_DIGEST_BYTES)
/* 64 TiB: far above any image, far below where a sum could overflow. */
#define BLOCKS_MAX (UINT64_C (1) << 34)

uint64_t
dn_verity_count_hash_blocks (uint64_t data_blocks)
{
  uint64_t count = 0;

  for (uint64_t level = data_blocks; level > 1;)
    {
      level = (level + HASHES_PER_BLOCK - 1) / HASHES_PER_BLOCK;
      count += level;
    }
  return count;
}

bool
dn_verity_slice_is_sound (const DnVeritySlice *slice, uint64_t disk_blocks)
{
  if (slice->data_blocks == 0 || slice->data_blocks > BLOCKS_MAX
      || slice->start_block > disk_blocks)
    return false;
  return slice->hash_blocks == dn_verity_count_hash_blocks (slice->data_blocks)
         && slice->data_blocks + slice->hash_blocks <= disk_blocks - slice->start_block;
}

static void
name_base (const char *name, char *ret_name, size_t size)
{
  (void) snprintf (ret_name, size, "%.*s-base", DN_VERITY_SLICE_NAME_BYTES, name);
}

static int
cut_out (const DnVeritySlice *slice, const char *name, dev_t disk, dev_t *ret_device)
{
  DnMapperTable table = { .target = "linear", .minor = DN_MAPPER_MINOR_FREE };

  name_base (name, table.name, sizeof table.name);
  table.sectors = (slice->data_blocks + slice->hash_blocks) * SECTORS_PER_BLOCK;
  (void) snprintf (table.parameters, sizeof table.parameters, "%u:%u %" PRIu64, major (disk),
                   minor (disk), slice->start_block * SECTORS_PER_BLOCK);
  return dn_mapper_make (&table, ret_device);
}

static int
check (const DnVeritySlice *slice, const char *name, dev_t base, dev_t *ret_device)
{
  DnMapperTable table = { .target = DN_VERITY_TARGET, .minor = DN_MAPPER_MINOR_FREE };
  char root[2 * DN_VERITY_DIGEST_BYTES + 1];

  for (size_t i = 0; i < DN_VERITY_DIGEST_BYTES; i++)
    (void) snprintf (root + 2 * i, sizeof root - 2 * i, "%02x", slice->root_hash[i]);
  (void) snprintf (table.name, sizeof table.name, "%.*s", DN_VERITY_SLICE_NAME_BYTES, name);
  table.sectors = slice->data_blocks * SECTORS_PER_BLOCK;
  (void) snprintf (table.parameters, sizeof table.parameters,
                   "1 %u:%u %u:%u %d %d %" PRIu64 " %" PRIu64 " sha256 %s -", major (base),
                   minor (base), major (base), minor (base), DN_VERITY_BLOCK_BYTES,
                   DN_VERITY_BLOCK_BYTES, slice->data_blocks, slice->data_blocks, root);
  return dn_mapper_make (&table, ret_device);
}

int
dn_verity_slice_make (const DnVeritySlice *slice, const char *name, const char *disk,
                      dev_t *ret_device)
{
  char base_name[DN_MAPPER_NAME_BYTES + 1];
  struct stat status;
  dev_t base;
  int r;

  if (strlen (name) > DN_VERITY_SLICE_NAME_BYTES)
    return -ENAMETOOLONG;
  if (stat (disk, &status) < 0)
    return -errno;
  if (!S_ISBLK (status.st_mode))
    return -ENOTBLK;
  base = status.st_rdev;
  if (slice->start_block == 0)
    return check (slice, name, base, ret_device);
  r = cut_out (slice, name, status.st_rdev, &base);
  if (r < 0)
    return r;
  r = check (slice, name, base, ret_device);
  if (r < 0)
    {
      name_base (name, base_name, sizeof base_name);
      (void) dn_mapper_remove (base_name);
    }
  return r;
}

int
dn_verity_slice_remove (const DnVeritySlice *slice, const char *name)
{
  char base_name[DN_MAPPER_NAME_BYTES + 1];
  int r = dn_mapper_remove (name);

  if (slice->start_block != 0)
    {
      int base_r;

      name_base (name, base_name, sizeof base_name);
      base_r = dn_mapper_remove (base_name);
      r = r < 0 ? r : base_r;
    }
  return r;
}

void
dn_verity_slice_path (dev_t device, char *ret_path, size_t size)
{
  (void) snprintf (ret_path, size, "/dev/dm-%u", minor (device));
}
