/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../protocol/copy.h"

static void
test_an_entry_keeps_its_bytes (void)
{
  const DnCopyEntry entry = { .kind = DN_COPY_FILE,
                              .mode = 0644,
                              .size_bytes = 0x0102030405060708,
                              .mtime_s = -2,
                              .name_bytes = 5 };
  static const guint8 wanted[DN_COPY_HEADER_BYTES]
      = { 1, 0, 1,   0xa4, 0,   0,   0,   0,   1,   2,   3, 4, 5, 6,
          7, 8, 255, 255,  255, 255, 255, 255, 255, 254, 0, 5, 0, 0 };
  guint8 bytes[DN_COPY_HEADER_BYTES];
  DnCopyEntry back;

  dn_copy_encode (bytes, &entry);
  g_assert_cmpmem (bytes, sizeof bytes, wanted, sizeof wanted);
  g_assert_cmpint (dn_copy_decode (bytes, &back), ==, 0);
  g_assert_cmpint (back.mtime_s, ==, -2);
  g_assert_cmpuint (back.size_bytes, ==, entry.size_bytes);
}

static void
test_refuses_entries_that_make_no_sense (void)
{
  const DnCopyEntry entries[] = {
    { .kind = 4, .name_bytes = 1 },
    { .kind = DN_COPY_FILE, .mode = 04755, .name_bytes = 1 },
    { .kind = DN_COPY_DIRECTORY, .size_bytes = 1, .name_bytes = 1 },
    { .kind = DN_COPY_FILE, .name_bytes = DN_COPY_NAME_BYTES + 1 },
    { .kind = DN_COPY_LINK, .name_bytes = 1 },
    { .kind = DN_COPY_FILE, .name_bytes = 1, .link_bytes = 1 },
    { .kind = DN_COPY_LINK, .name_bytes = 1, .link_bytes = DN_COPY_NAME_BYTES + 1 },
    { .kind = DN_COPY_END, .name_bytes = 1 },
  };
  guint8 bytes[DN_COPY_HEADER_BYTES];
  DnCopyEntry back;

  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      dn_copy_encode (bytes, &entries[i]);
      g_assert_cmpint (dn_copy_decode (bytes, &back), ==, -EPROTO);
    }
  dn_copy_encode (bytes, &(DnCopyEntry){ .kind = DN_COPY_END });
  g_assert_cmpint (dn_copy_decode (bytes, &back), ==, 0);
  bytes[5] = 1; /* reserved */
  g_assert_cmpint (dn_copy_decode (bytes, &back), ==, -EPROTO);
}

static void
test_names_stay_below_their_directory (void)
{
  static const char *const safe[] = { "a", "a/b", "...", "..a", "a..", ".hidden", "a b/\xff" };
  static const char *const unsafe[]
      = { "/", "/a", "..", ".", "a/..", "a/../b", "./a", "a/", "a//b", "../a", "a/." };
  g_autofree char *longest = g_strnfill (DN_COPY_NAME_BYTES + 1, 'n');

  for (gsize i = 0; i < G_N_ELEMENTS (safe); i++)
    g_assert_true (dn_copy_name_is_safe (safe[i], strlen (safe[i]), false));
  for (gsize i = 0; i < G_N_ELEMENTS (unsafe); i++)
    g_assert_false (dn_copy_name_is_safe (unsafe[i], strlen (unsafe[i]), true));
  g_assert_false (dn_copy_name_is_safe ("a\0b", 3, true));
  g_assert_false (dn_copy_name_is_safe ("", 0, false));
  g_assert_true (dn_copy_name_is_safe ("", 0, true));
  g_assert_true (dn_copy_name_is_safe (longest, DN_COPY_NAME_BYTES, false));
  g_assert_false (dn_copy_name_is_safe (longest, DN_COPY_NAME_BYTES + 1, false));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/copy/" #name, test_##name)
  TEST (an_entry_keeps_its_bytes);
  TEST (refuses_entries_that_make_no_sense);
  TEST (names_stay_below_their_directory);
  return g_test_run ();
}
