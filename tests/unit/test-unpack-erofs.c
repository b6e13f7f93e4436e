/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/unpack/erofs.c guest-agent/unpack/erofs-attributes.c
 * guest-agent/unpack/erofs-layout.c guest-agent/unpack/erofs-node.c guest-agent/unpack/tree-walk.c
 * guest-agent/unpack/failure.c */
/* Needs: root */
/* EROFS images as they are written here, read by the kernel: each tree must come back as it was. In
 * a mount namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/loop.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../guest-agent/unpack/erofs.h"

typedef struct
{
  char *directory; /* owned; "tree", "image" and "mounted" are in it */
  guint64 bytes;   /* of the image */
  guint64 inodes;
} Fixture;

static char *
path_of (const Fixture *fixture, const char *name)
{
  return g_build_filename (fixture->directory, name, NULL);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *tree = NULL;
  g_autofree char *mounted = NULL;

  (void) data;
  fixture->directory = g_dir_make_tmp ("danchi-erofs-XXXXXX", NULL);
  tree = path_of (fixture, "tree");
  mounted = path_of (fixture, "mounted");
  g_assert_cmpint (mkdir (tree, 0755), ==, 0);
  g_assert_cmpint (mkdir (mounted, 0755), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  const char *const argv[] = { "rm", "-rf", fixture->directory, NULL };
  g_autofree char *mounted = path_of (fixture, "mounted");

  (void) data;
  (void) umount2 (mounted, 0);
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, NULL, NULL));
  g_free (fixture->directory);
}

/* A file of so many bytes that differ from block to block. */
static void
make_file (const Fixture *fixture, const char *name, gsize size)
{
  g_autofree char *path = g_strdup_printf ("%s/tree/%s", fixture->directory, name);
  g_autofree guint32 *bytes = g_malloc0 (size + 4);

  for (gsize i = 0; i < size / 4 + 1; i++)
    bytes[i] = (guint32) (i * 2654435761u + size);
  g_assert_true (g_file_set_contents_full (path, (char *) bytes, (gssize) size,
                                           G_FILE_SET_CONTENTS_NONE, 0640, NULL));
}

static void
count_inode (guint64 done, guint64 total)
{
  g_assert_cmpuint (done, <=, total);
}

static void
build (Fixture *fixture, const char *image)
{
  const DnDigest identity = { .bytes = { 1, 2, 3 } };
  g_autofree char *tree = path_of (fixture, "tree");
  g_autofree char *output = path_of (fixture, image);
  int fd = open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DnFailure failure = { 0 };
  struct stat status;

  g_assert_cmpint (fd, >=, 0);
  if (!dn_erofs_build (fd, output, &identity, count_inode, &fixture->bytes, &failure))
    g_error ("%s", failure.message);
  close (fd);
  g_assert_cmpint (stat (output, &status), ==, 0);
  g_assert_cmpuint (fixture->bytes % DN_EROFS_BLOCK_BYTES, ==, 0);
  g_assert_cmpuint (fixture->bytes, >=, 2 * DN_EROFS_BLOCK_BYTES);
}

static void
show (const Fixture *fixture)
{
  g_autofree char *image = path_of (fixture, "image");
  g_autofree char *mounted = path_of (fixture, "mounted");
  int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  int file = open (image, O_RDONLY | O_CLOEXEC);
  struct loop_config config
      = { .fd = (guint32) file, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };

  g_assert_true (control >= 0 && file >= 0);
  for (int tries = 0;; tries++)
    {
      g_autofree char *device = g_strdup_printf ("/dev/loop%d", ioctl (control, LOOP_CTL_GET_FREE));
      int loop = open (device, O_RDONLY | O_CLOEXEC);

      g_assert_cmpint (tries, <, 100);
      if (loop >= 0 && ioctl (loop, LOOP_CONFIGURE, &config) == 0)
        {
          g_assert_cmpint (mount (device, mounted, "erofs", MS_RDONLY, NULL), ==, 0);
          close (loop);
          break;
        }
      if (loop >= 0)
        close (loop);
    }
  close (control);
  close (file);
}

static void
assert_same_attributes (const char *one, const char *other)
{
  static char names[65536], value[65536], other_value[65536];
  ssize_t size = llistxattr (one, names, sizeof names);

  g_assert_cmpint (size, >=, 0);
  for (const char *name = names; name < names + size; name += strlen (name) + 1)
    {
      ssize_t length = lgetxattr (one, name, value, sizeof value);

      if (!g_str_has_prefix (name, "user.") && !g_str_equal (name, "trusted.overlay.opaque"))
        {
          g_assert_cmpint (lgetxattr (other, name, other_value, sizeof other_value), <, 0);
          continue;
        }
      g_assert_cmpint (length, >=, 0);
      g_assert_cmpint (lgetxattr (other, name, other_value, sizeof other_value), ==, length);
      g_assert_cmpmem (value, (gsize) length, other_value, (gsize) length);
    }
}

