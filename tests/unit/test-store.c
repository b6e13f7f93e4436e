/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/store.c launcher/images/store-change.c launcher/images/store-layers.c
 * launcher/images/store-names.c launcher/images/signature.c
 * launcher/spec/signing-key.c launcher/common/key-*.c launcher/images/disk.c
 * launcher/images/digest.c launcher/guest/guest-disk.c launcher/images/image.c
 * launcher/images/layer.c launcher/daemon/json-build.c launcher/images/image-view.c
 * launcher/spec/reference-glob.c launcher/common/names.c launcher/images/reference.c
 * launcher/common/state-file.c launcher/daemon/tree.c launcher/common/error.c
 * launcher/common/json.c launcher/common/paths.c protocol/protocol.c protocol/pack.c */
/* Packages: json-glib-1.0 */
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/names.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/common/state-file.h"
#include "../../launcher/daemon/json-build.h"
#include "../../launcher/daemon/tree.h"
#include "../../launcher/images/store.h"

#define FIRST "1111111111111111111111111111111111111111111111111111111111111111"
#define SECOND "1122222222222222222222222222222222222222222222222222222222222222"
#define OTHER "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const DnImageView *
everything (void)
{
  static DnImageView *view;

  if (view == NULL)
    {
      view = dn_image_view_new ();
      dn_image_view_open (view);
    }
  return view;
}

/* Makes one of the store's blobs of a text. (transfer full): its digest */
static char *
keep_text (DnStoreHold *hold, const char *staging, const char *text)
{
  char *sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  g_autofree char *path = g_build_filename (staging, sha256, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_true (dn_store_keep_blob (hold, path, sha256, NULL));
  return sha256;
}

/* Layers whose blobs are the letters of @letters; without what is made of them. */
static GPtrArray *
plan_layers (DnStoreHold *hold, const char *staging, const char *letters)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  const char *below = NULL;

  for (gsize i = 0; letters[i] != '\0'; i++)
    {
      char text[] = { letters[i], '\0' };
      DnLayer *layer = dn_layer_new ();

      layer->blob = keep_text (hold, staging, text);
      layer->diff_id = g_strdup (layer->blob);
      layer->key = dn_layer_key (below, layer->blob);
      below = layer->key;
      g_ptr_array_add (layers, layer);
    }
  return layers;
}

/* As a guest would: what comes of a layer is its root hash, made of its key, or of @salt with it.
 */
static gboolean
make_layer (DnStoreHold *hold, const char *staging, GPtrArray *layers, guint i, const char *salt)
{
  DnLayer *layer = layers->pdata[i];
  g_autofree char *directory = g_build_filename (staging, layer->key, NULL);
  g_autofree char *facts = g_build_filename (directory, "layer.json", NULL);
  g_autofree char *file = g_build_filename (directory, "layer.erofs", NULL);
  g_autofree char *made_of = g_strconcat (layer->key, salt, NULL);
  g_autoptr (JsonNode) node = NULL;

  layer->root_hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, made_of, -1);
  layer->data_blocks = 2;
  layer->hash_blocks = 1;
  node = dn_json_node_take (dn_layer_to_json (layer));
  g_assert_true (dn_tree_make (directory, 0711, NULL));
  g_assert_true (g_file_set_contents (file, made_of, -1, NULL));
  g_assert_true (dn_state_file_write (facts, node, NULL));
  layers->pdata[i] = dn_store_keep_layer (hold, layer, directory, NULL);
  g_assert_true (layers->pdata[i] == layer);
  dn_layer_unref (layer);
  return TRUE;
}

/* @letters: one for each layer, its blob */
static gboolean
try_add_salted (DnStore *store, const char *id, const char *name, const char *letters,
                const char *salt, GError **error)
{
  g_autoptr (DnStoreHold) hold = dn_store_hold_new (store);
  g_autoptr (DnImage) image = dn_image_new ();
  g_autoptr (DnImage) named = NULL;
  char *names[] = { (char *) name, NULL };
  char *staging = dn_store_begin_staging (store, NULL);
  GPtrArray *layers = plan_layers (hold, staging, letters);
  gboolean is_fine;
  guint have;

  g_assert_true (dn_store_claim_layers (hold, layers, &have));
  for (guint i = have; i < layers->len; i++)
    make_layer (hold, staging, layers, i, salt);
  image->id = g_strdup (id);
  image->manifest_sha256 = keep_text (hold, staging, id);
  dn_image_set_layers (image, layers);
  is_fine = dn_store_add (hold, image, staging, error);
  dn_store_end_staging (store, staging);
  if (is_fine)
    named = dn_store_name (store, id, names, dn_image_source_new (id, "", names), error);
  return named != NULL;
}

