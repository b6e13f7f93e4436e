/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/secret-stream.c */
/* The pieces of a secret, cut wherever a stream may cut them. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../protocol/secret-stream.h"

/* Feeds @bytes in steps of @step; what came out is in @ret_text. */
static gint64
feed (DnSecretReader *reader, const guint8 *bytes, gsize size, gsize step, GString *ret_text)
{
  for (gsize at = 0; at < size; at += step)
    {
      const guint8 *from = bytes + at;
      gsize left = MIN (step, size - at);
      const guint8 *piece;
      gint64 n;

      while ((n = dn_secret_reader_next (reader, &from, &left, &piece)) > 0)
        g_string_append_len (ret_text, (const char *) piece, n);
      if (n < 0)
        return n;
      g_assert_cmpuint (left, ==, 0);
    }
  return 0;
}

static void
test_pieces_are_put_together_wherever_they_are_cut (void)
{
  static const guint8 bytes[] = "\0\3one\0\1-\0\5three\0\0";

  for (gsize step = 1; step <= sizeof bytes - 1; step++)
    {
      DnSecretReader reader = { 0 };
      g_autoptr (GString) text = g_string_new (NULL);

      g_assert_cmpint (feed (&reader, bytes, sizeof bytes - 1, step, text), ==, 0);
      g_assert_cmpstr (text->str, ==, "one-three");
      g_assert_true (reader.has_ended);
      g_assert_cmpuint (reader.bytes, ==, 9);
    }
}

static void
test_an_end_is_said_and_nothing_follows_it (void)
{
  DnSecretReader cut = { 0 }, empty = { 0 }, more = { 0 };
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_cmpint (feed (&cut, (const guint8 *) "\0\3on", 4, 4, text), ==, 0);
  g_assert_false (cut.has_ended);
  g_assert_cmpint (feed (&empty, (const guint8 *) "\0\0", 2, 2, text), ==, 0);
  g_assert_true (empty.has_ended && empty.bytes == 0);
  g_assert_cmpint (feed (&more, (const guint8 *) "\0\0x", 3, 3, text), ==, -EPROTO);
}

static void
test_a_header_is_read_as_it_was_written (void)
{
  for (guint length = 1; length <= DN_SECRET_PIECE_BYTES; length += 257)
    {
      guint8 header[DN_SECRET_PIECE_HEADER_BYTES];
      DnSecretReader reader = { 0 };
      g_autoptr (GString) text = g_string_new (NULL);

      dn_secret_encode_header (header, (guint16) length);
      g_assert_cmpint (feed (&reader, header, sizeof header, 1, text), ==, 0);
      g_assert_cmpuint (reader.left, ==, length);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secret-stream/pieces are put together wherever they are cut",
                   test_pieces_are_put_together_wherever_they_are_cut);
  g_test_add_func ("/secret-stream/an end is said, and nothing follows it",
                   test_an_end_is_said_and_nothing_follows_it);
  g_test_add_func ("/secret-stream/a header is read as it was written",
                   test_a_header_is_read_as_it_was_written);
  return g_test_run ();
}
