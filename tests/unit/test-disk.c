/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/disk.c launcher/images/layer.c launcher/images/digest.c
 * launcher/daemon/json-build.c launcher/common/state-file.c launcher/common/names.c
 * launcher/common/json.c launcher/common/error.c */
/* Packages: json-glib-1.0 */
#include <string.h>

#include "../../launcher/images/disk.h"

#define BLOCK DN_DISK_BLOCK_BYTES

static DnLayer *
layer_new (guint number, guint data_blocks)
{
  DnLayer *layer = dn_layer_new ();
  g_autofree char *text = g_strdup_printf ("%u", number);

  layer->key = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  layer->root_hash = g_strdup (layer->key);
  layer->data_blocks = data_blocks;
  layer->hash_blocks = 1;
  return layer;
}

/* Its file: what no two of them have in common, and whose beginning would be read as another
 * format's if anybody looked. (transfer full) */
static char *
make_file (const char *top, const DnLayer *layer)
{
  static const char *const formats[] = { "QFI\xfb", "KDMV", "# Disk DescriptorFile\n", "conectix" };
  g_autofree char *directory = g_build_filename (top, "layers", layer->key, NULL);
  g_autofree char *path = g_build_filename (directory, "layer.erofs", NULL);
  gsize size = dn_layer_file_bytes (layer);
  char *bytes = g_malloc (size);
  const char *format = formats[layer->data_blocks % G_N_ELEMENTS (formats)];

  for (gsize i = 0; i < size; i++)
    bytes[i] = (char) (layer->key[i % 64] + i / BLOCK);
  memcpy (bytes, format, strlen (format));
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  return bytes;
}

static void
run (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL,
                               G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
}

/* What QEMU reads is the layers one behind the other and nothing else, with as many as there may
 * be. */
static void
test_qemu_reads_the_layers_one_behind_the_other (void)
{
  g_autofree char *top = g_dir_make_tmp ("dn-disk-XXXXXX", NULL);
  g_autofree char *directory = g_build_filename (top, "images", "1", NULL);
  g_autofree char *disk = g_build_filename (directory, "disk.vmdk", NULL);
  g_autofree char *raw = g_build_filename (top, "raw", NULL);
  g_autofree char *read = NULL;
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  g_autoptr (GByteArray) wanted = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  const char *convert[] = { "qemu-img", "convert", "-f", "vmdk", "-O", "raw", disk, raw, NULL };
  const char *clean[] = { "rm", "-rf", top, NULL };
  gsize size;

  for (guint i = 0; i < DN_DISK_LAYERS_MAX; i++)
    {
      DnLayer *layer = layer_new (i, 2 + i % 5);
      g_autofree char *bytes = make_file (top, layer);

      g_byte_array_append (wanted, (guint8 *) bytes, (guint) dn_layer_file_bytes (layer));
      g_ptr_array_add (layers, layer);
    }
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (dn_disk_write (disk, layers, layers->len, &error));
  run (convert);
  g_assert_true (g_file_get_contents (raw, &read, &size, NULL));
  g_assert_cmpmem (read, size, wanted->data, wanted->len);
  run (clean);
}

static void
test_a_guest_is_told_where_each_layer_begins (void)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  g_autoptr (GArray) messages = NULL;
  const DnMsgDiskLayer *second;
  guint8 digest[DN_DIGEST_BYTES];

  g_ptr_array_add (layers, layer_new (1, 7));
  g_ptr_array_add (layers, layer_new (2, 9));
  messages = dn_disk_layers (layers, 2);
  second = &g_array_index (messages, DnMsgDiskLayer, 1);
  g_assert_cmpuint (g_array_index (messages, DnMsgDiskLayer, 0).start_block, ==, 0);
  g_assert_cmpuint (second->start_block, ==, 8);
  g_assert_cmpuint (second->data_blocks, ==, 9);
  g_assert_cmpuint (second->hash_blocks, ==, 1);
  dn_digest_from_hex (((DnLayer *) layers->pdata[1])->root_hash, digest);
  g_assert_cmpmem (second->root_hash, sizeof second->root_hash, digest, sizeof digest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/disk/qemu-reads-the-layers-one-behind-the-other",
                   test_qemu_reads_the_layers_one_behind_the_other);
  g_test_add_func ("/disk/a-guest-is-told-where-each-layer-begins",
                   test_a_guest_is_told_where_each_layer_begins);
  return g_test_run ();
}
