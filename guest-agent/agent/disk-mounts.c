/* SPDX-License-Identifier: Apache-2.0 */
#include "disk-mounts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "root.h"

static int
hex_digit (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_hash (const char *text, uint8_t ret_hash[DN_DISK_HASH_BYTES])
{
  for (size_t i = 0; i < DN_DISK_HASH_BYTES; i++)
    {
      int high = hex_digit (text[2 * i]);
      int low = high < 0 ? -1 : hex_digit (text[2 * i + 1]);

      if (low < 0)
        return false;
      ret_hash[i] = (uint8_t) (high << 4 | low);
    }
  return text[2 * (size_t) DN_DISK_HASH_BYTES] == '\0';
}

static int
read_layer (DnDiskLayers *layers, const char *text)
{
  DnMsgDiskLayer layer = { 0 };
  int end = 0;

  if (sscanf (text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %n", &layer.start_block,
              &layer.data_blocks, &layer.hash_blocks, &end)
          != 3
      || end == 0 || !read_hash (text + end, layer.root_hash))
    return -EINVAL;
  return dn_disk_layers_add (layers, &layer) < 0 ? -EINVAL : 0;
}

int
dn_disk_mounts_read (DnDiskMounts *mounts, const DnConfig *config, DnFault *fault)
{
  size_t disks = 0;

  for (size_t i = 0; i < config->mount_count; i++)
    {
      const DnConfigMount *mount = &config->mounts[i];

      if (mount->disk == NULL)
        continue;
      if (!dn_disk_serial_is_valid (mount->disk))
        return dn_fault_set (fault, -EINVAL, "mount '%s': 'source' is not a disk's serial number",
                             mount->target);
      for (size_t k = 0; k < mount->layers.count; k++)
        if (read_layer (&mounts->layers[disks], mount->layers.items[k]) < 0)
          return dn_fault_set (fault, -EINVAL, "mount '%s': layer %zu is none", mount->target, k);
      disks++;
    }
  return 0;
}

int
dn_disk_mounts_take (DnDiskMounts *mounts, DnDisks *disks, const DnConfig *config, DnFault *fault)
{
  size_t number = 0;
  int r = 0;

  for (size_t i = 0; i < config->mount_count && r == 0; i++)
    {
      if (config->mounts[i].disk == NULL)
        continue;
      if (mounts->disks[number] == NULL)
        r = dn_disk_take (disks, config->mounts[i].disk, &mounts->layers[number],
                          &mounts->disks[number], fault);
      number++;
    }
  return r;
}

int
dn_disk_mounts_tree (const DnDiskMounts *mounts, size_t number, const DnConfigMount *mount,
                     int user_namespace, const DnConfig *config, const char *work_dir)
{
  return dn_root_view (mounts->disks[number], user_namespace, config, work_dir, mount->attributes);
}

void
dn_disk_mounts_clear (DnDiskMounts *mounts, DnDisks *disks)
{
  for (size_t i = 0; i < DN_CONFIG_DISK_MOUNTS_MAX; i++)
    {
      dn_disk_release (disks, mounts->disks[i]);
      mounts->disks[i] = NULL;
      dn_disk_layers_clear (&mounts->layers[i]);
    }
}
