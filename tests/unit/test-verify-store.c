/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/store.c launcher/images/store-change.c launcher/images/store-layers.c
 * launcher/images/store-names.c launcher/images/signature.c
 * launcher/spec/signing-key.c launcher/common/key-*.c launcher/images/disk.c
 * launcher/images/digest.c launcher/guest/guest-disk.c launcher/images/image.c
 * launcher/images/layer.c launcher/daemon/json-build.c launcher/images/image-view.c
 * launcher/spec/reference-glob.c launcher/common/names.c launcher/images/reference.c
 * launcher/common/state-file.c launcher/daemon/tree.c launcher/common/error.c
 * launcher/common/json.c launcher/common/paths.c protocol/protocol.c protocol/pack.c
 * launcher/images/verify-store.c launcher/images/tree-check.c launcher/guest/hash-tree.c
 * launcher/guest/hash-tree-build.c */
/* Packages: json-glib-1.0 nettle */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/common/autofd.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/common/state-file.h"
#include "../../launcher/daemon/json-build.h"
#include "../../launcher/daemon/tree.h"
#include "../../launcher/guest/hash-tree-build.h"
#include "../../launcher/images/verify-store.h"

#define BLOCK DN_HASH_TREE_BLOCK_BYTES
#define DATA_BLOCKS 3

static char *
keep_text (DnStoreHold *hold, const char *staging, const char *text)
{
  char *sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  g_autofree char *path = g_build_filename (staging, sha256, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0444), ==, 0);
  g_assert_true (dn_store_keep_blob (hold, path, sha256, NULL));
  return sha256;
}

/* A file with a true hash tree. */
static void
write_layer (const char *path, DnLayer *layer)
{
  dn_autofd int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  g_autofree guint8 *data = g_malloc (DATA_BLOCKS * BLOCK);
  g_autoptr (DnHashTreeBuild) build = dn_hash_tree_build_new (DATA_BLOCKS, fd);
  DnHashTree tree;

  memset (data, layer->key[0], DATA_BLOCKS * BLOCK);
  g_assert_cmpint (pwrite (fd, data, DATA_BLOCKS * BLOCK, 0), ==, DATA_BLOCKS * BLOCK);
  g_assert_true (dn_hash_tree_build_add (build, data, DATA_BLOCKS, NULL));
  g_assert_true (dn_hash_tree_build_finish (build, &tree, NULL));
  g_assert_cmpint (fchmod (fd, 0444), ==, 0);
  layer->data_blocks = (gint64) tree.data_blocks;
  layer->hash_blocks = (gint64) tree.hash_blocks;
  layer->root_hash = g_strdup (tree.root_hash);
}

static void
make_layer (DnStoreHold *hold, const char *staging, GPtrArray *layers, guint i)
{
  DnLayer *layer = layers->pdata[i];
  g_autofree char *directory = g_build_filename (staging, layer->key, NULL);
  g_autofree char *facts = g_build_filename (directory, "layer.json", NULL);
  g_autofree char *file = g_build_filename (directory, "layer.erofs", NULL);
  g_autoptr (JsonNode) node = NULL;

  g_assert_true (dn_tree_make (directory, 0711, NULL));
  write_layer (file, layer);
  node = dn_json_node_take (dn_layer_to_json (layer));
  g_assert_true (dn_state_file_write (facts, node, NULL));
  layers->pdata[i] = dn_store_keep_layer (hold, layer, directory, NULL);
  dn_layer_unref (layer);
}

/* An image whose layers' blobs are the letters. */
static char *
add_image (DnStore *store, const char *name, const char *letters)
{
  g_autoptr (DnStoreHold) hold = dn_store_hold_new (store);
  g_autoptr (DnImage) image = dn_image_new (), named = NULL;
  char *names[] = { (char *) name, NULL };
  char *staging = dn_store_begin_staging (store, NULL);
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  const char *below = NULL;
  guint have;

  for (const char *at = letters; *at != '\0'; at++)
    {
      char text[] = { *at, '\0' };
      DnLayer *layer = dn_layer_new ();

      layer->blob = keep_text (hold, staging, text);
      layer->diff_id = g_strdup (layer->blob);
      layer->key = dn_layer_key (below, layer->blob);
      below = layer->key;
      g_ptr_array_add (layers, layer);
    }
  g_assert_true (dn_store_claim_layers (hold, layers, &have));
  for (guint i = have; i < layers->len; i++)
    make_layer (hold, staging, layers, i);
  image->id = keep_text (hold, staging, name);
  image->manifest_sha256 = g_strnfill (DN_DIGEST_DIGITS, '0');
  dn_image_set_layers (image, layers);
  g_assert_true (dn_store_add (hold, image, staging, NULL));
  dn_store_end_staging (store, staging);
  named = dn_store_name (store, image->id, names, NULL, NULL);
  g_assert_nonnull (named);
  return g_strdup (image->id);
}