static void
assert_same_content (const char *one, const char *other, mode_t mode)
{
  g_autofree char *bytes = NULL;
  g_autofree char *other_bytes = NULL;
  gsize size;
  gsize other_size;

  if (S_ISLNK (mode))
    {
      bytes = g_file_read_link (one, NULL);
      other_bytes = g_file_read_link (other, NULL);
      g_assert_cmpstr (bytes, ==, other_bytes);
    }
  else if (S_ISREG (mode))
    {
      g_assert_true (g_file_get_contents (one, &bytes, &size, NULL));
      g_assert_true (g_file_get_contents (other, &other_bytes, &other_size, NULL));
      g_assert_cmpmem (bytes, size, other_bytes, other_size);
    }
}

/* All below @one is below @other, by its own name and as it is. */
static void
assert_same (const char *one, const char *other)
{
  struct stat status;
  struct stat shown;
  GDir *directory;
  GDir *shown_directory;
  const char *name;
  guint count = 0;

  g_test_message ("%s", one);
  g_assert_cmpint (lstat (one, &status), ==, 0);
  g_assert_cmpint (lstat (other, &shown), ==, 0);
  g_assert_cmpuint (status.st_mode, ==, shown.st_mode);
  g_assert_true (status.st_uid == shown.st_uid && status.st_gid == shown.st_gid);
  g_assert_true (status.st_mtim.tv_sec == shown.st_mtim.tv_sec
                 && status.st_mtim.tv_nsec == shown.st_mtim.tv_nsec);
  g_assert_cmpuint (status.st_nlink, ==, shown.st_nlink);
  g_assert_cmpuint (status.st_rdev, ==, shown.st_rdev);
  assert_same_attributes (one, other);
  assert_same_content (one, other, status.st_mode);
  if (!S_ISDIR (status.st_mode))
    return;
  directory = g_dir_open (one, 0, NULL);
  shown_directory = g_dir_open (other, 0, NULL);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (one, name, NULL);
      g_autofree char *other_path = g_build_filename (other, name, NULL);

      assert_same (path, other_path);
      count++;
    }
  while (g_dir_read_name (shown_directory) != NULL)
    count--;
  g_assert_cmpuint (count, ==, 0);
  g_dir_close (directory);
  g_dir_close (shown_directory);
}

static void
assert_comes_back (Fixture *fixture)
{
  g_autofree char *tree = path_of (fixture, "tree");
  g_autofree char *mounted = path_of (fixture, "mounted");

  build (fixture, "image");
  show (fixture);
  assert_same (tree, mounted);
}

static void
test_an_empty_tree_has_two_blocks (Fixture *fixture, gconstpointer data)
{
  (void) data;
  assert_comes_back (fixture);
  g_assert_cmpuint (fixture->bytes, ==, 2 * DN_EROFS_BLOCK_BYTES);
}

static void
test_files_of_all_sizes_around_a_block (Fixture *fixture, gconstpointer data)
{
  static const gsize sizes[]
      = { 0,    1,    31,   2000, 4000, 4031,    4032,    4033,    4095,           4096,
          4097, 8191, 8192, 8193, 8224, 1048575, 1048576, 1048577, 1048576 + 5000, 3000000 };

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%zu", sizes[i]);

      make_file (fixture, name, sizes[i]);
    }
  assert_comes_back (fixture);
}

static void
test_directories_of_many_blocks (Fixture *fixture, gconstpointer data)
{
  g_autofree char *directory = path_of (fixture, "tree/many");

  (void) data;
  g_assert_cmpint (mkdir (directory, 0700), ==, 0);
  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *filler = g_strnfill (i % 200, 'n');
      g_autofree char *name = g_strdup_printf ("many/%c%u%s", "!-.Az~"[i % 6], i, filler);
      g_autofree char *path = g_strdup_printf ("%s/tree/%s", fixture->directory, name);

      if (i % 7 == 0)
        g_assert_cmpint (mkdir (path, 0750), ==, 0);
      else
        make_file (fixture, name, i % 300);
    }
  assert_comes_back (fixture);
}

/* So that the last block of names ends just before, at, and after what an inode leaves of one. */
static void
test_directories_that_nearly_fill_a_block (Fixture *fixture, gconstpointer data)
{
  (void) data;
  for (guint length = 190; length < 256; length++)
    {
      g_autofree char *directory = g_strdup_printf ("%s/tree/%u", fixture->directory, length);

      g_assert_cmpint (mkdir (directory, 0755), ==, 0);
      for (guint i = 0; i < 18; i++)
        {
          g_autofree char *filler = g_strnfill (length - 2, 'n');
          g_autofree char *name = g_strdup_printf ("%u/%02u%s", length, i, filler);

          make_file (fixture, name, 1);
        }
    }
  assert_comes_back (fixture);
}

