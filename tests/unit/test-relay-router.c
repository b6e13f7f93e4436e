/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/relay-fixture.c launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c
 * launcher/confined/say.c launcher/base/*.c protocol/*.c */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"
#include "../../launcher/relay/strongbox.h"
#include "../../protocol/pack.h"
#include "relay-fixture.h"

#define STREAMS 8u
#define ALL (DN_SESSION_STDIN | DN_SESSION_STDOUT | DN_SESSION_STDERR)
#define WINDOW DN_STREAM_WINDOW_BYTES

static void
close_all (const int fds[4])
{
  for (int i = 0; i < 4; i++)
    if (fds[i] >= 0)
      (void) close (fds[i]);
}

static guint32
read_credit (Fixture *fixture, guint32 stream)
{
  guint32 size;
  const guint8 *payload = fixture_expect_to_guest (fixture, DN_MSG_CREDIT, stream, &size);
  DnMsgCredit credit;

  g_assert_cmpint (dn_msg_credit_unpack (payload, size, &credit), ==, 0);
  return credit.bytes;
}

/* The last message on a session's control socket. */
static guint16
read_last_word (Fixture *fixture, int control, guint32 *ret_code)
{
  guint8 bytes[DN_FRAME_HEADER_BYTES + 512];
  DnFrameHeader header;
  DnMsgSessionExited exited;

  fixture_read (fixture, control, bytes, DN_FRAME_HEADER_BYTES);
  g_assert_cmpint (dn_frame_decode_header (&dn_session_wire, DN_SENDER_GUEST, bytes, &header), ==,
                   0);
  fixture_read (fixture, control, bytes, header.length);
  if (header.type == DN_MSG_SESSION_EXITED)
    {
      g_assert_cmpint (dn_msg_session_exited_unpack (bytes, header.length, &exited), ==, 0);
      *ret_code = exited.code;
    }
  g_assert_true (fixture_is_at_end (fixture, control));
  return header.type;
}

static void
test_exit_waits_for_drained_output (void)
{
  Fixture *fixture = fixture_new ();
  guint8 text[6];
  guint32 code = 0;
  int fds[4];
  g_autofree char *log = NULL;

  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 0);
  fixture_add_session (fixture, 0, ALL, fds);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "hello\n", 6);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 2, "oops", 4);
  fixture_read (fixture, fds[2], text, 6);
  g_assert_cmpmem (text, 6, "hello\n", 6);
  fixture_read (fixture, fds[3], text, 4);
  g_assert_cmpmem (text, 4, "oops", 4);
  /* An unfinished line is not in the log yet, and so not credited. */
  g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 6);
  fixture_exit (fixture, 0, STREAMS, 7);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  g_assert_true (fixture_is_at_end (fixture, fds[2]));
  g_assert_true (fixture_is_at_end (fixture, fds[3]));
  g_assert_cmpint (read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  g_assert_cmpuint (code, ==, 7);
  log = fixture_read_log (fixture);
  g_assert_nonnull (strstr (log, "\"s\":\"stdout\",\"m\":\"hello\"}\n"));
  g_assert_nonnull (strstr (log, "\"s\":\"stderr\",\"m\":\"oops\",\"p\":true}\n"));
  close_all (fds);
  fixture_free (fixture);
}