static DnStore *
make_store (void)
{
  g_autofree char *path = g_build_filename (dn_paths ()->state, "store", NULL);
  DnStore *store;

  g_assert_true (dn_tree_remove (path, NULL));
  store = dn_store_open (NULL);
  g_free (add_image (store, "localhost/one:1", "ab"));
  g_free (add_image (store, "localhost/two:1", "ac"));
  return store;
}

static char *
path_in_store (const char *first, const char *second, const char *third)
{
  return g_build_filename (dn_paths ()->state, "store", first, second, third, NULL);
}

static DnStoreReport *
verify (DnStore *store, const GPtrArray *images)
{
  DnStoreReport *report = dn_store_report_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_store_verify (store, images, NULL, NULL, report, &error));
  return report;
}

/* @words: of the one problem; NULL: none.  @by_name: whether the first image alone finds it too */
static void
assert_found (DnStore *store, const char *what, const char *words)
{
  g_autoptr (DnStoreReport) report = verify (store, NULL);

  if (words == NULL)
    {
      g_assert_cmpuint (report->damaged->len, ==, 0);
      return;
    }
  for (guint i = 0; i < report->damaged->len; i++)
    {
      const DnStoreProblem *problem = report->damaged->pdata[i];

      if (strstr (problem->what, what) != NULL && strstr (problem->problem, words) != NULL)
        {
          g_assert_cmpstr (problem->remedy, !=, "");
          return;
        }
    }
  g_test_message ("no '%s' with '%s' among %u", what, words, report->damaged->len);
  g_test_fail ();
}

static void
flip (const char *path, off_t offset)
{
  dn_autofd int fd = open (path, O_RDWR | O_CLOEXEC);
  char byte;

  g_assert_cmpint (pread (fd, &byte, 1, offset), ==, 1);
  byte ^= 1;
  g_assert_cmpint (pwrite (fd, &byte, 1, offset), ==, 1);
}

static DnLayer *
upper_layer (DnStore *store, const char *name)
{
  g_autoptr (DnImageView) view = dn_image_view_new ();
  g_autoptr (DnImage) image = NULL;

  dn_image_view_open (view);
  image = dn_store_find (store, name, view, NULL);
  return dn_layer_ref (image->layers->pdata[1]);
}

static void
test_a_whole_store_is_sound (void)
{
  DnStore *store = make_store ();
  g_autoptr (DnStoreReport) report = verify (store, NULL);

  g_assert_cmpuint (report->damaged->len, ==, 0);
  g_assert_cmpuint (report->images, ==, 2);
  g_assert_cmpuint (report->layers, ==, 3); /* the base once */
  g_assert_cmpuint (report->blobs, ==, 5);  /* three layers and two configs */
  g_assert_cmpuint (report->bytes, >=, 3 * DATA_BLOCKS * BLOCK);
  dn_store_free (store);
}

static void
test_each_kind_of_damage_is_found (void)
{
  DnStore *store = make_store ();
  g_autoptr (DnLayer) layer = upper_layer (store, "localhost/one:1");
  g_autofree char *file = path_in_store ("layers", layer->key, "layer.erofs");
  g_autofree char *blob = path_in_store ("blobs/sha256", layer->blob, NULL);
  g_autofree char *away = g_strconcat (blob, ".away", NULL);

  flip (file, BLOCK + 5);
  assert_found (store, "layer", "block 1 is not");
  flip (file, BLOCK + 5);
  flip (blob, 0);
  assert_found (store, "blob", "not those of its digest");
  flip (blob, 0);
  g_assert_cmpint (g_rename (blob, away), ==, 0);
  assert_found (store, "blob", "is missing");
  g_assert_cmpint (g_rename (away, blob), ==, 0);
  g_assert_cmpint (g_chmod (file, 0644), ==, 0);
  assert_found (store, "layer", "could have been written by others");
  g_assert_cmpint (g_chmod (file, 0444), ==, 0);
  assert_found (store, "", NULL);
  dn_store_free (store);
}

