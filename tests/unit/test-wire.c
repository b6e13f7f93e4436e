/* SPDX-License-Identifier: Apache-2.0 */
/* Links: protocol/*.c */
#include <errno.h>
#include <glib.h>

#include "../../protocol/protocol.h"

static const guint8 ping[DN_FRAME_HEADER_BYTES] = { 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4 };

static void
test_a_header_is_twelve_bytes_big_endian (void)
{
  guint8 bytes[DN_FRAME_HEADER_BYTES];
  DnFrameHeader header;
  static const guint8 wanted[] = { 0, 50, 0, 0, 1, 2, 3, 4, 0, 1, 0, 0 };

  dn_frame_encode_header (bytes, DN_MSG_DATA, 0x01020304, 65536);
  g_assert_cmpmem (bytes, sizeof bytes, wanted, sizeof wanted);
  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_GUEST, bytes, &header), ==, 0);
  g_assert_cmpuint (header.type, ==, DN_MSG_DATA);
  g_assert_cmpuint (header.stream, ==, 0x01020304);
  g_assert_cmpuint (header.length, ==, 65536);
}

static void
test_refuses_the_other_sides_message (void)
{
  DnFrameHeader header;

  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_HOST, ping, &header), ==, 0);
  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_GUEST, ping, &header), ==,
                   -EPROTO);
}

static void
test_refuses_what_is_unknown_reserved_or_too_long (void)
{
  static const guint8 unknown[] = { 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  static const guint8 reserved[] = { 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4 };
  static const guint8 long_ping[] = { 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5 };
  static const guint8 huge[] = { 0, 50, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255 };
  DnFrameHeader header = { .type = 7 };

  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_HOST, unknown, &header), ==,
                   -EPROTO);
  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_HOST, reserved, &header), ==,
                   -EPROTO);
  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_HOST, long_ping, &header), ==,
                   -EMSGSIZE);
  g_assert_cmpint (dn_frame_decode_header (&dn_guest_wire, DN_SENDER_HOST, huge, &header), ==,
                   -EMSGSIZE);
  g_assert_cmpuint (header.type, ==, 7); /* set only on success */
}

static void
test_names_are_for_people (void)
{
  g_assert_cmpstr (dn_wire_name (&dn_guest_wire, DN_MSG_EXITED), ==, "EXITED");
  g_assert_cmpstr (dn_wire_name (&dn_guest_wire, 4711), ==, "UNKNOWN");
  g_assert_null (dn_wire_find (&dn_guest_wire, 0));
  g_assert_null (dn_wire_find (&dn_guest_wire, G_MAXUINT16));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/wire/" #name, test_##name)
  TEST (a_header_is_twelve_bytes_big_endian);
  TEST (refuses_the_other_sides_message);
  TEST (refuses_what_is_unknown_reserved_or_too_long);
  TEST (names_are_for_people);
  return g_test_run ();
}
