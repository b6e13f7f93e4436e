/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/mapper/verity-words.c */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../guest-agent/mapper/verity-words.h"

#define PARAMETERS "1 /dev/vda /dev/vda 4096 4096 2 2 sha256 00ff - 1 panic_on_corruption"
#define GOOD "dm-mod.create=\"root,,0,ro,0 16 verity " PARAMETERS "\""

static void
test_a_table_is_found_wherever_it_stands (void)
{
  static const char *const lines[] = {
    GOOD,
    GOOD "\n",
    "quiet " GOOD,
    "quiet " GOOD " root=/dev/dm-0\n",
    /* Not the option: in another's value, and at the end of another's name. */
    "x=\"a dm-mod.create=b\" xdm-mod.create=c " GOOD,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      DnMapperTable table;

      g_assert_cmpint (dn_verity_parse_cmdline (lines[i], &table), ==, 0);
      g_assert_cmpstr (table.name, ==, "root");
      g_assert_cmpstr (table.target, ==, "verity");
      g_assert_cmpstr (table.parameters, ==, PARAMETERS);
      g_assert_cmpuint (table.sectors, ==, 16);
      g_assert_cmpuint (table.minor, ==, 0);
    }
}

static void
test_a_line_without_one_says_so (void)
{
  DnMapperTable table;

  g_assert_cmpint (dn_verity_parse_cmdline ("", &table), ==, -ENOENT);
  g_assert_cmpint (dn_verity_parse_cmdline ("quiet dm-mod.creates=1 x=\"" GOOD, &table), ==,
                   -ENOENT);
}

static void
test_what_is_not_one_verity_table_is_refused (void)
{
  static const char *const lines[] = {
    GOOD " " GOOD,
    "dm-mod.create=root,,0,ro,0 16 verity 1",
    "dm-mod.create=",
    "dm-mod.create=\"",
    "dm-mod.create=\"\"",
    "dm-mod.create=\"root,,0,ro,0 16 verity " PARAMETERS, /* no end */
    "dm-mod.create=\"root,,0,ro,0 16 verity " PARAMETERS "\"x",
    "dm-mod.create=\"root,,0,rw,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,uuid,0,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\",,0,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"a/b,,0,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,-1,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,00,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,1048576,ro,0 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,8 16 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,0 0 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,0 1234567890123456 verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,0  verity " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,0 16 linear " PARAMETERS "\"",
    "dm-mod.create=\"root,,0,ro,0 16 verity \"",
    "dm-mod.create=\"root,,0,ro,0 16 verity 1 a,0 16 linear /dev/vda 0\"",
    "dm-mod.create=\"root,,0,ro,0 16 verity 1 a;other,,1,ro,0 16 linear /dev/vda 0\"",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      DnMapperTable table = { .sectors = 77 };

      if (dn_verity_parse_cmdline (lines[i], &table) != -EINVAL)
        g_error ("taken: %s", lines[i]);
      g_assert_cmpuint (table.sectors, ==, 77);
    }
}

static void
test_texts_of_any_length_are_refused_in_time (void)
{
  g_autofree char *name = g_strnfill (DN_MAPPER_NAME_BYTES + 1, 'n');
  g_autofree char *parameters = g_strnfill (DN_MAPPER_PARAMETERS_BYTES + 1, 'p');
  g_autofree char *first
      = g_strdup_printf ("dm-mod.create=\"%s,,0,ro,0 16 verity " PARAMETERS "\"", name);
  g_autofree char *second
      = g_strdup_printf ("dm-mod.create=\"root,,0,ro,0 16 verity %s\"", parameters);
  DnMapperTable table;

  g_assert_cmpint (dn_verity_parse_cmdline (first, &table), ==, -EINVAL);
  g_assert_cmpint (dn_verity_parse_cmdline (second, &table), ==, -EINVAL);
  /* One byte less of each is no problem. */
  memmove (strchr (first, 'n'), strchr (first, 'n') + 1, strlen (strchr (first, 'n')));
  memmove (strchr (second, 'p'), strchr (second, 'p') + 1, strlen (strchr (second, 'p')));
  g_assert_cmpint (dn_verity_parse_cmdline (first, &table), ==, 0);
  g_assert_cmpuint (strlen (table.name), ==, DN_MAPPER_NAME_BYTES);
  g_assert_cmpint (dn_verity_parse_cmdline (second, &table), ==, 0);
  g_assert_cmpuint (strlen (table.parameters), ==, DN_MAPPER_PARAMETERS_BYTES);
}

static void
test_the_device_and_the_root_hash_are_found (void)
{
  char text[DN_VERITY_ROOT_BYTES + 1];

  g_assert_cmpint (dn_verity_find_device (PARAMETERS, text, sizeof text), ==, 0);
  g_assert_cmpstr (text, ==, "/dev/vda");
  g_assert_cmpint (dn_verity_find_root (PARAMETERS, text, sizeof text), ==, 0);
  g_assert_cmpstr (text, ==, "sha256 00ff");
  g_assert_cmpint (dn_verity_find_root (PARAMETERS, text, strlen ("sha256 00ff")), ==, -EINVAL);
  g_assert_cmpint (dn_verity_find_device ("1", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint (dn_verity_find_device ("1  x", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint (dn_verity_find_root ("1 a b 1 1 2 2 sha256", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint (dn_verity_find_root ("1 a b 1 1 2 2 sha256 0x -", text, sizeof text), ==,
                   -EINVAL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/verity-words/a table is found wherever it stands",
                   test_a_table_is_found_wherever_it_stands);
  g_test_add_func ("/verity-words/a line without one says so", test_a_line_without_one_says_so);
  g_test_add_func ("/verity-words/what is not one verity table is refused",
                   test_what_is_not_one_verity_table_is_refused);
  g_test_add_func ("/verity-words/texts of any length are refused in time",
                   test_texts_of_any_length_are_refused_in_time);
  g_test_add_func ("/verity-words/the device and the root hash are found",
                   test_the_device_and_the_root_hash_are_found);
  return g_test_run ();
}
