/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../protocol/link.h"
#include "../../protocol/protocol.h"

static guint8 secret[DN_LINK_SECRET_BYTES];
static const DnLinkHello sample
    = { .generation_oldest = 1,
        .generation_newest = 3,
        .nonce = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } };

static void
test_a_hello_shows_the_first_half_of_the_secret_only (void)
{
  guint8 bytes[DN_LINK_BYTES];
  DnLinkHello hello;

  dn_link_encode_hello (bytes, &sample, secret);
  g_assert_cmpmem (bytes, 8, "DANCHI\r\n", 8);
  g_assert_cmpmem (bytes + 32, 32, secret, 32);
  g_assert_cmpint (dn_link_decode_hello (bytes, secret, &hello), ==, 0);
  g_assert_cmpuint (hello.generation_newest, ==, 3);
  g_assert_cmpmem (hello.nonce, 16, sample.nonce, 16);
  bytes[63] ^= 1;
  g_assert_cmpint (dn_link_decode_hello (bytes, secret, &hello), ==, -EACCES);
  bytes[0] ^= 1;
  g_assert_cmpint (dn_link_decode_hello (bytes, secret, &hello), ==, -EPROTO);
}

static void
test_a_welcome_answers_one_hello_and_proves_the_other_half (void)
{
  guint8 bytes[DN_LINK_BYTES], other[DN_LINK_NONCE_BYTES] = { 0 };
  guint32 generation = 0;

  dn_link_encode_welcome (bytes, 1, sample.nonce, secret);
  g_assert_cmpmem (bytes, 8, "danchi\r\n", 8);
  g_assert_cmpint (dn_link_decode_welcome (bytes, sample.nonce, secret, &generation), ==, 0);
  g_assert_cmpuint (generation, ==, 1);
  g_assert_cmpint (dn_link_decode_welcome (bytes, other, secret, &generation), ==, -EPROTO);
  /* Whoever only saw a hello knows the first half, and that does not do. */
  memcpy (bytes + 32, secret, 32);
  g_assert_cmpint (dn_link_decode_welcome (bytes, sample.nonce, secret, &generation), ==, -EACCES);
}

static void
test_the_lower_generation_wins (void)
{
  const struct
  {
    guint32 oldest, newest, chosen;
  } cases[] = { { 1, 1, 1 }, { 1, 99, DN_PROTOCOL_GENERATION }, { 99, 100, 0 }, { 0, 0, 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      DnLinkHello hello
          = { .generation_oldest = cases[i].oldest, .generation_newest = cases[i].newest };

      g_assert_cmpuint (dn_link_choose_generation (&hello), ==, cases[i].chosen);
    }
}

static void
test_finds_a_start_that_is_only_half_there (void)
{
  const guint8 *bytes = (const guint8 *) "xxDANxdanchi\r";

  g_assert_cmpuint (dn_link_find_start (bytes, 13, 1), ==, 6);
  g_assert_cmpuint (dn_link_find_start (bytes, 5, 0), ==, 2); /* may go on */
  g_assert_cmpuint (dn_link_find_start (bytes, 13, 0), ==, 13);
  g_assert_cmpuint (dn_link_find_start (bytes, 0, 0), ==, 0);
}

static void
test_no_frame_looks_like_a_link_record (void)
{
  g_assert_null (dn_wire_find (&dn_guest_wire, 'D' << 8 | 'A'));
  g_assert_null (dn_wire_find (&dn_guest_wire, 'd' << 8 | 'a'));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < sizeof secret; i++)
    secret[i] = (guint8) (255 - i);
#define TEST(name) g_test_add_func ("/link/" #name, test_##name)
  TEST (a_hello_shows_the_first_half_of_the_secret_only);
  TEST (a_welcome_answers_one_hello_and_proves_the_other_half);
  TEST (the_lower_generation_wins);
  TEST (finds_a_start_that_is_only_half_there);
  TEST (no_frame_looks_like_a_link_record);
  return g_test_run ();
}
