/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <string.h>

#include "../common/state-file.h"
#include "digest.h"

#define SECTORS_OF_BLOCK (DN_DISK_BLOCK_BYTES / 512)

/* CID and parentCID: of no parent.  The geometry is of use to nobody; QEMU wants the extents. */
#define HEAD                                                                                       \
  "# Disk DescriptorFile\n"                                                                        \
  "version=1\n"                                                                                    \
  "CID=00000001\n"                                                                                 \
  "parentCID=ffffffff\n"                                                                           \
  "createType=\"monolithicFlat\"\n"

static char *
describe (const GPtrArray *layers, guint count)
{
  GString *text = g_string_new (HEAD);

  for (guint i = 0; i < count; i++)
    {
      const DnLayer *layer = layers->pdata[i];

      /* "RW" is the one word that QEMU takes; the disk as a whole is read-only. */
      g_string_append_printf (
          text, "RW %" G_GUINT64_FORMAT " FLAT \"../../layers/%s/layer.erofs\" 0\n",
          dn_layer_file_bytes (layer) / DN_DISK_BLOCK_BYTES * SECTORS_OF_BLOCK, layer->key);
    }
  return g_string_free (text, FALSE);
}

gboolean
dn_disk_write (const char *path, const GPtrArray *layers, guint count, GError **error)
{
  g_autofree char *text = describe (layers, count);

  return dn_state_file_write_text (path, text, strlen (text), 0444, error);
}

gboolean
dn_disk_is_as_written (const char *path, const GPtrArray *layers, guint count)
{
  g_autofree char *wanted = describe (layers, count);
  g_autofree char *found = NULL;
  gsize size;

  return g_file_get_contents (path, &found, &size, NULL) && size == strlen (wanted)
         && memcmp (found, wanted, size) == 0;
}

GArray *
dn_disk_layers (const GPtrArray *layers, guint count)
{
  GArray *messages = g_array_new (FALSE, TRUE, sizeof (DnMsgDiskLayer));
  guint64 start = 0;

  for (guint i = 0; i < count; i++)
    {
      const DnLayer *layer = layers->pdata[i];
      DnMsgDiskLayer message = { .start_block = start,
                                 .data_blocks = (guint64) layer->data_blocks,
                                 .hash_blocks = (guint64) layer->hash_blocks };

      dn_digest_from_hex (layer->root_hash, message.root_hash);
      g_array_append_val (messages, message);
      start += dn_layer_file_bytes (layer) / DN_DISK_BLOCK_BYTES;
    }
  return messages;
}