static gboolean
try_add (DnStore *store, const char *id, const char *name, const char *letters, GError **error)
{
  return try_add_salted (store, id, name, letters, "", error);
}

static char *
blob_of (const char *text)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

static gboolean
has_layer (DnStore *store, const char *letters)
{
  g_autofree char *key = NULL, *path = NULL;
  g_autoptr (DnLayer) layer = NULL;
  gboolean is_known;

  for (gsize i = 0; letters[i] != '\0'; i++)
    {
      char text[] = { letters[i], '\0' };
      g_autofree char *blob = blob_of (text);
      g_autofree char *below = g_steal_pointer (&key);

      key = dn_layer_key (below, blob);
    }
  path = dn_store_layer_path (store, key);
  layer = dn_store_find_layer (store, key);
  is_known = layer != NULL;
  g_assert_true (is_known == g_file_test (path, G_FILE_TEST_EXISTS));
  return is_known;
}

static gboolean
has_text (DnStore *store, const char *text)
{
  g_autofree char *blob = blob_of (text);

  return dn_store_has_blob (store, blob);
}

static void
remove_image (DnStore *store, const char *id, GPtrArray *removed)
{
  char *staging = dn_store_begin_staging (store, NULL);
  g_autoptr (DnImage) image = dn_store_withdraw (store, id, staging, NULL);

  g_assert_nonnull (image);
  dn_store_discard (store, image, staging, removed);
}

static DnStore *
empty_store (void)
{
  g_autofree char *path = g_build_filename (dn_paths ()->state, "store", NULL);
  g_autoptr (GError) error = NULL;
  DnStore *store;

  g_assert_true (dn_tree_remove (path, NULL));
  store = dn_store_open (&error);
  g_assert_no_error (error);
  return store;
}

static void
assert_found (DnStore *store, const char *text, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnImage) image = dn_store_find (store, text, everything (), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (image->id, ==, id);
}

