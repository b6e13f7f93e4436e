/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/unpack-image.c guest-agent/unpack/*.c !guest-agent/unpack/main.c protocol/*.c
 */
/* Packages: -larchive -ljansson -lnettle -lz -lzstd */
/* Needs: root */
/* Layers over others, as EROFS images that the kernel's overlayfs puts together again: what shows
 * there, and what the images hold.  In a mount namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/loop.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unpack-image.h"

/* A stack of images, mounted. */
typedef struct
{
  Image image;
  char *root; /* owned; where all are shown as one */
  guint64 files[8];
} Stack;

static void
mount_image (const char *path, const char *target)
{
  int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  int file = open (path, O_RDONLY | O_CLOEXEC);
  struct loop_config config
      = { .fd = (guint32) file, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };

  g_assert_cmpint (control, >=, 0);
  g_assert_cmpint (file, >=, 0);
  g_assert_cmpint (mkdir (target, 0755), ==, 0);
  for (int tries = 0;; tries++)
    {
      g_autofree char *device = g_strdup_printf ("/dev/loop%d", ioctl (control, LOOP_CTL_GET_FREE));
      int loop = open (device, O_RDONLY | O_CLOEXEC);

      /* Others take devices, too. */
      g_assert_cmpint (tries, <, 100);
      if (loop >= 0 && ioctl (loop, LOOP_CONFIGURE, &config) == 0)
        {
          g_assert_cmpint (mount (device, target, "erofs", MS_RDONLY, NULL), ==, 0);
          close (loop);
          break;
        }
      if (loop >= 0)
        close (loop);
    }
  close (control);
  close (file);
}

/* Shows images 1 to @count as one. */
static void
show (Stack *stack, guint count)
{
  g_autoptr (GString) options = g_string_new ("lowerdir=");
  g_autofree char *empty = image_path (&stack->image, "empty");

  for (guint i = count; i > 0; i--)
    {
      g_autofree char *name = g_strdup_printf ("%u.erofs", i);
      g_autofree char *path = image_path (&stack->image, name);
      g_autofree char *mounted = g_strdup_printf ("%s/mounted-%u", stack->image.directory, i);

      mount_image (path, mounted);
      g_string_append_printf (options, "%s:", mounted);
    }
  /* Two at least. */
  g_assert_cmpint (mkdir (empty, 0755), ==, 0);
  g_string_append (options, empty);
  stack->root = image_path (&stack->image, "root");
  g_assert_cmpint (mkdir (stack->root, 0755), ==, 0);
  g_assert_cmpint (mount ("overlay", stack->root, "overlay", MS_RDONLY, options->str), ==, 0);
}

static void
unpack (Stack *stack, const char *name, guint count)
{
  g_auto (Run) read;

  memset (stack, 0, sizeof *stack);
  image_read (&stack->image, name, "", &read);
  g_assert_cmpuint (read.entries->len, ==, count);
  for (guint i = 0; i < count; i++)
    {
      g_auto (Run) run;

      image_unpack_layer (&stack->image, "1000", NULL, &run);
      g_assert_cmpuint (run.layer_dones, ==, 1);
      stack->files[i + 1] = run.layer_done.files;
    }
}

static void
stack_clear (Stack *stack)
{
  if (stack->root != NULL)
    g_assert_cmpint (umount2 (stack->root, 0), ==, 0);
  for (guint i = 1; i < 8; i++)
    {
      g_autofree char *mounted = g_strdup_printf ("%s/mounted-%u", stack->image.directory, i);

      (void) umount2 (mounted, 0);
    }
  g_free (stack->root);
  image_clear (&stack->image);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stack, stack_clear)

static gboolean
look_at (const Stack *stack, const char *name, struct stat *ret_status)
{
  g_autofree char *path = g_build_filename (stack->root, name, NULL);

  return lstat (path, ret_status) == 0;
}

static gboolean
has (const Stack *stack, const char *name)
{
  struct stat status;

  return look_at (stack, name, &status);
}

static void
assert_content (const Stack *stack, const char *name, const char *content)
{
  g_autofree char *path = g_build_filename (stack->root, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, content);
}