static void
test_links_of_all_kinds (Fixture *fixture, gconstpointer data)
{
  static const guint lengths[] = { 1, 100, 4000, 4031, 4032, 4033, 4095 };
  g_autofree char *tree = path_of (fixture, "tree");
  int fd = open (tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat status;
  struct stat other;

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *target = g_strnfill (lengths[i], 't');
      g_autofree char *name = g_strdup_printf ("link-%u", lengths[i]);

      g_assert_cmpint (symlinkat (target, fd, name), ==, 0);
    }
  make_file (fixture, "z-first", 5000);
  g_assert_cmpint (mkdirat (fd, "sub", 0755), ==, 0);
  g_assert_cmpint (linkat (fd, "z-first", fd, "a-second", 0), ==, 0);
  g_assert_cmpint (linkat (fd, "z-first", fd, "sub/third", 0), ==, 0);
  g_assert_cmpint (linkat (fd, "link-100", fd, "link-again", 0), ==, 0);
  g_assert_cmpint (mkfifoat (fd, "pipe", 0620), ==, 0);
  g_assert_cmpint (mknodat (fd, "whiteout", S_IFCHR, makedev (0, 0)), ==, 0);
  close (fd);
  assert_comes_back (fixture);
  {
    g_autofree char *one = path_of (fixture, "mounted/a-second");
    g_autofree char *three = path_of (fixture, "mounted/sub/third");

    g_assert_true (stat (one, &status) == 0 && stat (three, &other) == 0);
    g_assert_cmpuint (status.st_ino, ==, other.st_ino);
  }
}

static void
test_attributes_small_and_large (Fixture *fixture, gconstpointer data)
{
  static const gsize sizes[] = { 0, 1, 5, 300, 1500, 3000 };

  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *value = g_strnfill (sizes[i], 'v');
      g_autofree char *name = g_strdup_printf ("file-%zu", sizes[i]);
      g_autofree char *directory
          = g_strdup_printf ("%s/tree/dir-%zu", fixture->directory, sizes[i]);
      g_autofree char *path = g_strdup_printf ("%s/tree/%s", fixture->directory, name);

      make_file (fixture, name, 2000);
      g_assert_cmpint (setxattr (path, "user.z", value, sizes[i], 0), ==, 0);
      g_assert_cmpint (setxattr (path, "user.a", "1", 1, 0), ==, 0);
      g_assert_cmpint (setxattr (path, "trusted.other", "1", 1, 0), ==, 0);
      g_assert_cmpint (mkdir (directory, 0755), ==, 0);
      g_assert_cmpint (setxattr (directory, "trusted.overlay.opaque", "y", 1, 0), ==, 0);
      g_assert_cmpint (setxattr (directory, "user.v", value, sizes[i], 0), ==, 0);
    }
  assert_comes_back (fixture);
}

static void
test_nothing_of_before_shows_through (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dirty = path_of (fixture, "dirty");
  g_autofree char *image = path_of (fixture, "image");
  g_autofree char *filler = g_strnfill (4000000, 'x');
  g_autofree char *bytes = NULL;
  g_autofree char *dirty_bytes = NULL;
  gsize size;

  (void) data;
  g_assert_true (g_file_set_contents (dirty, filler, 4000000, NULL));
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);

      make_file (fixture, name, i * 37);
    }
  build (fixture, "image");
  build (fixture, "dirty");
  g_assert_true (g_file_get_contents (image, &bytes, &size, NULL));
  g_assert_true (g_file_get_contents (dirty, &dirty_bytes, NULL, NULL));
  g_assert_cmpuint (size, ==, fixture->bytes);
  g_assert_cmpmem (bytes, size, dirty_bytes, size);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/unpack/erofs/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_printerr ("test-unpack-erofs: needs root\n");
      return 1;
    }
  ADD ("an-empty-tree-has-two-blocks", test_an_empty_tree_has_two_blocks);
  ADD ("files-of-all-sizes-around-a-block", test_files_of_all_sizes_around_a_block);
  ADD ("directories-of-many-blocks", test_directories_of_many_blocks);
  ADD ("directories-that-nearly-fill-a-block", test_directories_that_nearly_fill_a_block);
  ADD ("links-of-all-kinds", test_links_of_all_kinds);
  ADD ("attributes-small-and-large", test_attributes_small_and_large);
  ADD ("nothing-of-before-shows-through", test_nothing_of_before_shows_through);
  return g_test_run ();
}