static void
test_files_of_an_image_are_compared (void)
{
  DnStore *store = make_store ();
  g_autoptr (GPtrArray) images = dn_store_list (store);
  DnImage *image = images->pdata[0];
  g_autofree char *json = path_in_store ("images", image->id, "image.json");
  g_autofree char *disk = path_in_store ("images", image->id, "disk.vmdk");
  g_autofree char *text = NULL, *other = NULL;

  g_assert_true (g_file_get_contents (json, &text, NULL, NULL));
  g_assert_true (g_file_set_contents (json, "{", -1, NULL));
  assert_found (store, "image", "image.json");
  other = g_strdup (text);
  strstr (other, "localhost")[0] = 'L';
  g_assert_true (g_file_set_contents (json, other, -1, NULL));
  assert_found (store, "image", "not what danchid knows");
  g_assert_true (g_file_set_contents (json, text, -1, NULL));
  flip (disk, 3);
  assert_found (store, "image", "disk's description");
  flip (disk, 3);
  assert_found (store, "", NULL);
  dn_store_free (store);
}

static void
test_another_images_damage_is_not_ones_own (void)
{
  DnStore *store = make_store ();
  g_autoptr (DnLayer) layer = upper_layer (store, "localhost/one:1");
  g_autofree char *file = path_in_store ("layers", layer->key, "layer.erofs");
  g_autoptr (GPtrArray) images = dn_store_list (store);
  g_autoptr (DnStoreReport) report = NULL;

  for (guint i = images->len; i-- > 0;)
    if (g_str_equal (((DnImage *) images->pdata[i])->names[0], "localhost/one:1"))
      g_ptr_array_remove_index (images, i);
  flip (file, 0);
  report = verify (store, images);
  g_assert_cmpuint (report->damaged->len, ==, 0);
  g_assert_cmpuint (report->images, ==, 1);
  g_assert_cmpuint (report->layers, ==, 2);
  dn_store_free (store);
}

/* One that danchid left out when it started. */
static void
test_an_image_that_was_left_out_is_told (void)
{
  DnStore *store = make_store ();
  g_autoptr (GPtrArray) images = dn_store_list (store);
  g_autofree char *json
      = path_in_store ("images", ((DnImage *) images->pdata[0])->id, "image.json");

  dn_store_free (store);
  g_assert_true (g_file_set_contents (json, "{", -1, NULL));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*is left out*");
  store = dn_store_open (NULL);
  g_test_assert_expected_messages ();
  assert_found (store, "image", "cannot be used");
  dn_store_free (store);
}

static gboolean
stop (guint64 done, guint64 total, gpointer data)
{
  (void) done;
  (void) data;
  g_assert_cmpuint (total, >, 0);
  return FALSE;
}

static void
test_it_stops_when_it_is_told_so (void)
{
  DnStore *store = make_store ();
  g_autoptr (DnStoreReport) report = dn_store_report_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_store_verify (store, NULL, stop, NULL, report, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_FAILED);
  dn_store_free (store);
}

int
main (int argc, char **argv)
{
  g_autofree char *state = g_dir_make_tmp ("danchi-verify-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override (NULL, state, NULL);
#define ADD(function, name) g_test_add_func ("/verify-store/" name, function)
  ADD (test_a_whole_store_is_sound, "a-whole-store-is-sound");
  ADD (test_each_kind_of_damage_is_found, "each-kind-of-damage-is-found");
  ADD (test_files_of_an_image_are_compared, "files-of-an-image-are-compared");
  ADD (test_another_images_damage_is_not_ones_own, "another-images-damage-is-not-ones-own");
  ADD (test_an_image_that_was_left_out_is_told, "an-image-that-was-left-out-is-told");
  ADD (test_it_stops_when_it_is_told_so, "it-stops-when-it-is-told-so");
  status = g_test_run ();
  (void) dn_tree_remove (state, NULL);
  return status;
}
