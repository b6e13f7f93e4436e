/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../protocol/frame-reader.h"
#include "../../protocol/protocol.h"

static gsize
feed (DnFrameReader *reader, const guint8 *bytes, gsize size)
{
  gsize room;
  guint8 *space = dn_frame_reader_space (reader, &room);
  gsize taken = MIN (size, room);

  memcpy (space, bytes, taken);
  dn_frame_reader_added (reader, taken);
  return taken;
}

static void
test_cuts_frames_out_of_pieces_of_any_size (void)
{
  g_autofree DnFrameReader *reader = g_new0 (DnFrameReader, 1);
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  static const guint32 lengths[] = { 0, 1, 65536, 65535, 3, 40000, 65536, 7 };

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      guint8 header[DN_FRAME_HEADER_BYTES];
      g_autofree guint8 *payload = g_malloc0 (lengths[i] + 1);

      memset (payload, (int) i, lengths[i]);
      dn_frame_encode_header (header, DN_MSG_DATA, (guint32) i + 1, lengths[i]);
      g_byte_array_append (stream, header, sizeof header);
      g_byte_array_append (stream, payload, lengths[i]);
    }
  for (gsize piece = 1; piece < 200000; piece = piece * 3 + 1)
    {
      gsize at = 0, frames = 0;

      dn_frame_reader_init (reader, &dn_guest_wire, DN_SENDER_GUEST);
      while (at < stream->len)
        {
          DnFrameHeader header;
          const guint8 *payload;
          gsize taken = feed (reader, stream->data + at, MIN (piece, stream->len - at));

          g_assert_cmpuint (taken, >, 0);
          at += taken;
          while (dn_frame_reader_next (reader, &header, &payload) > 0)
            {
              g_assert_cmpuint (header.stream, ==, frames + 1);
              g_assert_cmpuint (header.length, ==, lengths[frames]);
              for (guint32 i = 0; i < header.length; i += 997)
                g_assert_cmpuint (payload[i], ==, frames);
              frames++;
            }
        }
      g_assert_cmpuint (frames, ==, G_N_ELEMENTS (lengths));
    }
}

static void
test_a_bad_header_is_told_before_its_payload_comes (void)
{
  g_autofree DnFrameReader *reader = g_new0 (DnFrameReader, 1);
  static const guint8 bad[] = { 0, 50, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1 };
  DnFrameHeader header;
  const guint8 *payload;

  dn_frame_reader_init (reader, &dn_guest_wire, DN_SENDER_GUEST);
  (void) feed (reader, bad, 11);
  g_assert_cmpint (dn_frame_reader_next (reader, &header, &payload), ==, 0);
  (void) feed (reader, bad + 11, 1);
  g_assert_cmpint (dn_frame_reader_next (reader, &header, &payload), ==, -EMSGSIZE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/frame-reader/" #name, test_##name)
  TEST (cuts_frames_out_of_pieces_of_any_size);
  TEST (a_bad_header_is_told_before_its_payload_comes);
  return g_test_run ();
}
