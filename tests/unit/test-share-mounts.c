/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/share/mounts.c */
#include "../../launcher/share/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT                                                                                       \
  "20 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"                                                \
  "203 20 0:41 /a\\040b/c /vol rw,relatime shared:9 - tmpfs tmpfs rw,size=64k\n"                   \
  "3 20 0:42 / /x rw - tmpfs x rw\n"

static void
test_a_mount_is_found_by_its_number_alone (void)
{
  g_assert_true (g_str_has_prefix (dn_share_mounts_find (TEXT, 3), "3 20 "));
  g_assert_true (g_str_has_prefix (dn_share_mounts_find (TEXT, 203), "203 "));
  g_assert_null (dn_share_mounts_find (TEXT, 2));
  g_assert_null (dn_share_mounts_find (TEXT, 254));
  g_assert_null (dn_share_mounts_find ("", 0));
}

static void
test_what_it_shows_is_read (void)
{
  char root[8];

  g_assert_cmpint (dn_share_mounts_root (dn_share_mounts_find (TEXT, 203), root, sizeof root), ==,
                   -ENAMETOOLONG);
  g_assert_cmpint (dn_share_mounts_root (dn_share_mounts_find (TEXT, 3), root, sizeof root), ==, 0);
  g_assert_cmpstr (root, ==, "/");
  {
    char whole[64];

    g_assert_cmpint (dn_share_mounts_root (dn_share_mounts_find (TEXT, 203), whole, sizeof whole),
                     ==, 0);
    g_assert_cmpstr (whole, ==, "/a b/c");
  }
}

static void
test_what_is_no_line_is_none (void)
{
  static const char *const bad[]
      = { "", "1", "1 2 3", "1 2 0:1 ", "1 2 0:1 x /", "1 2 0:1 /", "1 2\n0:1 / / rw" };
  char root[64];

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_cmpint (dn_share_mounts_root (bad[i], root, sizeof root), ==, -EINVAL);
}

/* The kernel's own text, of the directory that this runs in. */
static void
test_the_kernels_is_read (void)
{
  int fd = open ("/", O_PATH | O_CLOEXEC);
  unsigned long long id = 0;
  char *text = dn_share_mounts_read (fd, &id);
  char root[4096];

  g_assert_nonnull (text);
  g_assert_nonnull (dn_share_mounts_find (text, id));
  g_assert_cmpint (dn_share_mounts_root (dn_share_mounts_find (text, id), root, sizeof root), ==,
                   0);
  g_assert_cmpint (root[0], ==, '/');
  free (text);
  (void) close (fd);
  g_assert_null (dn_share_mounts_read (-1, &id));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/share-mounts/find", test_a_mount_is_found_by_its_number_alone);
  g_test_add_func ("/share-mounts/root", test_what_it_shows_is_read);
  g_test_add_func ("/share-mounts/none", test_what_is_no_line_is_none);
  g_test_add_func ("/share-mounts/kernel", test_the_kernels_is_read);
  return g_test_run ();
}
