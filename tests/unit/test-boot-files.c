/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/guest/boot-files.c launcher/guest/access.c launcher/guest/hash-tree.c
   launcher/guest/identity*.c launcher/common/[ejp]*.c launcher/common/key-*.c
   launcher/common/names.c */
/* Packages: -lacl */
/* Which files of guests are copied; that libvirt refuses these is test-volume-labels.py's, and that
 * a guest boots from copies the end-to-end tests'. */
#include "../../launcher/guest/boot-files.h"

static void
test_files_of_the_system_are_copied (void)
{
  static const struct
  {
    const char *path;
    gboolean is_refused;
  } cases[] = {
    { "/usr/lib/danchi/images/guest.erofs", TRUE },
    { "/usr/local/lib/danchi/images/vmlinuz", TRUE },
    { "/usr/share/qemu/qboot.rom", TRUE },
    { "/lib/danchi/images/vmlinuz", TRUE },
    { "/etc/danchi/vmlinuz", TRUE },
    { "/opt/danchi/lib/danchi/images/guest.erofs", FALSE },
    { "/var/lib/danchi/boot/guest.erofs.1", FALSE },
    { "/srv/usr/lib/danchi/images/vmlinuz", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].path);
      g_assert_cmpint (dn_boot_files_is_refused (cases[i].path), ==, cases[i].is_refused);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/boot-files/files of the system are copied",
                   test_files_of_the_system_are_copied);
  return g_test_run ();
}