static void
assert_directory (const Stack *stack, const char *name, guint mode, guint uid, gint64 mtime)
{
  struct stat status;

  g_test_message ("%s", name);
  g_assert_true (look_at (stack, name, &status));
  g_assert_cmpint (status.st_mtime, ==, mtime);
  g_assert_true (S_ISDIR (status.st_mode));
  g_assert_cmpuint (status.st_mode & 07777, ==, mode);
  g_assert_cmpuint (status.st_uid, ==, uid);
}

/* In image @layer alone. */
static char *
path_in_layer (const Stack *stack, guint layer, const char *name)
{
  return g_strdup_printf ("%s/mounted-%u/%s", stack->image.directory, layer, name);
}

static gboolean
is_in_layer (const Stack *stack, guint layer, const char *name, struct stat *ret_status)
{
  g_autofree char *path = path_in_layer (stack, layer, name);

  return lstat (path, ret_status) == 0;
}

static void
assert_whiteout (const Stack *stack, guint layer, const char *name)
{
  struct stat status;

  g_test_message ("%s", name);
  g_assert_true (is_in_layer (stack, layer, name, &status));
  g_assert_true (S_ISCHR (status.st_mode) && status.st_rdev == 0);
  g_assert_cmpint (status.st_mtime, ==, 0);
}

