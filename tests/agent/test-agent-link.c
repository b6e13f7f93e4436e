/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* The link and its streams: credit, order, a new host, what breaks the contract. */
#include <sys/socket.h>
#include <unistd.h>

#include "agent-sleeper.h"

static void
send_input (Host *host, guint32 number, gsize size)
{
  HostStream *stream = host_stream (host, number);
  g_autofree guint8 *chunk = g_malloc (32768);
  gsize at = 0;

  while (at < size)
    {
      gsize n = MIN (MIN (size - at, 32768), stream->credit);

      if (n == 0)
        {
          g_assert_true (host_pump (host, HOST_WAIT_MS));
          continue;
        }
      for (gsize i = 0; i < n; i++)
        chunk[i] = (guint8) ((at + i) % 251);
      host_send (host, DN_MSG_DATA, number, chunk, n);
      stream->credit -= (guint32) n;
      at += n;
    }
  host_send (host, DN_MSG_EOF, number, NULL, 0);
}

static void
assert_pattern (const GByteArray *bytes, gsize size)
{
  g_assert_cmpuint (bytes->len, ==, size);
  for (gsize i = 0; i < size; i++)
    if (bytes->data[i] != (guint8) (i % 251))
      g_error ("byte %zu is wrong", i);
}

static void
test_refuses_a_link_with_a_wrong_secret (void)
{
  Host *host = host_new ();
  guint8 secret[DN_LINK_SECRET_BYTES] = { 0 };
  guint32 request;
  guint8 payload[4];
  DnMsgPing ping;

  g_assert_false (host_link (host, secret));
  /* The link that stands is not disturbed. */
  request = ping.request = host_next_request (host);
  host_send (host, DN_MSG_PING, 0, payload,
             (gsize) dn_msg_ping_pack (&ping, payload, sizeof payload));
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  host_free (host);
}

static void
test_a_mebibyte_comes_back_intact (void)
{
  static const gsize sizes[] = { 0, 65535, 65536, 65537, 1 << 20 };
  Host *host = host_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *id = g_strdup_printf ("abc%u", i);
      HostContainer container = { .id = id, .args = ARGS ("echo"), .flags = DN_PROCESS_STDIN };
      guint32 base = host_streams (id, 0);

      g_assert_cmpint (host_create (host, &container), ==, 0);
      g_assert_cmpint (host_start (host, id), ==, 0);
      send_input (host, base, sizes[i]);
      g_assert_true (host_await_eof (host, base + 1));
      assert_pattern (host_stream (host, base + 1)->bytes, sizes[i]);
      g_assert_cmpuint (host_await_exited (host, id, 0)->code, ==, 0);
      g_assert_cmpint (host_simple (host, DN_MSG_DELETE, id), ==, 0);
    }
  host_free (host);
}

static void
test_a_reader_that_stops_stalls_only_its_stream (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("flood", "4000000"));
  guint32 output = host_streams (ID, 0) + 1;
  DnMsgCredit credit = { .bytes = DN_STREAM_WINDOW_BYTES };
  HostStream *stream = host_stream (host, output);
  guint8 payload[4];
  g_autofree char *said = NULL;

  stream->is_held = TRUE;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  said = agent_exec_output (host, 1, ARGS ("say", "here"), NULL);
  g_assert_cmpstr (said, ==, "here\n");
  while (stream->bytes->len < DN_STREAM_WINDOW_BYTES)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  while (host_pump (host, 300))
    continue;
  g_assert_cmpuint (stream->bytes->len, ==, DN_STREAM_WINDOW_BYTES);
  stream->is_held = FALSE;
  stream->uncredited = 0;
  (void) dn_msg_credit_pack (&credit, payload, 4);
  host_send (host, DN_MSG_CREDIT, output, payload, 4);
  g_assert_true (host_await_eof (host, output));
  assert_pattern (stream->bytes, 4000000);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

/* Credits @stream with @bytes; 0 says "go on" after a new link. */
static void
send_credit (Host *host, guint32 stream, guint32 bytes)
{
  DnMsgCredit credit = { .bytes = bytes };
  guint8 payload[4];

  (void) dn_msg_credit_pack (&credit, payload, sizeof payload);
  host_send (host, DN_MSG_CREDIT, stream, payload, sizeof payload);
}

