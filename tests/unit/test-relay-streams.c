/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/relay-fixture.c launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c
 * launcher/confined/say.c launcher/base/*.c protocol/*.c */
/* Streams of processes between guest and clients, through the relay's router. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay-fixture.h"

#define STREAMS 8u
#define ALL (DN_SESSION_STDIN | DN_SESSION_STDOUT | DN_SESSION_STDERR)
#define WINDOW DN_STREAM_WINDOW_BYTES

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
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 6);
  fixture_exit (fixture, 0, STREAMS, 7);
  (void) fixture_expect_told (fixture, DN_MSG_DRAINED, NULL);
  g_assert_true (fixture_is_at_end (fixture, fds[2]));
  g_assert_true (fixture_is_at_end (fixture, fds[3]));
  g_assert_cmpint (fixture_read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  g_assert_cmpuint (code, ==, 7);
  log = fixture_read_log (fixture);
  g_assert_nonnull (strstr (log, "\"s\":\"stdout\",\"m\":\"hello\"}\n"));
  g_assert_nonnull (strstr (log, "\"s\":\"stderr\",\"m\":\"oops\",\"p\":true}\n"));
  fixture_close_all (fds);
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
  fixture_close_all (stalled);
  fixture_close_all (other);
  fixture_free (fixture);
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
  g_assert_cmpint (fixture_read_last_word (fixture, fds[0], &code), ==, DN_MSG_SESSION_EXITED);
  fixture_close_all (fds);
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
  fixture_close_all (fds);
  fixture_guest_send (fixture, DN_MSG_DATA, STREAMS + 1, "on\n", 3);
  g_assert_cmpuint (fixture_read_credit (fixture, STREAMS + 1), ==, 3); /* and no EOF before it */
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
  fixture_close_all (fds);
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
  fixture_close_all (second);
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
  fixture_close_all (fds);
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
  fixture_close_all (fds);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/streams/" #name, test_##name)
  TEST (exit_waits_for_drained_output);
  TEST (a_stalled_reader_stalls_only_its_own_stream);
  TEST (echoes_a_mebibyte);
  TEST (a_vanished_client_neither_blocks_nor_ends_a_container);
  TEST (a_vanished_client_ends_the_input_of_an_exec);
  TEST (standard_input_ends_only_when_the_client_says_so);
  TEST (sends_no_more_input_than_the_window);
  TEST (a_session_resizes_and_signals);
  TEST (an_exit_that_comes_before_its_process_is_remembered);
  TEST (streams_of_an_ended_process_are_given_to_another);
  return g_test_run ();
}
