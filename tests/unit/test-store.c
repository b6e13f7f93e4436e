/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/images/store*.c launcher/images/image.c launcher/images/layer.c
 * launcher/daemon/json-build.c
 * launcher/images/image-view.c launcher/spec/reference-glob.c
 * launcher/common/names.c launcher/images/reference.c
 * launcher/common/state-file.c launcher/daemon/tree.c launcher/common/error.c
 * launcher/common/json.c launcher/common/paths.c protocol/protocol.c protocol/pack.c */
/* Packages: json-glib-1.0 */
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/names.h"
#include "../../launcher/common/paths.h"
#include "../../launcher/daemon/tree.h"
#include "../../launcher/images/store.h"

#define FIRST "1111111111111111111111111111111111111111111111111111111111111111"
#define SECOND "1122222222222222222222222222222222222222222222222222222222222222"
#define ARCHIVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
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

static gboolean
try_add (DnStore *store, const char *id, const char *name, const char *rootfs, const char *archive,
         GError **error)
{
  g_autoptr (DnImage) image = dn_image_new ();
  g_autoptr (DnImage) named = NULL;
  char *names[] = { (char *) name, NULL };
  char *staging = dn_store_begin_staging (store, NULL);
  g_autofree char *root = g_build_filename (staging, DN_STORE_ROOTFS, NULL);
  g_autofree char *blob = g_build_filename (staging, DN_STORE_ARCHIVE, NULL);
  gboolean is_fine;

  g_assert_true (g_file_set_contents (root, rootfs, -1, NULL));
  g_assert_true (g_file_set_contents (blob, archive, -1, NULL));
  image->id = g_strdup (id);
  image->rootfs_sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, rootfs, -1);
  image->manifest_sha256 = g_strdup (id);
  g_ptr_array_add (image->sources, dn_image_source_new (archive, "", names));
  is_fine = dn_store_add (store, image, staging, archive, error);
  dn_store_end_staging (store, staging);
  if (is_fine)
    named = dn_store_name (store, id, names, dn_image_source_new (archive, "", names), error);
  return named != NULL;
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

  g_assert_true (try_add (store, FIRST, "localhost/nginx:demo", "root", ARCHIVE, &error));
  g_assert_true (try_add (store, SECOND, "docker.io/library/redis:7", "more", OTHER, &error));
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
  g_assert_true (try_add (store, FIRST, "registry.example/acme/web:1", "root", ARCHIVE, NULL));
  dn_image_unref (dn_store_name (store, FIRST, other, NULL, NULL));
  g_assert_true (try_add (store, SECOND, "registry.example/globex/db:1", "more", OTHER, NULL));
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
  g_autofree char *rootfs = NULL, *text = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "root", ARCHIVE, NULL));
  dn_store_free (store);
  store = dn_store_open (NULL);
  assert_found (store, "a:1", FIRST);
  image = dn_store_find_source (store, ARCHIVE, "");
  g_assert_nonnull (image);
  rootfs = dn_store_rootfs_path (store, FIRST);
  g_assert_true (g_file_get_contents (rootfs, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "root");
  dn_store_free (store);
}

static void
test_a_name_moves_to_the_image_that_was_loaded_last (void)
{
  DnStore *store = empty_store ();
  g_autoptr (DnImage) old = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "root", ARCHIVE, NULL));
  g_assert_true (try_add (store, SECOND, "localhost/a:1", "more", OTHER, NULL));
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
  g_autofree char *rootfs = dn_store_rootfs_path (store, FIRST);
  g_autofree char *text = NULL;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "root", ARCHIVE, NULL));
  g_assert_false (try_add (store, FIRST, "localhost/a:1", "evil", OTHER, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  g_assert_true (g_file_get_contents (rootfs, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "root");
  dn_store_free (store);
}

static void
test_a_removed_image_takes_its_archive_along (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *blob = dn_store_blob_path (store, ARCHIVE);

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "root", ARCHIVE, NULL));
  g_assert_true (try_add (store, SECOND, "localhost/b:1", "more", ARCHIVE, NULL));
  remove_image (store, FIRST, removed);
  g_assert_cmpuint (removed->len, ==, 1);
  g_assert_true (g_file_test (blob, G_FILE_TEST_EXISTS));
  remove_image (store, SECOND, removed);
  g_assert_cmpuint (removed->len, ==, 3);
  g_assert_false (g_file_test (blob, G_FILE_TEST_EXISTS));
  dn_store_free (store);
}

static void
test_a_sweep_removes_what_is_nobodys_and_nothing_else (void)
{
  DnStore *store = empty_store ();
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *blob = dn_store_blob_path (store, OTHER);
  char *left = dn_store_begin_staging (store, NULL);
  char *under_way;

  g_assert_true (try_add (store, FIRST, "localhost/a:1", "root", ARCHIVE, NULL));
  g_assert_true (g_file_set_contents (blob, "x", -1, NULL));
  /* As if danchid had been killed: the directory is there, and nobody's any more. */
  dn_store_free (store);
  store = dn_store_open (NULL);
  under_way = dn_store_begin_staging (store, NULL);
  dn_store_sweep (store, removed);
  g_assert_cmpuint (removed->len, ==, 2);
  g_assert_false (g_file_test (left, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (blob, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_test (under_way, G_FILE_TEST_EXISTS));
  assert_found (store, "a:1", FIRST);
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
  g_test_add_func ("/store/a-removed-image-takes-its-archive-along",
                   test_a_removed_image_takes_its_archive_along);
  g_test_add_func ("/store/a-sweep-removes-what-is-nobodys-and-nothing-else",
                   test_a_sweep_removes_what_is_nobodys_and_nothing_else);
  status = g_test_run ();
  (void) dn_tree_remove (directory, NULL);
  return status;
}
