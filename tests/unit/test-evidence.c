/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/cli/evidence.c launcher/common/error.c launcher/common/json.c */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/cli/evidence.h"
#include "../../launcher/common/error.h"
#include "../../launcher/common/json.h"

typedef struct
{
  char *top;  /* owned */
  char *path; /* owned; the evidence's directory, which does not exist */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  (void) data;
  f->top = g_dir_make_tmp ("danchi-evidence-XXXXXX", NULL);
  f->path = g_build_filename (f->top, "evidence", NULL);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  (void) g_remove (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  (void) data;
  remove_tree (f->top);
  g_free (f->top);
  g_free (f->path);
}

static int
memory_file (const void *bytes, gsize size)
{
  int fd = memfd_create ("test", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, bytes, size), ==, (gssize) size);
  return fd;
}

static JsonObject *
read_manifest (const Fixture *f, JsonNode **ret_node)
{
  g_autofree char *path = g_build_filename (f->path, "manifest.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &text, &size, &error));
  *ret_node = dn_json_parse (text, size, 1 << 20, path, &error);
  g_assert_no_error (error);
  return json_node_get_object (*ret_node);
}

static void
assert_text (const Fixture *f, const char *name, const char *wanted)
{
  g_autofree char *path = g_build_filename (f->path, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, wanted);
}

static void
test_names_stay_below_the_directory (void)
{
  static const char *const good[] = { "a", "domain.xml", "containers/00ff/log.0", "A-b_c.d" };
  static const char *const bad[] = { "",   "/",    "/a",  "a/",   "a//b", "..", "a/../b",
                                     ".a", "a/.b", "a b", "a\nb", "a\\b", "-a", "\xc3\xa4" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dn_evidence_name_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (dn_evidence_name_is_valid (bad[i]));
}

static void
test_a_manifest_names_each_file_with_its_digest (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnEvidence) evidence = dn_evidence_open (f->path, "acme", NULL, &error);
  g_autoptr (JsonObject) facts = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  int fd = memory_file ("hello\n", 6);
  JsonObject *manifest, *file;
  struct stat status;

  (void) data;
  g_assert_no_error (error);
  manifest = read_manifest (f, &node);
  g_assert_cmpstr (json_object_get_string_member (manifest, "status"), ==, "incomplete");
  g_clear_pointer (&node, json_node_unref);
  /* Wherever the descriptor stands, and no more than was announced. */
  g_assert_true (dn_evidence_add (evidence, "containers/1/log.0", fd, 6, &error));
  g_assert_true (dn_evidence_add (evidence, "short", fd, 100, &error));
  g_assert_true (dn_evidence_add (evidence, "cut", fd, 2, &error));
  close (fd);
  json_object_set_int_member (facts, "frozen_us", 1500000);
  json_object_set_string_member (facts, "status", "not for danchid to say");
  g_assert_true (dn_evidence_finish (evidence, facts, NULL, &error));
  manifest = read_manifest (f, &node);
  g_assert_cmpstr (json_object_get_string_member (manifest, "status"), ==, "complete");
  g_assert_cmpstr (json_object_get_string_member (manifest, "context"), ==, "acme");
  g_assert_cmpstr (json_object_get_string_member (manifest, "frozen"), ==, "1970-01-01T00:00:01Z");
  file = json_array_get_object_element (json_object_get_array_member (manifest, "files"), 0);
  g_assert_cmpstr (json_object_get_string_member (file, "path"), ==, "containers/1/log.0");
  g_assert_cmpint (json_object_get_int_member (file, "size_bytes"), ==, 6);
  g_assert_cmpstr (json_object_get_string_member (file, "sha256"), ==,
                   "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
  assert_text (f, "short", "hello\n");
  assert_text (f, "cut", "he");
  g_assert_cmpint (stat (f->path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0700);
}

static void
test_holes_are_the_same_bytes (Fixture *f, gconstpointer data)
{
  enum
  {
    SIZE = 600000
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (DnEvidence) evidence = dn_evidence_open (f->path, "acme", NULL, &error);
  g_autofree char *path = g_build_filename (f->path, "memory.elf", NULL);
  g_autofree guint8 *bytes = g_malloc0 (SIZE);
  g_autofree char *found = NULL;
  gsize size;
  int fd;

  (void) data;
  bytes[0] = 7;
  fd = memory_file (bytes, SIZE);
  g_assert_true (dn_evidence_add (evidence, "memory.elf", fd, SIZE, &error));
  close (fd);
  g_assert_true (g_file_get_contents (path, &found, &size, NULL));
  g_assert_cmpmem (found, size, bytes, SIZE);
}

static void
test_a_directory_with_something_in_it_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *other = g_build_filename (f->path, "other", NULL);
  g_autoptr (GError) error = NULL;

  (void) data;
  g_assert_cmpint (g_mkdir (f->path, 0755), ==, 0);
  g_assert_true (g_file_set_contents (other, "x", 1, NULL));
  g_assert_null (dn_evidence_open (f->path, "acme", NULL, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFLICT);
  assert_text (f, "other", "x");
}

static void
test_nothing_is_written_over_or_outside (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnEvidence) evidence = dn_evidence_open (f->path, "acme", NULL, &error);
  int fd = memory_file ("x", 1);

  (void) data;
  g_assert_true (dn_evidence_add (evidence, "a", fd, 1, NULL));
  g_assert_false (dn_evidence_add (evidence, "a", fd, 1, NULL));
  g_assert_false (dn_evidence_add (evidence, "manifest.json", fd, 1, NULL));
  g_assert_false (dn_evidence_add (evidence, "../b", fd, 1, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_PROTOCOL);
  close (fd);
}

static void
test_what_broke_off_says_why (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnEvidence) evidence = dn_evidence_open (f->path, "acme", NULL, &error);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *manifest;

  (void) data;
  g_assert_true (dn_evidence_finish (evidence, NULL, "the disk is full", &error));
  manifest = read_manifest (f, &node);
  g_assert_cmpstr (json_object_get_string_member (manifest, "status"), ==, "incomplete");
  g_assert_cmpstr (json_object_get_string_member (manifest, "problem"), ==, "the disk is full");
}

static void
test_a_key_that_others_can_read_or_that_is_none_leaves_nothing (Fixture *f, gconstpointer data)
{
  g_autofree char *key = g_build_filename (f->top, "key", NULL);
  g_autoptr (GError) open_to_all = NULL, no_key = NULL;

  (void) data;
  g_assert_true (g_file_set_contents (key, "no key", -1, NULL));
  g_assert_cmpint (g_chmod (key, 0644), ==, 0);
  g_assert_null (dn_evidence_open (f->path, "acme", key, &open_to_all));
  g_assert_error (open_to_all, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_cmpint (g_chmod (key, 0600), ==, 0);
  g_assert_null (dn_evidence_open (f->path, "acme", key, &no_key));
  g_assert_error (no_key, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/evidence/names stay below the directory", test_names_stay_below_the_directory);
#define ADD(name, func) g_test_add ("/evidence/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("a manifest names each file with its digest",
       test_a_manifest_names_each_file_with_its_digest);
  ADD ("holes are the same bytes", test_holes_are_the_same_bytes);
  ADD ("a directory with something in it is refused",
       test_a_directory_with_something_in_it_is_refused);
  ADD ("nothing is written over or outside", test_nothing_is_written_over_or_outside);
  ADD ("what broke off says why", test_what_broke_off_says_why);
  ADD ("a key that others can read or that is none leaves nothing",
       test_a_key_that_others_can_read_or_that_is_none_leaves_nothing);
  return g_test_run ();
}