static void
test_a_stalled_reader_stalls_only_its_own_stream (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree guint8 *block = g_malloc0 (WINDOW / 4);
  guint64 credited = 0, sent = 0;
  int stalled[4], other[4];
  guint8 byte;

  memset (block, '\n', WINDOW / 4);
  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_add_process (fixture, 2, STREAMS + 4, 0);
  fixture_add_session (fixture, 1, ALL, stalled);
  fixture_add_session (fixture, 2, ALL, other);
  /* The client reads nothing: what its socket holds is credited, then no more comes. */
  while (sent + WINDOW / 4 - credited <= WINDOW && sent < 100 * WINDOW)
    {
      fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, block, WINDOW / 4);
      sent += WINDOW / 4;
      fixture_settle (fixture);
      credited = fixture->router->processes[STREAMS / 4 % DN_PROCESS_BUCKETS]->outputs[0].credited;
    }
  /* Its standard error, another process and control go on. */
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 2, "e", 1);
  fixture_read (fixture, stalled[3], &byte, 1);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 5, "o", 1);
  fixture_read (fixture, other[2], &byte, 1);
  fixture_order (fixture, DN_MSG_PROBE, (const guint8 *) "\0\0\0\5", 4, NULL, 0);
  (void) fixture_expect_told (fixture, DN_MSG_PROBED, NULL);
  /* Nothing is lost when it reads after all. */
  fixture_exit (fixture, 1, STREAMS, 0);
  fixture_expect_silence (fixture);
  for (; sent > 0; sent -= WINDOW / 4)
    fixture_read (fixture, stalled[2], block, WINDOW / 4);
  g_assert_true (fixture_is_at_end (fixture, stalled[2]));
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  close_all (stalled);
  close_all (other);
  fixture_free (fixture);
}

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
  g_assert_cmpint (read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_LOST);
  close_all (fds);
  fixture_free (fixture);
}

typedef struct
{
  guint16 type;
  guint32 stream;
  const char *payload;
  gsize size;
} Violation;

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
test_echoes_a_mebibyte (void)
{
  const gsize total = 1024 * 1024;
  Fixture *fixture = fixture_new ();
  g_autofree guint8 *sent = g_malloc (total);
  g_autofree guint8 *got = g_malloc (total);
  gsize written = 0, echoed = 0, read_back = 0;
  gboolean has_ended = FALSE;
  guint32 code = 1;
  int fds[4];

  for (gsize i = 0; i < total; i++)
    sent[i] = (guint8) (i * 31 + i / 251);
  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_add_session (fixture, 1, ALL, fds);
  while (!has_ended)
    {
      DnFrameHeader header;
      const guint8 *payload;
      guint8 *space, credit[4];
      gsize size;
      gssize n = written < total ? send (fds[1], sent + written, total - written, MSG_DONTWAIT) : 0;

      written += n > 0 ? (gsize) n : 0;
      if (written == total)
        (void) shutdown (fds[1], SHUT_WR);
      g_assert_cmpint (dn_router_turn (fixture->router, 1), ==, 0);
      space = dn_frame_reader_space (fixture->to_guest, &size);
      n = recv (fixture->guest, space, size, MSG_DONTWAIT);
      dn_frame_reader_added (fixture->to_guest, n > 0 ? (gsize) n : 0);
      while (dn_frame_reader_next (fixture->to_guest, &header, &payload) > 0)
        if (header.type == DN_MSG_DATA)
          {
            DnMsgCredit message = { .bytes = header.length };

            echoed += header.length;
            (void) dn_msg_credit_pack (&message, credit, sizeof credit);
            fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, payload, header.length);
            fixture_guest_send (fixture, DN_MSG_CREDIT, STREAMS, credit, sizeof credit);
          }
        else if (header.type == DN_MSG_EOF)
          has_ended = TRUE;
      n = recv (fds[2], got + read_back, total - read_back, MSG_DONTWAIT);
      read_back += n > 0 ? (gsize) n : 0;
    }
  g_assert_cmpuint (echoed, ==, total);
  fixture_exit (fixture, 1, STREAMS, 0);
  fixture_read (fixture, fds[2], got + read_back, total - read_back);
  g_assert_true (fixture_is_at_end (fixture, fds[2]));
  g_assert_cmpmem (got, total, sent, total);
  g_assert_cmpint (read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  close_all (fds);
  fixture_free (fixture);
}

