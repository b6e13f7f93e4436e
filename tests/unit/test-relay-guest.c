/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/relay-fixture.c launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c
 * launcher/confined/say.c launcher/base/*.c protocol/*.c */
/* What a guest may not do to the router, and a new link. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay-fixture.h"

#define STREAMS 8u
#define ALL (DN_SESSION_STDIN | DN_SESSION_STDOUT | DN_SESSION_STDERR)

typedef struct
{
  guint16 type;
  guint32 stream;
  const char *payload;
  gsize size;
} Violation;

static void
test_a_window_violation_makes_the_guest_suspect (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree guint8 *block = g_malloc0 (65536);
  guint32 code;
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 0);
  fixture_add_session (fixture, 0, ALL, fds);
  /* One endless line: the log takes pieces of it, the client nothing. */
  for (int i = 0; i < 200 && dn_channel_is_up (fixture->router); i++)
    fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, block, 65536);
  fixture_expect_suspect (fixture);
  for (int i = 0; i < 4; i++)
    if (i != 2)
      fixture_settle (fixture);
  g_assert_cmpint (fixture_read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_LOST);
  fixture_close_all (fds);
  fixture_free (fixture);
}

static void
test_refuses_what_no_honest_guest_sends (void)
{
  static const Violation violations[] = {
    { DN_MSG_PING, 0, "\0\0\0\1", 4 },                     /* ours to send */
    { 9999, 0, "", 0 },                                    /* unknown */
    { DN_MSG_READY, 0, "", 0 },                            /* twice, and short */
    { DN_MSG_DATA, 4000, "x", 1 },                         /* a stream nobody made */
    { DN_MSG_DATA, STREAMS, "x", 1 },                      /* standard input */
    { DN_MSG_DATA, STREAMS + 3, "x", 1 },                  /* no stream of a process */
    { DN_MSG_DATA, 0, "x", 1 },                            /* a stream's frame on stream 0 */
    { DN_MSG_REPLY, STREAMS, "\0\0\0\1\0\0\0\0\0\0", 10 }, /* and the reverse */
    { DN_MSG_CREDIT, STREAMS, "\0\0\0\1", 4 },             /* for nothing that was sent */
    { DN_MSG_CREDIT, STREAMS + 1, "\0\0\0\1", 4 },         /* for its own output */
    { DN_MSG_OOM, 0, "\0\3../", 5 },                       /* a container that can be none */
    { DN_MSG_HEALTH, 0, "\0\3../\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 33 },
    { DN_MSG_DISK_DAMAGE, 0, "\0\3../", 5 },          /* a disk that can be none */
    { DN_MSG_REPLY, 0, "\0\0\0\1\0\0\0\0\0\5x", 11 }, /* a text that is longer than the frame */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (violations); i++)
    {
      Fixture *fixture = fixture_new ();

      fixture_link (fixture);
      fixture_add_process (fixture, 1, STREAMS, 0);
      fixture_guest_send (fixture, violations[i].type, violations[i].stream, violations[i].payload,
                          violations[i].size);
      fixture_expect_suspect (fixture);
      fixture_free (fixture);
    }
}

static void
test_a_new_link_goes_on_where_the_old_one_was_credited (void)
{
  Fixture *fixture = fixture_new ();
  guint8 text[8];
  guint32 code = 1;
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 0);
  fixture_add_session (fixture, 0, ALL, fds);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "ab\ncd", 5);
  fixture_read (fixture, fds[2], text, 5);
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 3);
  (void) shutdown (fixture->guest, SHUT_RDWR);
  (void) fixture_expect_told (fixture, DN_MSG_LINK_DOWN, NULL);
  fixture_link (fixture);
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 0);
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 2), ==, 0);
  /* The agent sends again what was not credited; the client does not see it twice. */
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "cdef\n", 5);
  fixture_read (fixture, fds[2], text, 3);
  g_assert_cmpmem (text, 3, "ef\n", 3);
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 5);
  fixture_exit (fixture, 0, STREAMS, 0);
  g_assert_cmpint (fixture_read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  fixture_close_all (fds);
  fixture_free (fixture);
}

static void
test_a_flood_of_output_leaves_a_bounded_log (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree guint8 *block = g_malloc (65536);
  guint64 lines = 0;
  guint32 size;
  const guint8 *payload;
  DnMsgLogDropped dropped;

  memset (block, 'y', 65536);
  for (gsize i = 63; i < 65536; i += 64)
    block[i] = '\n';
  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 256 * 1024);
  for (int i = 0; i < 400; i++)
    {
      fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, block, 65536);
      g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 65536);
    }
  /* On a busy machine it takes so long that the relay tells more than once. */
  while (lines <= 100000)
    {
      payload = fixture_expect_told (fixture, DN_MSG_LOG_DROPPED, &size);
      g_assert_cmpint (dn_msg_log_dropped_unpack (payload, size, &dropped), ==, 0);
      lines += dropped.lines;
    }
  g_assert_cmpint (lseek (fixture->log_fds[0], 0, SEEK_END), <=, 512 * 1024);
  g_assert_cmpint (lseek (fixture->log_fds[1], 0, SEEK_END), <=, 512 * 1024);
  g_assert_true (dn_channel_is_up (fixture->router));
  fixture_free (fixture);
}

