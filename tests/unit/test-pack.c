/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/pack.c */
#include <glib.h>
#include <string.h>

#include "../../protocol/pack.h"

static void
test_packs_big_endian_and_reads_it_back (void)
{
  static const guint8 wanted[] = { 1,    2,    3,    4,    5, 6, 7,   0xff, 0xfe, 0xfd, 0xfc,
                                   0xfb, 0xfa, 0xf9, 0xf8, 0, 2, 'h', 'i',  'r',  'a',  'w' };
  guint8 bytes[sizeof wanted], raw[3];
  DnPacker packer = { .bytes = bytes, .size = sizeof bytes };
  DnUnpacker unpacker = { .bytes = bytes, .size = sizeof bytes };
  char text[9];

  dn_pack_u8 (&packer, 1);
  dn_pack_u16 (&packer, 0x0203);
  dn_pack_u32 (&packer, 0x04050607);
  dn_pack_u64 (&packer, 0xfffefdfcfbfaf9f8);
  dn_pack_text (&packer, "hi", 8);
  dn_pack_raw (&packer, "raw", 3);
  g_assert_false (packer.failed);
  g_assert_cmpmem (bytes, packer.used, wanted, sizeof wanted);
  g_assert_cmpuint (dn_unpack_u8 (&unpacker), ==, 1);
  g_assert_cmpuint (dn_unpack_u16 (&unpacker), ==, 0x0203);
  g_assert_cmpuint (dn_unpack_u32 (&unpacker), ==, 0x04050607);
  g_assert_cmpuint (dn_unpack_u64 (&unpacker), ==, 0xfffefdfcfbfaf9f8);
  dn_unpack_text (&unpacker, text, 8);
  g_assert_cmpstr (text, ==, "hi");
  g_assert_false (dn_unpack_is_complete (&unpacker));
  dn_unpack_raw (&unpacker, raw, 3);
  g_assert_cmpmem (raw, 3, "raw", 3);
  g_assert_true (dn_unpack_is_complete (&unpacker));
}

static void
test_errors_stick_and_nothing_is_written_past_the_end (void)
{
  guint8 bytes[4] = { 9, 9, 9, 9 };
  DnPacker packer = { .bytes = bytes, .size = 3 };

  dn_pack_u16 (&packer, 0);
  dn_pack_u16 (&packer, 0);
  dn_pack_u8 (&packer, 1); /* would fit, but comes too late */
  g_assert_true (packer.failed);
  g_assert_cmpuint (packer.used, ==, 2);
  g_assert_cmpuint (bytes[2], ==, 9);
  g_assert_cmpuint (bytes[3], ==, 9);
}

static void
test_a_text_over_its_limit_fails_on_both_ends (void)
{
  guint8 bytes[16] = { 0, 4, 'l', 'o', 'n', 'g' };
  DnPacker packer = { .bytes = bytes + 6, .size = 10 };
  DnUnpacker unpacker = { .bytes = bytes, .size = 6 };
  char text[4] = "old";

  dn_pack_text (&packer, "long", 3);
  g_assert_true (packer.failed);
  dn_unpack_text (&unpacker, text, 3);
  g_assert_false (dn_unpack_is_complete (&unpacker));
  g_assert_cmpstr (text, ==, "");
}

static void
test_a_text_with_a_nul_inside_fails (void)
{
  static const guint8 bytes[] = { 0, 3, 'a', 0, 'b' };
  DnUnpacker unpacker = { .bytes = bytes, .size = sizeof bytes };
  char text[9];

  dn_unpack_text (&unpacker, text, 8);
  g_assert_true (unpacker.failed);
}

static void
test_what_is_short_reads_as_zero (void)
{
  static const guint8 bytes[] = { 0xff, 0xff, 0xff };
  DnUnpacker unpacker = { .bytes = bytes, .size = sizeof bytes };
  guint8 raw[2] = { 7, 7 };
  guint32 size = 7;

  g_assert_cmpuint (dn_unpack_u32 (&unpacker), ==, 0);
  g_assert_cmpuint (dn_unpack_u8 (&unpacker), ==, 0); /* errors stick */
  dn_unpack_raw (&unpacker, raw, 2);
  g_assert_cmpuint (raw[0] + raw[1], ==, 0);
  (void) dn_unpack_tail (&unpacker, &size);
  g_assert_cmpuint (size, ==, 0);
  g_assert_false (dn_unpack_is_complete (&unpacker));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/pack/" #name, test_##name)
  TEST (packs_big_endian_and_reads_it_back);
  TEST (errors_stick_and_nothing_is_written_past_the_end);
  TEST (a_text_over_its_limit_fails_on_both_ends);
  TEST (a_text_with_a_nul_inside_fails);
  TEST (what_is_short_reads_as_zero);
  return g_test_run ();
}
