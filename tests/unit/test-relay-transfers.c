/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/relay-fixture.c launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c
 * launcher/confined/say.c launcher/base/*.c protocol/*.c */
/* Copies and secrets through the router. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/relay/strongbox.h"
#include "relay-fixture.h"

#define STREAMS 8u

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
  g_assert_cmpuint (fixture_read_credit (fixture, 400), ==, 6);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/transfers/" #name, test_##name)
  TEST (copies_out_and_in);
  TEST (a_secret_goes_through_the_box_alone);
  TEST (a_secret_and_a_copy_share_the_channel);
  TEST (streams_of_an_ended_process_are_given_to_a_copy);
  return g_test_run ();
}