static void
test_a_flood_of_frames_is_read_slowly (void)
{
  Fixture *fixture = fixture_new ();
  guint8 frame[DN_FRAME_HEADER_BYTES + 34 + 2];
  g_autoptr (GByteArray) flood = g_byte_array_new ();
  DnMsgOom oom = { .container = CONTAINER };
  gint64 start = g_get_monotonic_time ();
  gsize sent = 0;
  guint8 sink[65536];

  dn_frame_encode_header (frame, DN_MSG_OOM, 0, 34);
  g_assert_cmpint (dn_msg_oom_pack (&oom, frame + DN_FRAME_HEADER_BYTES, 34), ==, 34);
  for (int i = 0; i < 30000; i++)
    g_byte_array_append (flood, frame, DN_FRAME_HEADER_BYTES + 34);
  fixture_link (fixture);
  while (sent < flood->len)
    {
      gssize n = send (fixture->guest, flood->data + sent, flood->len - sent, MSG_DONTWAIT);

      sent += n > 0 ? (gsize) n : 0;
      g_assert_cmpint (dn_router_turn (fixture->router, 5), ==, 0);
      (void) !recv (fixture->control, sink, sizeof sink, MSG_DONTWAIT);
    }
  while (fixture->router->channel.bytes_in < flood->len)
    {
      g_assert_cmpint (dn_router_turn (fixture->router, 5), ==, 0);
      (void) !recv (fixture->control, sink, sizeof sink, MSG_DONTWAIT);
    }
  /* 20,000 at once, the other 10,000 in half a second; some may still be in the reader. */
  g_assert_cmpint (g_get_monotonic_time () - start, >, 200000);
  g_assert_true (dn_channel_is_up (fixture->router));
  fixture_free (fixture);
}

static void
test_skips_an_old_conversation_on_a_serial_port (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgChannel order = { .repeat_hello = 1 };
  DnMsgReady ready = { .processors = 1 };
  guint8 payload[512], record[DN_LINK_BYTES];
  DnLinkHello first, last;
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  memcpy (order.secret, fixture->secret, sizeof order.secret);
  fixture_order (fixture, DN_MSG_CHANNEL, payload,
                 dn_msg_channel_pack (&order, payload, sizeof payload), &pair[1], 1);
  (void) close (pair[1]);
  fixture->guest = pair[0];
  fixture_read (fixture, fixture->guest, record, sizeof record);
  g_assert_cmpint (dn_link_decode_hello (record, fixture->secret, &first), ==, 0);
  fixture_read (fixture, fixture->guest, record, sizeof record); /* the repeated one */
  g_assert_cmpint (dn_link_decode_hello (record, fixture->secret, &last), ==, 0);
  /* Rests, and the answer to the first hello, come before the one that counts. */
  g_assert_cmpint (write (fixture->guest, "\0\62\0\0danchi\r", 11), ==, 11);
  dn_link_encode_welcome (record, 1, first.nonce, fixture->secret);
  g_assert_cmpint (write (fixture->guest, record, sizeof record), ==, sizeof record);
  dn_link_encode_welcome (record, 1, last.nonce, fixture->secret);
  g_assert_cmpint (write (fixture->guest, record, sizeof record), ==, sizeof record);
  fixture_guest_send (fixture, DN_MSG_READY, 0, payload,
                      (gsize) dn_msg_ready_pack (&ready, payload, sizeof payload));
  (void) fixture_expect_told (fixture, DN_MSG_LINK_UP, NULL);
  fixture_free (fixture);
}

static void
test_refuses_a_guest_without_the_secret (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgChannel order = { 0 };
  guint8 payload[128], record[DN_LINK_BYTES];
  DnLinkHello hello;
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  memcpy (order.secret, fixture->secret, sizeof order.secret);
  fixture_order (fixture, DN_MSG_CHANNEL, payload,
                 dn_msg_channel_pack (&order, payload, sizeof payload), &pair[1], 1);
  (void) close (pair[1]);
  fixture->guest = pair[0];
  fixture_read (fixture, fixture->guest, record, sizeof record);
  g_assert_cmpint (dn_link_decode_hello (record, fixture->secret, &hello), ==, 0);
  fixture->secret[63] ^= 1;
  dn_link_encode_welcome (record, 1, hello.nonce, fixture->secret);
  g_assert_cmpint (write (fixture->guest, record, sizeof record), ==, sizeof record);
  fixture_expect_suspect (fixture);
  fixture_free (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/guest/" #name, test_##name)
  TEST (a_window_violation_makes_the_guest_suspect);
  TEST (refuses_what_no_honest_guest_sends);
  TEST (a_new_link_goes_on_where_the_old_one_was_credited);
  TEST (a_flood_of_output_leaves_a_bounded_log);
  TEST (a_flood_of_frames_is_read_slowly);
  TEST (skips_an_old_conversation_on_a_serial_port);
  TEST (refuses_a_guest_without_the_secret);
  return g_test_run ();
}