static gboolean
is_opaque (const Stack *stack, guint layer, const char *name)
{
  g_autofree char *path = path_in_layer (stack, layer, name);
  char value[8];

  return lgetxattr (path, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

/* What tests/images/friendly.py means by its three layers. */
static void
assert_friendly (const Stack *stack)
{
  g_autofree char *path = g_build_filename (stack->root, "bin/attributes", NULL);
  g_autofree char *filler = g_strnfill (120, 'x');
  g_autofree char *umlauts = g_strdup_printf ("bin/\u00fcml\u00e4ut %s", filler);
  struct stat status;
  struct stat other;
  char value[16];

  assert_content (stack, "etc/kept", "kept");
  g_assert_false (has (stack, "etc/removed"));
  g_assert_false (has (stack, "gone"));
  g_assert_false (has (stack, "no"));
  g_assert_false (has (stack, "opaque/lower"));
  g_assert_false (has (stack, "opaque/sub"));
  assert_content (stack, "opaque/new", "new");
  assert_content (stack, "opaque/newer", "newer");
  assert_content (stack, "run/lock/file", "through the link");
  g_assert_true (has (stack, "becomes-directory/inside"));
  assert_content (stack, "becomes-file", "file");
  assert_content (stack, umlauts, "name");

  g_assert_true (look_at (stack, "bin/tool", &status) && look_at (stack, "bin/same", &other));
  g_assert_cmpuint (status.st_ino, ==, other.st_ino);
  g_assert_cmpuint (status.st_nlink, ==, 2);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0755);
  g_assert_true (status.st_uid == 12 && status.st_gid == 34);
  g_assert_true (look_at (stack, "bin/pipe", &status) && S_ISFIFO (status.st_mode));
  g_assert_true (look_at (stack, "tmp", &status));
  g_assert_cmpuint (status.st_mode & 07777, ==, 01777);
  assert_directory (stack, "etc", 0755, 0, 2000);
  assert_directory (stack, "", 0755, 0, 1000);
  g_assert_cmpint (getxattr (path, "security.capability", value, sizeof value), <, 0);
  g_assert_cmpint (getxattr (path, "user.kept", value, sizeof value), ==, 5);
}

static void
test_friendly_layers_give_the_tree_they_mean (void)
{
  static const char *const names[] = { "docker.tar", "oci.tar", "links.tar" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_auto (Stack) stack;

      unpack (&stack, names[i], 3);
      show (&stack, 3);
      assert_friendly (&stack);
    }
}

static void
test_a_layer_changes_what_is_below_and_no_more (void)
{
  g_auto (Stack) stack;
  struct stat status;
  struct stat other;

  unpack (&stack, "stacked.tar", 3);
  show (&stack, 2);
  assert_directory (&stack, "", 0751, 3, 1000);
  assert_directory (&stack, "a", 0755, 0, 2000);
  assert_directory (&stack, "a/b", 0700, 5, 2100);
  assert_content (&stack, "a/b/kept", "kept");
  assert_content (&stack, "a/b/new", "new");
  g_assert_false (has (&stack, "a/b/removed"));
  /* The target was copied up under its own name: both are one file. */
  g_assert_true (look_at (&stack, "hard", &status) && look_at (&stack, "a/target", &other));
  g_assert_true (status.st_ino == other.st_ino && status.st_nlink == 2);
  g_assert_true (status.st_uid == 6 && status.st_gid == 7 && status.st_mtime == 2300);
  assert_content (&stack, "hard", "target");
  assert_content (&stack, "a/second", "target");

  assert_directory (&stack, "opaque", 0755, 0, 2400);
  g_assert_false (has (&stack, "opaque/lower") || has (&stack, "opaque/sub/lower"));
  assert_content (&stack, "opaque/before", "1");
  assert_content (&stack, "opaque/after", "2");
  assert_content (&stack, "opaque/sub/own", "3");
  assert_directory (&stack, "again", 0711, 0, 3100);
  g_assert_false (has (&stack, "again/lower"));
  g_assert_true (has (&stack, "again/new"));
  g_assert_false (has (&stack, "gone"));
  assert_directory (&stack, "file", 0755, 0, 3200);
  assert_content (&stack, "dir", "file");
  assert_content (&stack, "link", "no link");
  assert_directory (&stack, "times", 0500, 0, 3300);
  assert_directory (&stack, "times/inner", 0755, 0, 2700);
  assert_directory (&stack, "implied", 0755, 0, 0);
  assert_directory (&stack, "implied/deep", 0755, 0, 0);
  assert_content (&stack, "a/through", "through");
  assert_content (&stack, "own", "own");
}

/* Of overlayfs's attributes only that of opaque directories is left. */
static int
assert_attributes (const char *path, const struct stat *status, int type, struct FTW *where)
{
  char names[4096];
  ssize_t size = llistxattr (path, names, sizeof names);

  (void) status;
  (void) type;
  (void) where;
  g_assert_cmpint (size, >=, 0);
  for (const char *name = names; name < names + size; name += strlen (name) + 1)
    g_assert_true (g_str_has_prefix (name, "user.")
                   || g_str_equal (name, "trusted.overlay.opaque"));
  return 0;
}

static void
test_an_image_holds_the_layers_own_in_overlayfs_form (void)
{
  static const char *const absent[]
      = { "a/b/kept",    "a/second", "opaque/lower", "opaque/sub/lower",
          "times/inner", "empty",    "again/lower",  "never-was" };
  g_auto (Stack) stack;
  g_autofree char *layer = NULL;
  struct stat status;

  unpack (&stack, "stacked.tar", 3);
  show (&stack, 2);
  assert_whiteout (&stack, 2, "a/b/removed");
  assert_whiteout (&stack, 2, "gone");
  g_assert_true (is_opaque (&stack, 2, "opaque"));
  g_assert_true (is_opaque (&stack, 2, "again"));
  g_assert_true (is_opaque (&stack, 2, "file"));
  g_assert_false (is_opaque (&stack, 2, "a"));
  g_assert_false (is_opaque (&stack, 2, "implied"));
  for (gsize i = 0; i < G_N_ELEMENTS (absent); i++)
    {
      g_test_message ("%s", absent[i]);
      g_assert_false (is_in_layer (&stack, 2, absent[i], &status));
    }
  layer = path_in_layer (&stack, 2, "");
  g_assert_cmpint (nftw (layer, assert_attributes, 16, FTW_PHYS), ==, 0);
}

static void
test_three_layers_are_three_steps (void)
{
  g_auto (Stack) stack;

  unpack (&stack, "stacked.tar", 3);
  show (&stack, 3);
  assert_content (&stack, "hard", "changed");
  assert_content (&stack, "a/target", "target");
  g_assert_false (has (&stack, "a/second"));
  g_assert_false (has (&stack, "opaque/before"));
  assert_content (&stack, "opaque/after", "2");
  assert_content (&stack, "again", "now a file");
  assert_content (&stack, "gone", "back as a file");
  g_assert_false (has (&stack, "implied"));
  assert_directory (&stack, "empty", 0755, 0, 2800);
  assert_whiteout (&stack, 3, "a/second");
  assert_whiteout (&stack, 3, "implied");
}

static void
assert_same_file (const Stack *one, const char *one_name, const Stack *other,
                  const char *other_name)
{
  g_autofree char *one_path = image_path (&one->image, one_name);
  g_autofree char *other_path = image_path (&other->image, other_name);
  g_autofree char *one_bytes = NULL;
  g_autofree char *other_bytes = NULL;
  gsize one_size;
  gsize other_size;

  g_assert_true (g_file_get_contents (one_path, &one_bytes, &one_size, NULL));
  g_assert_true (g_file_get_contents (other_path, &other_bytes, &other_size, NULL));
  g_assert_cmpmem (one_bytes, one_size, other_bytes, other_size);
}

static void
test_the_same_blobs_give_the_same_bytes (void)
{
  g_auto (Stack) stack;
  g_auto (Stack) again;
  static const char *const names[] = { "1.erofs", "2.erofs", "3.erofs" };

  unpack (&stack, "stacked.tar", 3);
  g_usleep (1100 * 1000); /* so that a time of now would show */
  unpack (&again, "stacked.tar", 3);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    assert_same_file (&stack, names[i], &again, names[i]);
}

/* The layers below are of the store, or were unpacked just before: the image is the same. */
static void
test_a_layer_over_a_base_is_the_one_over_its_layers (void)
{
  g_auto (Stack) whole;
  g_auto (Stack) lower;
  g_auto (Stack) split;
  g_auto (Run) read;
  g_auto (Run) second;
  g_auto (Run) third;

  unpack (&whole, "stacked.tar", 3);
  unpack (&lower, "split.tar", 1);
  show (&lower, 1);
  memset (&split, 0, sizeof split);
  image_read (&split.image, "stacked.tar", "", &read);
  split.image.layers = 1;
  split.image.chain = g_strdup (lower.image.chain);
  {
    g_autofree char *base = path_in_layer (&lower, 1, "");
    const char *const bases[] = { base, NULL };

    image_unpack_layer (&split.image, "1000", bases, &second);
    g_assert_cmpuint (second.layer_dones, ==, 1);
    image_unpack_layer (&split.image, "1000", bases, &third);
    g_assert_cmpuint (third.layer_dones, ==, 1);
    {
      g_autofree char *attached = image_path (&split.image, "scratch/base/1");

      g_assert_cmpint (umount2 (attached, 0), ==, 0);
    }
  }
  assert_same_file (&whole, "1.erofs", &lower, "1.erofs");
  assert_same_file (&whole, "2.erofs", &split, "2.erofs");
  assert_same_file (&whole, "3.erofs", &split, "3.erofs");
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_printerr ("test-unpack-layers: needs root\n");
      return 1;
    }
#define ADD(function, name) g_test_add_func ("/unpack/layers/" name, function)
  ADD (test_friendly_layers_give_the_tree_they_mean, "friendly-layers-give-the-tree-they-mean");
  ADD (test_a_layer_changes_what_is_below_and_no_more, "a-layer-changes-what-is-below-and-no-more");
  ADD (test_an_image_holds_the_layers_own_in_overlayfs_form,
       "an-image-holds-the-layers-own-in-overlayfs-form");
  ADD (test_three_layers_are_three_steps, "three-layers-are-three-steps");
  ADD (test_the_same_blobs_give_the_same_bytes, "the-same-blobs-give-the-same-bytes");
  ADD (test_a_layer_over_a_base_is_the_one_over_its_layers,
       "a-layer-over-a-base-is-the-one-over-its-layers");
  result = g_test_run ();
  image_archives_remove ();
  return result;
}