static void
test_a_vanished_client_neither_blocks_nor_ends_a_container (void)
{
  Fixture *fixture = fixture_new ();
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 0);
  fixture_add_session (fixture, 0, ALL, fds);
  close_all (fds);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "on\n", 3);
  g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 3); /* and no EOF before it */
  g_assert_cmpuint (fixture->router->session_count, ==, 0);
  fixture_exit (fixture, 0, STREAMS, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  fixture_free (fixture);
}

static void
test_a_vanished_client_ends_the_input_of_an_exec (void)
{
  Fixture *fixture = fixture_new ();
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 3, STREAMS, 0);
  fixture_add_session (fixture, 3, ALL, fds);
  close_all (fds);
  (void) fixture_expect_to_guest (fixture, DN_MSG_EOF, STREAMS, NULL);
  fixture_free (fixture);
}

static void
test_standard_input_ends_only_when_the_client_says_so (void)
{
  Fixture *fixture = fixture_new ();
  guint32 size;
  int first[4], second[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 0, STREAMS, 0);
  fixture_add_session (fixture, 0, ALL, first);
  (void) close (first[1]); /* one after the other, as a client that goes away does */
  fixture_settle (fixture);
  (void) close (first[0]);
  fixture_add_session (fixture, 0, ALL, second);
  g_assert_cmpint (write (second[1], "in", 2), ==, 2);
  (void) shutdown (second[1], SHUT_WR);
  (void) fixture_expect_to_guest (fixture, DN_MSG_DATA, STREAMS, &size);
  g_assert_cmpuint (size, ==, 2);
  (void) fixture_expect_to_guest (fixture, DN_MSG_EOF, STREAMS, NULL);
  (void) close (first[2]);
  (void) close (first[3]);
  close_all (second);
  fixture_free (fixture);
}