static void
test_images_are_found_by_name_and_by_the_beginning_of_an_id (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GError) error = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/nginx:demo", "ab", &error));
  g_assert_true (try_add (store, SECOND, "docker.io/library/redis:7", "ac", &error));
  assert_found (store, "nginx:demo", FIRST);
  assert_found (store, "localhost/nginx:demo", FIRST);
  assert_found (store, "docker.io/library/redis:7", SECOND);
  assert_found (store, "111", FIRST);
  assert_found (store, "sha256:1122", SECOND);
  g_assert_null (dn_store_find (store, "redis:7", everything (), &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (dn_store_find (store, "11", everything (), &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
  dn_store_free (store);
}

/* Somebody who may use what is of one tenant's registry. */
static void
test_an_image_is_seen_by_the_names_that_one_may_know (void)
{
  DnStore *store = empty_store ();
  char *acmes[] = { (char *) "registry.example/acme/**", NULL };
  g_autoptr (DnImageView) view = dn_image_view_new ();
  g_autoptr (DnImage) found = NULL, shown = NULL;
  g_autoptr (GError) error = NULL;
  char *other[] = { (char *) "registry.example/globex/secret:1", NULL };

  dn_image_view_allow (view, acmes);
  g_assert_true (try_add (store, FIRST, "registry.example/acme/web:1", "ab", NULL));
  dn_image_unref (dn_store_name (store, FIRST, other, NULL, NULL));
  g_assert_true (try_add (store, SECOND, "registry.example/globex/db:1", "ac", NULL));
  /* One image, of two names: found by one and shown with that. */
  found = dn_store_find (store, "registry.example/acme/web:1", view, &error);
  g_assert_no_error (error);
  shown = dn_image_view_show (view, found);
  g_assert_cmpstr (shown->names[0], ==, "registry.example/acme/web:1");
  g_assert_null (shown->names[1]);
  g_assert_cmpuint (shown->sources->len, ==, 0);
  g_assert_null (dn_store_find (store, other[0], view, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* The other one makes the beginning of the id not ambiguous, for it is not there. */
  g_clear_pointer (&found, dn_image_unref);
  g_assert_null (dn_store_find (store, "1122", view, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* Unless one of its own containers has it: then by its id, and without a name. */
  dn_image_view_add (view, SECOND);
  found = dn_store_find (store, "1122", view, &error);
  g_assert_no_error (error);
  g_clear_pointer (&shown, dn_image_unref);
  shown = dn_image_view_show (view, found);
  g_assert_null (shown->names[0]);
  dn_store_free (store);
}

static void
test_images_are_there_again_after_a_restart (void)
{
  DnStore *store = empty_store ();
  g_autoptr (DnImage) image = NULL;
  g_autoptr (DnGuestDisk) disk = NULL;
  g_autofree char *text = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "abc", NULL));
  dn_store_free (store);
  store = dn_store_open (NULL);
  assert_found (store, "a:1", FIRST);
  image = dn_store_find_source (store, FIRST, "");
  g_assert_nonnull (image);
  g_assert_cmpuint (image->layers->len, ==, 3);
  g_assert_cmpint (image->rootfs_bytes, ==, 3 * 3 * 4096);
  disk = dn_store_make_disk (store, image);
  g_assert_true (g_file_get_contents (disk->path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "RW 24 FLAT \"../../layers/"));
  g_assert_null (strstr (text, "\n\n"));
  dn_store_free (store);
}

static void
test_an_image_that_lacks_a_layer_is_left_out (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (DnImage) image = NULL;
  g_autofree char *directory = NULL, *path = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_true (try_add (store, SECOND, "localhost/b:1", "a", NULL));
  image = dn_store_find_id (store, FIRST);
  path = dn_store_layer_path (store, ((DnLayer *) image->layers->pdata[1])->key);
  directory = g_path_get_dirname (path);
  dn_store_free (store);
  g_assert_true (dn_tree_remove (directory, NULL));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*is left out: its layer*is missing*");
  store = dn_store_open (NULL);
  g_test_assert_expected_messages ();
  g_assert_null (dn_store_find_id (store, FIRST));
  assert_found (store, "b:1", SECOND);
  dn_store_sweep (store, removed);
  assert_found (store, "b:1", SECOND);
  g_assert_true (has_layer (store, "a"));
  dn_store_free (store);
}

static void
test_a_name_moves_to_the_image_that_was_loaded_last (void)
{
  DnStore *store = empty_store ();
  g_autoptr (DnImage) old = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_true (try_add (store, SECOND, "localhost/a:1", "ac", NULL));
  assert_found (store, "a:1", SECOND);
  old = dn_store_find_id (store, FIRST);
  g_assert_cmpuint (g_strv_length (old->names), ==, 0);
  dn_store_free (store);
}

static void
test_an_archive_cannot_replace_an_image_by_claiming_its_id (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GError) error = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_false (try_add (store, FIRST, "localhost/a:1", "ae", &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  g_assert_true (has_layer (store, "ab"));
  /* What was made for it has gone again. */
  g_assert_false (has_layer (store, "ae"));
  g_assert_false (has_text (store, "e"));
  dn_store_free (store);
}

/* A guest that a hostile archive took over writes what it likes, but under no other's key. */
static void
test_a_layer_that_is_there_is_never_made_again (void)
{
  DnStore *store = empty_store ();
  g_autoptr (DnImage) first = NULL, second = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_true (try_add_salted (store, SECOND, "localhost/b:1", "ac", "evil", NULL));
  first = dn_store_find_id (store, FIRST);
  second = dn_store_find_id (store, SECOND);
  g_assert_true (dn_layer_equal (first->layers->pdata[0], second->layers->pdata[0]));
  g_assert_false (dn_layer_equal (first->layers->pdata[1], second->layers->pdata[1]));
  dn_store_free (store);
}

static void
test_a_layer_lives_as_long_as_an_image_has_it (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_true (try_add (store, SECOND, "localhost/b:1", "ac", NULL));
  remove_image (store, FIRST, removed);
  /* The image, its own layer, that one's blob and its manifest. */
  g_assert_cmpuint (removed->len, ==, 4);
  g_assert_true (has_layer (store, "a") && has_text (store, "a"));
  g_assert_false (has_layer (store, "ab") || has_text (store, "b"));
  g_assert_true (has_layer (store, "ac") && has_text (store, "c"));
  remove_image (store, SECOND, removed);
  g_assert_false (has_layer (store, "a") || has_text (store, "a") || has_layer (store, "ac"));
  dn_store_free (store);
}

static void
test_what_an_import_needs_is_kept_and_goes_with_its_failure (void)
{
  DnStore *store = empty_store ();
  DnStoreHold *hold = dn_store_hold_new (store);
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  char *staging = dn_store_begin_staging (store, NULL);
  g_autoptr (GPtrArray) layers = NULL;
  guint have;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  layers = plan_layers (hold, staging, "acd");
  g_assert_true (dn_store_claim_layers (hold, layers, &have));
  g_assert_cmpuint (have, ==, 1);
  make_layer (hold, staging, layers, 1, "");
  remove_image (store, FIRST, removed);
  dn_store_sweep (store, removed);
  g_assert_true (has_layer (store, "a") && has_layer (store, "ac") && has_text (store, "d"));
  dn_store_hold_free (hold);
  g_assert_false (has_layer (store, "a") || has_layer (store, "ac") || has_text (store, "d"));
  dn_store_end_staging (store, staging);
  dn_store_free (store);
}

static void
test_one_import_makes_a_layer_and_the_other_waits_for_it (void)
{
  DnStore *store = empty_store ();
  DnStoreHold *first = dn_store_hold_new (store), *second = dn_store_hold_new (store);
  char *staging = dn_store_begin_staging (store, NULL);
  g_autoptr (GPtrArray) firsts = plan_layers (first, staging, "ab");
  g_autoptr (GPtrArray) seconds = plan_layers (second, staging, "abc");
  guint have;

  g_assert_true (dn_store_claim_layers (first, firsts, &have));
  g_assert_cmpuint (have, ==, 0);
  g_assert_false (dn_store_claim_layers (second, seconds, &have));
  make_layer (first, staging, firsts, 0, "");
  g_assert_false (dn_store_claim_layers (second, seconds, &have));
  make_layer (first, staging, firsts, 1, "");
  g_assert_true (dn_store_claim_layers (second, seconds, &have));
  g_assert_cmpuint (have, ==, 2);
  /* The first fails after all: what the second is built on stays. */
  dn_store_hold_free (first);
  g_assert_true (has_layer (store, "ab"));
  dn_store_hold_free (second);
  g_assert_false (has_layer (store, "a"));
  dn_store_end_staging (store, staging);
  dn_store_free (store);
}

static void
test_a_claim_ends_with_its_import (void)
{
  DnStore *store = empty_store ();
  DnStoreHold *first = dn_store_hold_new (store), *second = dn_store_hold_new (store);
  char *staging = dn_store_begin_staging (store, NULL);
  g_autoptr (GPtrArray) firsts = plan_layers (first, staging, "ab");
  g_autoptr (GPtrArray) seconds = plan_layers (second, staging, "ab");
  guint have;

  g_assert_true (dn_store_claim_layers (first, firsts, &have));
  g_assert_false (dn_store_claim_layers (second, seconds, &have));
  dn_store_hold_free (first);
  g_assert_true (dn_store_claim_layers (second, seconds, &have));
  g_assert_cmpuint (have, ==, 0);
  dn_store_hold_free (second);
  dn_store_end_staging (store, staging);
  dn_store_free (store);
}

static void
test_provenance_is_changed_member_by_member (void)
{
  DnStore *store = empty_store ();
  g_autoptr (JsonNode) members
      = json_from_string ("{\"from\":\"archive\",\"scan\":{\"x\":1}}", NULL);
  g_autoptr (JsonNode) other = json_from_string ("{\"scan\":null,\"time\":\"now\"}", NULL);
  g_autoptr (DnImage) image = NULL;
  g_autoptr (JsonObject) provenance = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "a", NULL));
  image = dn_store_set_provenance (store, FIRST, json_node_get_object (members), NULL);
  g_assert_nonnull (image);
  dn_image_unref (dn_store_set_provenance (store, FIRST, json_node_get_object (other), NULL));
  dn_store_free (store);
  store = dn_store_open (NULL);
  dn_image_unref (image);
  image = dn_store_find_id (store, FIRST);
  provenance = dn_image_get_provenance (image);
  g_assert_cmpstr (json_object_get_string_member (provenance, "from"), ==, "archive");
  g_assert_cmpstr (json_object_get_string_member (provenance, "time"), ==, "now");
  g_assert_false (json_object_has_member (provenance, "scan"));
  dn_store_free (store);
}

static void
test_a_sweep_removes_what_is_nobodys_and_nothing_else (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *blob = dn_store_blob_path (store, OTHER);
  g_autofree char *layer = dn_store_layer_path (store, OTHER);
  g_autofree char *directory = g_path_get_dirname (layer);
  char *left = dn_store_begin_staging (store, NULL);
  char *under_way;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "ab", NULL));
  g_assert_true (g_file_set_contents (blob, "x", -1, NULL));
  g_assert_true (dn_tree_make (directory, 0711, NULL));
  /* As if danchid had been killed: the directory is there, and nobody's any more. */
  dn_store_free (store);
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*layer*is left out*");
  store = dn_store_open (NULL);
  g_test_assert_expected_messages ();
  under_way = dn_store_begin_staging (store, NULL);
  dn_store_sweep (store, removed);
  g_assert_cmpuint (removed->len, ==, 3);
  g_assert_false (g_file_test (left, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (blob, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (under_way, G_FILE_TEST_EXISTS));
  assert_found (store, "a:1", FIRST);
  g_assert_true (has_layer (store, "ab") && has_text (store, "b"));
  dn_store_end_staging (store, under_way);
  dn_store_free (store);
  g_free (left);
}

int
main (int argc, char **argv)
{
  g_autofree char *directory = g_dir_make_tmp ("dn-store-XXXXXX", NULL);
  int status;

  g_test_init (&argc, &argv, NULL);
  dn_paths_override (NULL, directory, NULL);
  g_test_add_func ("/store/images-are-found-by-name-and-by-the-beginning-of-an-id",
                   test_images_are_found_by_name_and_by_the_beginning_of_an_id);
  g_test_add_func ("/store/an-image-is-seen-by-the-names-that-one-may-know",
                   test_an_image_is_seen_by_the_names_that_one_may_know);
  g_test_add_func ("/store/images-are-there-again-after-a-restart",
                   test_images_are_there_again_after_a_restart);
  g_test_add_func ("/store/a-name-moves-to-the-image-that-was-loaded-last",
                   test_a_name_moves_to_the_image_that_was_loaded_last);
  g_test_add_func ("/store/an-archive-cannot-replace-an-image-by-claiming-its-id",
                   test_an_archive_cannot_replace_an_image_by_claiming_its_id);
  g_test_add_func ("/store/a-sweep-removes-what-is-nobodys-and-nothing-else",
                   test_a_sweep_removes_what_is_nobodys_and_nothing_else);
  g_test_add_func ("/store/an-image-that-lacks-a-layer-is-left-out",
                   test_an_image_that_lacks_a_layer_is_left_out);
  g_test_add_func ("/store/a-layer-that-is-there-is-never-made-again",
                   test_a_layer_that_is_there_is_never_made_again);
  g_test_add_func ("/store/a-layer-lives-as-long-as-an-image-has-it",
                   test_a_layer_lives_as_long_as_an_image_has_it);
  g_test_add_func ("/store/what-an-import-needs-is-kept-and-goes-with-its-failure",
                   test_what_an_import_needs_is_kept_and_goes_with_its_failure);
  g_test_add_func ("/store/one-import-makes-a-layer-and-the-other-waits-for-it",
                   test_one_import_makes_a_layer_and_the_other_waits_for_it);
  g_test_add_func ("/store/a-claim-ends-with-its-import", test_a_claim_ends_with_its_import);
  g_test_add_func ("/store/provenance-is-changed-member-by-member",
                   test_provenance_is_changed_member_by_member);
  status = g_test_run ();
  (void) dn_tree_remove (directory, NULL);
  return status;
}
