/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/share/overlay-options.c launcher/share/mounts.c */
#include "../../launcher/share/overlay-options.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define BEFORE "20 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
#define MOUNT "36 20 0:41 / /run/x/rootfs rw,relatime shared:9 - overlay overlay rw,"

static int
find (const char *options, DnOverlayOptions *ret_options)
{
  g_autofree char *text
      = g_strconcat (BEFORE MOUNT, options, "\n21 1 0:5 / /x rw - proc x rw\n", NULL);

  return dn_overlay_options_find (text, 36, ret_options);
}

static void
test_layers_are_found_in_their_order (void)
{
  DnOverlayOptions options;
  char base[PATH_MAX];

  g_assert_cmpint (find ("lowerdir=2/fs:1/fs,upperdir=/s/7/fs,workdir=/s/7/work,index=off,"
                         "redirect_dir=nofollow,volatile,uuid=on",
                         &options),
                   ==, 0);
  g_assert_cmpuint (options.lower_count, ==, 2);
  g_assert_cmpstr (options.lower[0], ==, "2/fs");
  g_assert_cmpstr (options.lower[1], ==, "1/fs");
  g_assert_cmpstr (options.upper, ==, "/s/7/fs");
  g_assert_cmpstr (options.work, ==, "/s/7/work");
  g_assert_cmpstr (options.options, ==, ",redirect_dir=nofollow");
  g_assert_true (options.is_volatile);
  g_assert_true (dn_overlay_options_base (&options, base));
  g_assert_cmpstr (base, ==, "/s");
  dn_overlay_options_clear (&options);
}

/* As the kernel writes blanks, commas and backslashes; and overlayfs colons. */
static void
test_names_may_have_anything_in_them (void)
{
  DnOverlayOptions options;

  g_assert_cmpint (
      find ("lowerdir=/a\\040b\\054c:/d\\134:e:/f,upperdir=/s/u,workdir=/s/w", &options), ==, 0);
  g_assert_cmpuint (options.lower_count, ==, 3);
  g_assert_cmpstr (options.lower[0], ==, "/a b,c");
  g_assert_cmpstr (options.lower[1], ==, "/d:e");
  g_assert_cmpstr (options.lower[2], ==, "/f");
  dn_overlay_options_clear (&options);
  g_assert_cmpint (find ("lowerdir+=/a,lowerdir+=/b", &options), ==, 0);
  g_assert_cmpuint (options.lower_count, ==, 2);
  g_assert_null (options.upper);
  dn_overlay_options_clear (&options);
}

static void
test_what_cannot_be_laid_anew_is_refused (void)
{
  static const char *const bad[]
      = { "upperdir=/u,workdir=/w", "lowerdir=/a,upperdir=/u", "lowerdir=/a::/data",
          "lowerdir=", "lowerdir=/a,upperdir=,workdir=/w" };
  DnOverlayOptions options;
  g_autoptr (GString) many = g_string_new ("lowerdir=/0");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_cmpint (find (bad[i], &options), ==, -EINVAL);
      dn_overlay_options_clear (&options);
    }
  for (guint i = 1; i <= DN_OVERLAY_LAYERS_MAX; i++)
    g_string_append_printf (many, ":/%u", i);
  g_assert_cmpint (find (many->str, &options), ==, -E2BIG);
  dn_overlay_options_clear (&options);
  g_assert_cmpint (dn_overlay_options_find (BEFORE, 36, &options), ==, -ENOENT);
  g_assert_cmpint (dn_overlay_options_find (BEFORE, 20, &options), ==, -EINVAL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/overlay-options/layers are found in their order",
                   test_layers_are_found_in_their_order);
  g_test_add_func ("/overlay-options/names may have anything in them",
                   test_names_may_have_anything_in_them);
  g_test_add_func ("/overlay-options/what cannot be laid anew is refused",
                   test_what_cannot_be_laid_anew_is_refused);
  return g_test_run ();
}