static void
test_sends_no_more_input_than_the_window (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree guint8 *block = g_malloc0 (WINDOW);
  guint64 sent = 0, received = 0;
  guint8 credit[4] = { 0, 0, 0, 9 };
  guint32 size;
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_add_session (fixture, 1, ALL, fds);
  for (int i = 0; i < 50; i++)
    {
      gssize n = send (fds[1], block, WINDOW, MSG_DONTWAIT);

      sent += n > 0 ? (guint64) n : 0;
      fixture_settle (fixture);
    }
  g_assert_cmpuint (sent, >, WINDOW);
  while (received < WINDOW)
    {
      (void) fixture_expect_to_guest (fixture, DN_MSG_DATA, STREAMS, &size);
      received += size;
    }
  g_assert_cmpuint (received, ==, WINDOW);
  fixture_guest_send (fixture, DN_MSG_CREDIT, STREAMS, credit, sizeof credit);
  (void) fixture_expect_to_guest (fixture, DN_MSG_DATA, STREAMS, &size);
  g_assert_cmpuint (size, ==, 9);
  close_all (fds);
  fixture_free (fixture);
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
  g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 3);
  (void) shutdown (fixture->guest, SHUT_RDWR);
  (void) fixture_expect_told (fixture, DN_MSG_LINK_DOWN, NULL);
  fixture_link (fixture);
  g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 0);
  g_assert_cmpuint (read_credit (fixture, STREAMS + 2), ==, 0);
  /* The agent sends again what was not credited; the client does not see it twice. */
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "cdef\n", 5);
  fixture_read (fixture, fds[2], text, 3);
  g_assert_cmpmem (text, 3, "ef\n", 3);
  g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 5);
  fixture_exit (fixture, 0, STREAMS, 0);
  g_assert_cmpint (read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  close_all (fds);
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
      g_assert_cmpuint (read_credit (fixture, STREAMS + 1), ==, 65536);
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
test_a_refused_system_call_is_passed_on_for_what_can_be_a_container (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgRefused refused = { .container = CONTAINER, .call = 165, .count = 3, .program = "sh" };
  guint8 payload[128];
  int size = dn_msg_refused_pack (&refused, payload, sizeof payload);
  guint32 told;
  const guint8 *passed;

  fixture_link (fixture);
  fixture_guest_send (fixture, DN_MSG_REFUSED, 0, payload, (gsize) size);
  passed = fixture_expect_told (fixture, DN_MSG_REFUSED, &told);
  g_assert_cmpmem (passed, told, payload, size);
  strcpy (refused.container, "../../etc");
  size = dn_msg_refused_pack (&refused, payload, sizeof payload);
  fixture_guest_send (fixture, DN_MSG_REFUSED, 0, payload, (gsize) size);
  fixture_expect_suspect (fixture);
  fixture_free (fixture);
}

static void
test_damage_of_a_disk_is_passed_on_for_what_can_be_one (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgDiskDamage damage = { .disk = "0123456789abcdef0123", .layer = 127, .block = 5, .count = 1 };
  guint8 payload[128];
  int size = dn_msg_disk_damage_pack (&damage, payload, sizeof payload);
  guint32 told;
  const guint8 *passed;

  fixture_link (fixture);
  fixture_guest_send (fixture, DN_MSG_DISK_DAMAGE, 0, payload, (gsize) size);
  passed = fixture_expect_told (fixture, DN_MSG_DISK_DAMAGE, &told);
  g_assert_cmpmem (passed, told, payload, size);
  damage.layer = 128;
  size = dn_msg_disk_damage_pack (&damage, payload, sizeof payload);
  fixture_guest_send (fixture, DN_MSG_DISK_DAMAGE, 0, payload, (gsize) size);
  fixture_expect_suspect (fixture);
  fixture_free (fixture);
}

static void
test_a_listener_is_passed_on_to_who_asked_for_what_can_be_a_container (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgListeners ask = { .request = 7 };
  DnMsgListenerEntry entry = { .protocol = DN_LISTENER_TCP, .port = 80, .container = CONTAINER };
  guint8 payload[512];
  int size = dn_msg_listeners_pack (&ask, payload, sizeof payload);
  guint32 told;
  const guint8 *bytes;

  fixture_link (fixture);
  fixture_order (fixture, DN_MSG_LISTENERS, payload, size, NULL, 0);
  bytes = fixture_expect_to_guest (fixture, DN_MSG_LISTENERS, 0, &told);
  g_assert_cmpint (dn_msg_listeners_unpack (bytes, told, &ask), ==, 0);
  entry.request = ask.request;
  size = dn_msg_listener_entry_pack (&entry, payload, sizeof payload);
  fixture_guest_send (fixture, DN_MSG_LISTENER_ENTRY, 0, payload, (gsize) size);
  bytes = fixture_expect_told (fixture, DN_MSG_LISTENER_ENTRY, &told);
  g_assert_cmpint (dn_msg_listener_entry_unpack (bytes, told, &entry), ==, 0);
  g_assert_cmpuint (entry.request, ==, 7);
  g_assert_cmpuint (entry.port, ==, 80);
  entry.request = ask.request;
  strcpy (entry.container, "../../etc");
  size = dn_msg_listener_entry_pack (&entry, payload, sizeof payload);
  fixture_guest_send (fixture, DN_MSG_LISTENER_ENTRY, 0, payload, (gsize) size);
  fixture_expect_suspect (fixture);
  fixture_free (fixture);
}

static void
test_a_danchid_that_does_not_read_is_dropped (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgOom oom = { .container = CONTAINER };
  guint8 payload[64];
  int size = dn_msg_oom_pack (&oom, payload, sizeof payload);

  for (int i = 0; i < 200000 && fixture->router->control.connection.fd >= 0; i++)
    dn_router_tell (fixture->router, DN_MSG_OOM, payload, size);
  g_assert_cmpint (fixture->router->control.connection.fd, <, 0);
  (void) close (fixture->control);
  fixture->control = fixture_connect (fixture->control_name);
  fixture_settle (fixture);
  dn_frame_reader_init (fixture->from_relay, &dn_control_all_wire, DN_SENDER_GUEST);
  fixture_order (fixture, DN_MSG_PROBE, (const guint8 *) "\0\0\0\5", 4, NULL, 0);
  (void) fixture_expect_told (fixture, DN_MSG_PROBED, NULL);
  fixture_free (fixture);
}

static void
test_the_newest_danchid_wins_and_hears_what_it_missed (void)
{
  Fixture *fixture = fixture_new ();
  int older = fixture->control;
  guint8 byte, ping[4] = { 0, 0, 0, 5 }, reply[10] = { 0 };
  const guint8 *payload;
  DnUnpacker unpacker;

  fixture_link (fixture);
  fixture_order (fixture, DN_MSG_PING, ping, 4, NULL, 0);
  payload = fixture_expect_to_guest (fixture, DN_MSG_PING, 0, NULL);
  memcpy (reply, payload, 4);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_exit (fixture, 1, STREAMS, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);

  fixture->control = fixture_connect (fixture->control_name);
  dn_frame_reader_init (fixture->from_relay, &dn_control_all_wire, DN_SENDER_GUEST);
  (void) fixture_expect_told (fixture, DN_MSG_LINK_UP, NULL);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  g_assert_cmpint (recv (older, &byte, 1, MSG_DONTWAIT), ==, 0);
  /* The answer to the older one's request 5 is none to the newer one's. */
  fixture_order (fixture, DN_MSG_PING, ping, 4, NULL, 0);
  fixture_guest_send (fixture, DN_MSG_REPLY, 0, reply, sizeof reply);
  fixture_expect_silence (fixture);
  memcpy (reply, fixture_expect_to_guest (fixture, DN_MSG_PING, 0, NULL), 4);
  fixture_guest_send (fixture, DN_MSG_REPLY, 0, reply, sizeof reply);
  unpacker = (DnUnpacker){ .bytes = fixture_expect_told (fixture, DN_MSG_REPLY, NULL), .size = 4 };
  g_assert_cmpuint (dn_unpack_u32 (&unpacker), ==, 5);
  (void) close (older);
  fixture_free (fixture);
}

static void
test_answers_for_a_guest_that_is_not_there (void)
{
  Fixture *fixture = fixture_new ();
  guint32 size;
  const guint8 *payload;
  DnMsgReply reply;

  fixture_order (fixture, DN_MSG_LIST, (const guint8 *) "\0\0\0\7", 4, NULL, 0);
  payload = fixture_expect_told (fixture, DN_MSG_REPLY, &size);
  g_assert_cmpint (dn_msg_reply_unpack (payload, size, &reply), ==, 0);
  g_assert_cmpuint (reply.request, ==, 7);
  g_assert_cmpint (reply.status, ==, -ENOTCONN);
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

static void
test_copies_out_and_in (void)
{
  Fixture *fixture = fixture_new ();
  guint8 payload[64], text[8];
  DnMsgTransfer order = { .stream = 400 };
  guint32 size;
  int out[2], in[2];

  fixture_link (fixture);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), ==, 0);
  g_assert_cmpint (pipe (in), ==, 0);
  fixture_order (fixture, DN_MSG_TRANSFER, payload,
                 dn_msg_transfer_pack (&order, payload, sizeof payload), &out[1], 1);
  (void) close (out[1]);
  fixture_guest_send (fixture, DN_MSG_DATA, 400, "copied", 6);
  fixture_read (fixture, out[0], text, 6);
  g_assert_cmpuint (read_credit (fixture, 400), ==, 6);
  fixture_guest_send (fixture, DN_MSG_EOF, 400, NULL, 0);
  g_assert_true (fixture_is_at_end (fixture, out[0]));

  order = (DnMsgTransfer){ .stream = 404, .to_guest = 1 };
  fixture_order (fixture, DN_MSG_TRANSFER, payload,
                 dn_msg_transfer_pack (&order, payload, sizeof payload), &in[0], 1);
  (void) close (in[0]);
  g_assert_cmpint (write (in[1], "abc", 3), ==, 3);
  (void) fixture_expect_to_guest (fixture, DN_MSG_DATA, 404, &size);
  g_assert_cmpuint (size, ==, 3);
  (void) close (in[1]);
  (void) fixture_expect_to_guest (fixture, DN_MSG_EOF, 404, NULL);
  /* A late credit for a copy that has ended is no violation. */
  fixture_guest_send (fixture, DN_MSG_CREDIT, 404, "\0\0\0\3", 4);
  fixture_settle (fixture);
  g_assert_true (dn_channel_is_up (fixture->router));
  g_assert_cmpuint (fixture->router->transfer_count, ==, 0);
  (void) close (out[0]);
  fixture_free (fixture);
}

