/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/shim/frame.c */
#include <glib.h>
#include <string.h>

#include "../../launcher/shim/frame.h"

/* Connect("a") as containerd sends it, but for its data. */
static const guint8 connect_header[] = { 0, 0, 0, 0x53, 0, 0, 0, 1, 1, 0 };

static void
test_a_header_is_ten_bytes_big_endian (void)
{
  DnTtrpcHeader header;
  guint8 bytes[DN_TTRPC_HEADER_BYTES];

  dn_ttrpc_header_decode (connect_header, &header);
  g_assert_cmpuint (header.length, ==, 83);
  g_assert_cmpuint (header.stream, ==, 1);
  g_assert_cmpuint (header.type, ==, DN_TTRPC_REQUEST);
  g_assert_cmpuint (header.flags, ==, 0);
  header = (DnTtrpcHeader){ .length = 0x01020304, .stream = 0xa0b0c0d0, .type = 2, .flags = 7 };
  dn_ttrpc_header_encode (&header, bytes);
  g_assert_cmpmem (bytes, sizeof bytes, "\x01\x02\x03\x04\xa0\xb0\xc0\xd0\x02\x07", 10);
}

static void
add_frame (GByteArray *stream, guint32 number, guint32 length, gchar fill)
{
  const DnTtrpcHeader header = { .length = length, .stream = number, .type = DN_TTRPC_REQUEST };
  guint8 bytes[DN_TTRPC_HEADER_BYTES];
  guint at;

  dn_ttrpc_header_encode (&header, bytes);
  g_byte_array_append (stream, bytes, sizeof bytes);
  at = stream->len;
  g_byte_array_set_size (stream, at + length);
  memset (stream->data + at, fill, length);
}

/* Frames of several sizes, one over the limit among them, in pieces of @piece bytes. */
static void
read_in_pieces (gsize piece)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  static const guint32 lengths[]
      = { 0, 1, 70000, DN_TTRPC_DATA_MAX_BYTES, DN_TTRPC_DATA_MAX_BYTES + 1, 5, 0, 12 };
  DnTtrpcReader reader;
  guint next = 0;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    add_frame (stream, i, lengths[i], (gchar) ('a' + i));
  dn_ttrpc_reader_init (&reader);
  for (gsize at = 0; at < stream->len; at += piece)
    {
      DnTtrpcHeader header;
      const guint8 *data = NULL;
      DnTtrpcTaken taken;

      dn_ttrpc_reader_add (&reader, stream->data + at, MIN (piece, stream->len - at));
      while ((taken = dn_ttrpc_reader_next (&reader, &header, &data)) != DN_TTRPC_MORE)
        {
          g_assert_cmpuint (header.stream, ==, next);
          g_assert_cmpuint (header.length, ==, lengths[next]);
          g_assert_cmpint (taken, ==,
                           header.length > DN_TTRPC_DATA_MAX_BYTES ? DN_TTRPC_TOO_LONG
                                                                   : DN_TTRPC_FRAME);
          if (taken == DN_TTRPC_FRAME && header.length > 0)
            {
              g_assert_cmpint (data[0], ==, 'a' + (int) next);
              g_assert_cmpint (data[header.length - 1], ==, 'a' + (int) next);
            }
          next++;
        }
    }
  g_assert_cmpuint (next, ==, G_N_ELEMENTS (lengths));
  g_assert_cmpuint (reader.bytes->len - reader.taken, ==, 0);
  dn_ttrpc_reader_clear (&reader);
}

static void
test_frames_are_the_same_however_their_bytes_come (void)
{
  static const gsize pieces[] = { 7, 10, 4096, 65536, 5000000, 100000000 };

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    read_in_pieces (pieces[i]);
}

static void
test_a_long_frame_is_told_at_its_header_and_takes_no_memory (void)
{
  const DnTtrpcHeader sent = { .length = G_MAXUINT32, .stream = 9, .type = DN_TTRPC_REQUEST };
  guint8 bytes[DN_TTRPC_HEADER_BYTES];
  g_autofree guint8 *zeroes = g_malloc0 (65536);
  DnTtrpcReader reader;
  DnTtrpcHeader header;
  const guint8 *data;

  dn_ttrpc_header_encode (&sent, bytes);
  dn_ttrpc_reader_init (&reader);
  dn_ttrpc_reader_add (&reader, bytes, sizeof bytes);
  g_assert_cmpint (dn_ttrpc_reader_next (&reader, &header, &data), ==, DN_TTRPC_TOO_LONG);
  for (guint i = 0; i < 1000; i++)
    {
      dn_ttrpc_reader_add (&reader, zeroes, 65536);
      g_assert_cmpint (dn_ttrpc_reader_next (&reader, &header, &data), ==, DN_TTRPC_MORE);
      g_assert_cmpuint (reader.bytes->len, ==, 0);
    }
  dn_ttrpc_reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shim-frame/a-header-is-ten-bytes-big-endian",
                   test_a_header_is_ten_bytes_big_endian);
  g_test_add_func ("/shim-frame/frames-are-the-same-however-their-bytes-come",
                   test_frames_are_the_same_however_their_bytes_come);
  g_test_add_func ("/shim-frame/a-long-frame-is-told-at-its-header-and-takes-no-memory",
                   test_a_long_frame_is_told_at_its_header_and_takes_no_memory);
  return g_test_run ();
}