static void
send_list (Host *host)
{
  DnMsgList list = { .request = host_next_request (host) };
  guint8 payload[4];

  g_array_set_size (host->entries, 0);
  g_array_set_size (host->exited, 0);
  (void) dn_msg_list_pack (&list, payload, sizeof payload);
  host_send (host, DN_MSG_LIST, 0, payload, sizeof payload);
  g_assert_cmpint (host_await_reply (host, list.request), ==, 0);
}

static void
test_a_new_link_brings_what_was_not_credited (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("flood", "100000"));
  guint32 output = host_streams (ID, 0) + 1;
  HostStream *stream = host_stream (host, output);

  stream->is_held = TRUE;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  g_assert_true (host_await_eof (host, output));
  g_assert_cmpuint (stream->bytes->len, ==, 100000);
  send_credit (host, output, 1000);
  g_usleep (50000);
  g_assert_true (host_link (host, host->secret));
  send_list (host);
  g_assert_cmpuint (host->entries->len, ==, 1);
  g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==, DN_PROCESS_EXITED);
  g_assert_cmpuint (host->exited->len, ==, 1);
  /* Silent until asked. */
  stream->has_eof = FALSE;
  g_assert_false (host_pump (host, 300));
  stream->is_held = FALSE;
  g_byte_array_set_size (stream->bytes, 1000);
  send_credit (host, output, 0);
  g_assert_true (host_await_eof (host, output));
  assert_pattern (stream->bytes, 100000);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_input_goes_on_over_new_links (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .flags = DN_PROCESS_STDIN };
  guint32 input = host_streams (ID, 0);
  g_autofree guint8 *chunk = g_malloc0 (65536);

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* Nobody reads: a full window on each link fits twice, then the input is given up. */
  for (int link = 0; link < 3; link++)
    {
      host_stream (host, input)->credit = 0;
      for (int i = 0; i < 4; i++)
        host_send (host, DN_MSG_DATA, input, chunk, 65536);
      while (host_pump (host, 200))
        continue;
      g_assert_cmpint (host_stream (host, input)->was_reset, ==, link == 2);
      g_assert_true (host_link (host, host->secret));
    }
  send_list (host);
  g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==, DN_PROCESS_RUNNING);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_violation_ends_the_link_and_no_container (void)
{
  Host *host = host_new ();
  static const guint8 junk[64] = { 0xff, 0xff };
  guint8 chunk[1] = { 0 };

  agent_start_sleeper (host);
  /* No such message; the other side's message; credit for what was never sent. */
  for (int i = 0; i < 3; i++)
    {
      if (i == 0)
        g_assert_cmpint (write (host->fd, junk, sizeof junk), ==, sizeof junk);
      else if (i == 1)
        host_send (host, DN_MSG_EXITED, 0, chunk, 1);
      else
        send_credit (host, host_streams (ID, 0) + 1, 1);
      while (host_pump (host, 2000))
        continue;
      g_assert_cmpint (recv (host->fd, chunk, 1, MSG_DONTWAIT), ==, 0);
      g_assert_true (host_link (host, host->secret));
      send_list (host);
      g_assert_cmpuint (host->entries->len, ==, 1);
      g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==,
                        DN_PROCESS_RUNNING);
    }
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_more_than_the_window_is_a_violation (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .flags = DN_PROCESS_STDIN };
  g_autofree guint8 *chunk = g_malloc0 (65536);
  guint8 byte;

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* A pipe takes one of them and credits it: so eight are too many in any case. */
  host_stream (host, host_streams (ID, 0))->credit = 0;
  for (int i = 0; i < 8; i++)
    host_send (host, DN_MSG_DATA, host_streams (ID, 0), chunk, 65536);
  while (host_pump (host, 2000))
    continue;
  g_assert_cmpint (recv (host->fd, &byte, 1, MSG_DONTWAIT), <=, 0);
  g_assert_true (host_link (host, host->secret));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent-link/" #name, test_##name)
  TEST (refuses_a_link_with_a_wrong_secret);
  TEST (a_mebibyte_comes_back_intact);
  TEST (a_reader_that_stops_stalls_only_its_stream);
  TEST (a_new_link_brings_what_was_not_credited);
  TEST (input_goes_on_over_new_links);
  TEST (a_violation_ends_the_link_and_no_container);
  TEST (more_than_the_window_is_a_violation);
  return g_test_run ();
}