/* SECRET_TRANSFER of one end of a socket pair; the other is returned. */
static int
begin_secret (Fixture *fixture, guint32 stream)
{
  DnMsgSecretTransfer order = { .stream = stream };
  guint8 payload[16];
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture_order (fixture, DN_MSG_SECRET_TRANSFER, payload,
                 dn_msg_secret_transfer_pack (&order, payload, sizeof payload), &pair[1], 1);
  (void) close (pair[1]);
  return pair[0];
}

static void
test_a_secret_goes_through_the_box_alone (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree char *content = g_strnfill (20000, 's');
  gsize received = 0;
  int fd;

  fixture_link (fixture);
  /* Where no memory may be locked, it is refused, and the guest is told. */
  fd = begin_secret (fixture, 400);
  g_assert_cmpint (write (fd, "x", 1), ==, 1);
  (void) fixture_expect_to_guest (fixture, DN_MSG_RESET, 400, NULL);
  /* Nor is any of it read. */
  g_assert_cmpint (send (fd, "y", 1, MSG_NOSIGNAL), ==, -1);
  (void) close (fd);

  g_assert_cmpint (dn_strongbox_lock (), ==, 0);
  fd = begin_secret (fixture, 404);
  g_assert_cmpint (write (fd, content, 20000), ==, 20000);
  while (received < 20000)
    {
      guint32 size;
      const guint8 *payload = fixture_expect_to_guest (fixture, DN_MSG_DATA, 404, &size);

      g_assert_cmpuint (size, <=, DN_STRONGBOX_BYTES - DN_FRAME_HEADER_BYTES);
      g_assert_cmpint (memcmp (payload, content + received, size), ==, 0);
      received += size;
      /* What is out is nowhere any more. */
      g_assert_true (dn_strongbox_is_empty ());
      g_assert_cmpuint (dn_backlog_length (&fixture->router->channel.outbox), ==, 0);
    }
  (void) close (fd);
  (void) fixture_expect_to_guest (fixture, DN_MSG_EOF, 404, NULL);
  fixture_settle (fixture);
  g_assert_cmpuint (fixture->router->transfer_count, ==, 0);
  fixture_free (fixture);
}

