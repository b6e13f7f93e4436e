/* SPDX-License-Identifier: Apache-2.0 */
/* Only: release (they are what the release build makes) */
/* What is in the guests' roots: only names that are meant to be there. */
#include <glib.h>
#include <string.h>

/* Of a guest that runs containers: this and no more. */
static const char *const guest_names[] = { "dev",
                                           "etc",
                                           "etc/group",
                                           "etc/passwd",
                                           "etc/scratch.ext4",
                                           "etc/volume.ext4",
                                           "proc",
                                           "root",
                                           "run",
                                           "sbin",
                                           "sbin/danchi-agent",
                                           "sbin/danchi-keeper",
                                           "sbin/danchi-reaper",
                                           "sbin/init",
                                           "sys",
                                           "tmp" };

static const char *const unpack_programs[]
    = { "sbin/danchi-agent", "sbin/danchi-unpack", "sbin/init", "sbin/mke2fs" };

/* What must be in no guest, under any directory. */
static const char *const forbidden[]
    = { "sh", "bash", "dash", "busybox", "apt", "dpkg", "perl", "python3", "su", "sudo", "mount" };

/* "MODE NAME" lines, or NULL when the images have not been built. */
static char **
read_list (const char *name)
{
  const char *build = g_getenv ("DN_TEST_BUILD");
  g_autofree char *path = g_build_filename (build != NULL ? build : "build", "images", name, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      g_test_skip ("the images are not built: make images");
      return NULL;
    }
  return g_strsplit (g_strchomp (text), "\n", -1);
}

static gboolean
is_among (const char *name, const char *const *names, gsize count)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp (names[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* Splits "-rwxr-xr-x sbin/init"; checks what holds for every root. */
static const char *
check_line (const char *line)
{
  const char *name = strchr (line, ' ');
  const char *base;

  g_assert_nonnull (name);
  g_assert_cmpint (name - line, ==, 10);
  name++;
  g_test_message ("%s", line);
  /* Files and directories; no links, no devices; no set-id bit; writable for root alone. */
  g_assert_true (line[0] == '-' || line[0] == 'd');
  g_assert_null (memchr (line, 's', 10));
  g_assert_null (memchr (line, 'S', 10));
  g_assert_true (line[5] == '-' && line[8] == '-');
  base = strrchr (name, '/');
  g_assert_false (is_among (base != NULL ? base + 1 : name, forbidden, G_N_ELEMENTS (forbidden)));
  return name;
}

static void
test_a_guests_root_has_init_and_agent_and_no_more (void)
{
  g_auto (GStrv) lines = read_list ("guest.list");

  if (lines == NULL)
    return;
  for (guint i = 0; lines[i] != NULL; i++)
    g_assert_true (is_among (check_line (lines[i]), guest_names, G_N_ELEMENTS (guest_names)));
  g_assert_cmpuint (g_strv_length (lines), ==, G_N_ELEMENTS (guest_names));
}

static void
test_the_unpack_root_adds_two_programs_and_their_libraries (void)
{
  g_auto (GStrv) lines = read_list ("unpack.list");
  guint programs = 0;

  if (lines == NULL)
    return;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *name = check_line (lines[i]);

      if (is_among (name, guest_names, G_N_ELEMENTS (guest_names))
          || is_among (name, unpack_programs, G_N_ELEMENTS (unpack_programs)))
        programs += g_str_has_prefix (name, "sbin/");
      else if (!g_str_equal (name, "etc/mtab") && !g_str_equal (name, "lib")
               && !g_str_equal (name, "lib/x86_64-linux-gnu") && !g_str_equal (name, "lib64"))
        {
          g_assert_true (g_str_has_prefix (name, "lib/x86_64-linux-gnu/lib")
                         || g_str_has_prefix (name, "lib64/ld-linux"));
          g_assert_nonnull (strstr (name, ".so."));
        }
    }
  g_assert_cmpuint (programs, ==, G_N_ELEMENTS (unpack_programs));
}

static void
check_initramfs (const char *list, gboolean has_network)
{
  g_auto (GStrv) lines = read_list (list);
  guint filters = 0;

  if (lines == NULL)
    return;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *name = check_line (lines[i]);

      g_assert_true (g_str_has_suffix (name, ".ko") || g_str_equal (name, "init")
                     || g_str_equal (name, "modules/order") || lines[i][0] == 'd');
      filters += g_str_has_suffix (name, "/nf_tables.ko") || g_str_has_suffix (name, "/veth.ko");
    }
  /* A guest without a network reads nothing of what others need for theirs. */
  g_assert_cmpuint (filters, ==, has_network ? 2 : 0);
}

static void
test_the_initramfs_has_init_and_drivers (void)
{
  check_initramfs ("initramfs.cpio.list", FALSE);
  check_initramfs ("initramfs-network.cpio.list", TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/images/a-guests-root-has-init-and-agent-and-no-more",
                   test_a_guests_root_has_init_and_agent_and_no_more);
  g_test_add_func ("/images/the-unpack-root-adds-two-programs-and-their-libraries",
                   test_the_unpack_root_adds_two_programs_and_their_libraries);
  g_test_add_func ("/images/the-initramfs-has-init-and-drivers",
                   test_the_initramfs_has_init_and_drivers);
  return g_test_run ();
}