/* Two frames' pieces never mix, and what waits behind a secret goes on after it. */
static void
test_a_secret_and_a_copy_share_the_channel (void)
{
  Fixture *fixture = fixture_new ();
  g_autofree char *content = g_strnfill (30000, 's');
  g_autofree char *copied = g_strnfill (30000, 'c');
  gsize secret = 0, copy = 0;
  DnMsgTransfer order = { .stream = 408, .to_guest = 1 };
  guint8 payload[64];
  int fd, pair[2];

  fixture_link (fixture);
  g_assert_cmpint (dn_strongbox_lock (), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture_order (fixture, DN_MSG_TRANSFER, payload,
                 dn_msg_transfer_pack (&order, payload, sizeof payload), &pair[1], 1);
  (void) close (pair[1]);
  fd = begin_secret (fixture, 412);
  g_assert_cmpint (write (fd, content, 30000), ==, 30000);
  g_assert_cmpint (write (pair[0], copied, 30000), ==, 30000);
  while (secret < 30000 || copy < 30000)
    {
      DnFrameHeader header;
      const guint8 *bytes = fixture_next_to_guest (fixture, &header);
      gsize *at = header.stream == 412 ? &secret : &copy;

      g_assert_cmpuint (header.type, ==, DN_MSG_DATA);
      for (guint32 i = 0; i < header.length; i++)
        g_assert_cmpint (bytes[i], ==, header.stream == 412 ? 's' : 'c');
      *at += header.length;
    }
  (void) close (fd);
  (void) close (pair[0]);
  fixture_free (fixture);
}

static void
test_a_session_resizes_and_signals (void)
{
  Fixture *fixture = fixture_new ();
  guint8 frames[2 * DN_FRAME_HEADER_BYTES + 8] = { 0 };
  const guint8 *payload;
  guint32 size;
  DnMsgSignal signal;
  DnMsgResize resize;
  int fds[4];

  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_add_session (fixture, 1, ALL, fds);
  dn_frame_encode_header (frames, DN_MSG_SESSION_RESIZE, 0, 4);
  memcpy (frames + 12, "\0\30\0\120", 4);
  dn_frame_encode_header (frames + 16, DN_MSG_SESSION_SIGNAL, 0, 4);
  memcpy (frames + 28, "\0\0\0\2", 4);
  g_assert_cmpint (write (fds[0], frames, sizeof frames), ==, sizeof frames);
  payload = fixture_expect_to_guest (fixture, DN_MSG_RESIZE, STREAMS, &size);
  g_assert_cmpint (dn_msg_resize_unpack (payload, size, &resize), ==, 0);
  g_assert_cmpuint (resize.rows, ==, 24);
  g_assert_cmpuint (resize.columns, ==, 80);
  payload = fixture_expect_to_guest (fixture, DN_MSG_SIGNAL, 0, &size);
  g_assert_cmpint (dn_msg_signal_unpack (payload, size, &signal), ==, 0);
  g_assert_cmpuint (signal.signal, ==, 2);
  g_assert_cmpstr (signal.container, ==, CONTAINER);
  close_all (fds);
  fixture_free (fixture);
}

static void
test_the_console_goes_to_the_ring_and_milestones_to_danchid (void)
{
  Fixture *fixture = fixture_new ();
  int console = fixture_connect (fixture->console_name);
  static const char text[] = "[    0.0] Linux\r\ndanchi-boot: 4\n";
  guint8 tail[64];
  const guint8 *payload;
  guint32 size;
  DnMsgMilestone milestone;

  g_assert_cmpint (write (console, text, sizeof text - 1), ==, sizeof text - 1);
  payload = fixture_expect_told (fixture, DN_MSG_MILESTONE, &size);
  g_assert_cmpint (dn_msg_milestone_unpack (payload, size, &milestone), ==, 0);
  g_assert_cmpuint (milestone.number, ==, 4);
  g_assert_cmpint (dn_console_ring_read_tail (fixture->ring_fd, tail, sizeof tail), ==,
                   sizeof text - 1);
  g_assert_cmpmem (tail, sizeof text - 1, text, sizeof text - 1);
  (void) close (console);
  fixture_free (fixture);
}

static void
test_an_exit_that_comes_before_its_process_is_remembered (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgExited exited = { .container = CONTAINER, .process = 1, .code = 3 };
  guint8 payload[128];

  /* A relay that was started anew: LIST's answers come before danchid can name the processes. */
  fixture_link (fixture);
  fixture_guest_send (fixture, DN_MSG_EXITED, 0, payload,
                      (gsize) dn_msg_exited_pack (&exited, payload, sizeof payload));
  (void) fixture_expect_told (fixture, DN_MSG_EXITED, NULL);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_guest_send (fixture, DN_MSG_EOF, STREAMS + 1, NULL, 0);
  fixture_guest_send (fixture, DN_MSG_EOF, STREAMS + 2, NULL, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  fixture_free (fixture);
}

/* As after the end of a danchid that had not yet said FORGET. */
static void
test_streams_of_an_ended_process_are_given_to_another (void)
{
  Fixture *fixture = fixture_new ();

  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_exit (fixture, 1, STREAMS, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  fixture_add_process (fixture, 1001, STREAMS, 0);
  fixture_exit (fixture, 1001, STREAMS, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  fixture_free (fixture);
}

/* Likewise, by a copy: the guest must not be taken for one that writes to a standard input. */
static void
test_streams_of_an_ended_process_are_given_to_a_copy (void)
{
  Fixture *fixture = fixture_new ();
  DnMsgTransfer order = { .stream = STREAMS };
  guint8 payload[64], text[8];
  int out[2];

  fixture_link (fixture);
  fixture_add_process (fixture, 1, STREAMS, 0);
  fixture_exit (fixture, 1, STREAMS, 0);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out), ==, 0);
  fixture_order (fixture, DN_MSG_TRANSFER, payload,
                 dn_msg_transfer_pack (&order, payload, sizeof payload), &out[1], 1);
  (void) close (out[1]);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS, "copied", 6);
  fixture_read (fixture, out[0], text, 6);
  g_assert_cmpmem (text, 6, "copied", 6);
  g_assert_true (dn_channel_is_up (fixture->router));
  (void) close (out[0]);
  fixture_free (fixture);
}

static void
test_a_malformed_order_closes_the_control_connection (void)
{
  Fixture *fixture = fixture_new ();
  guint8 byte;

  fixture_order (fixture, DN_MSG_CHANNEL, (const guint8 *) "x", 1, NULL, 0);
  g_assert_cmpint (recv (fixture->control, &byte, 1, MSG_DONTWAIT), ==, 0);
  fixture_free (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/router/" #name, test_##name)
  TEST (exit_waits_for_drained_output);
  TEST (a_stalled_reader_stalls_only_its_own_stream);
  TEST (a_window_violation_makes_the_guest_suspect);
  TEST (refuses_what_no_honest_guest_sends);
  TEST (echoes_a_mebibyte);
  TEST (a_vanished_client_neither_blocks_nor_ends_a_container);
  TEST (a_vanished_client_ends_the_input_of_an_exec);
  TEST (standard_input_ends_only_when_the_client_says_so);
  TEST (sends_no_more_input_than_the_window);
  TEST (a_new_link_goes_on_where_the_old_one_was_credited);
  TEST (a_flood_of_output_leaves_a_bounded_log);
  TEST (a_flood_of_frames_is_read_slowly);
  TEST (a_refused_system_call_is_passed_on_for_what_can_be_a_container);
  TEST (damage_of_a_disk_is_passed_on_for_what_can_be_one);
  TEST (a_listener_is_passed_on_to_who_asked_for_what_can_be_a_container);
  TEST (a_danchid_that_does_not_read_is_dropped);
  TEST (the_newest_danchid_wins_and_hears_what_it_missed);
  TEST (answers_for_a_guest_that_is_not_there);
  TEST (skips_an_old_conversation_on_a_serial_port);
  TEST (refuses_a_guest_without_the_secret);
  TEST (copies_out_and_in);
  TEST (a_secret_goes_through_the_box_alone);
  TEST (a_secret_and_a_copy_share_the_channel);
  TEST (a_session_resizes_and_signals);
  TEST (the_console_goes_to_the_ring_and_milestones_to_danchid);
  TEST (an_exit_that_comes_before_its_process_is_remembered);
  TEST (streams_of_an_ended_process_are_given_to_another);
  TEST (streams_of_an_ended_process_are_given_to_a_copy);
  TEST (a_malformed_order_closes_the_control_connection);
  return g_test_run ();
}
