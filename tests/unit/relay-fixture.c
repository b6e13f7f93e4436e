/* SPDX-License-Identifier: Apache-2.0 */
#include "relay-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"
#include "../../launcher/base/fdpass.h"

#define PATIENCE_TURNS 400 /* of at most 5 ms each */

static int
make_temporary_file (void)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("danchi-test-XXXXXX", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  (void) unlink (path);
  return fd;
}

static int
make_listener (char *ret_name, const char *what)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  static int serial;
  int length = snprintf (ret_name, 64, "danchi-test-%d-%d-%s", getpid (), serial++, what);

  memcpy (address.sun_path + 1, ret_name, (size_t) length);
  g_assert_cmpint (
      bind (fd, (struct sockaddr *) &address,
            (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + (size_t) length)),
      ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  return fd;
}

int
fixture_connect (const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gsize length = strlen (name);

  memcpy (address.sun_path + 1, name, length);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address,
                            (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + length)),
                   ==, 0);
  return fd;
}

Fixture *
fixture_new (void)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  DnRouterOptions options = { .owner_uid = getuid () };

  fixture->router = g_new0 (DnRouter, 1);
  fixture->from_relay = g_new0 (DnFrameReader, 1);
  fixture->to_guest = g_new0 (DnFrameReader, 1);
  for (gsize i = 0; i < sizeof fixture->secret; i++)
    fixture->secret[i] = (guint8) (i * 7 + 1);
  fixture->guest = -1;
  fixture->ring_fd = make_temporary_file ();
  options.control_fd = make_listener (fixture->control_name, "control");
  options.console_fd = make_listener (fixture->console_name, "console");
  options.ring_fd = dup (fixture->ring_fd);
  for (int i = 0; i < 2; i++)
    fixture->log_fds[i] = make_temporary_file ();
  g_assert_cmpint (dn_router_init (fixture->router, &options), ==, 0);
  fixture->control = fixture_connect (fixture->control_name);
  dn_frame_reader_init (fixture->from_relay, &dn_control_all_wire, DN_SENDER_GUEST);
  fixture_settle (fixture);
  return fixture;
}

void
fixture_free (Fixture *fixture)
{
  dn_router_clear (fixture->router);
  (void) close (fixture->control);
  if (fixture->guest >= 0)
    (void) close (fixture->guest);
  (void) close (fixture->ring_fd);
  (void) close (fixture->log_fds[0]);
  (void) close (fixture->log_fds[1]);
  g_free (fixture->router);
  g_free (fixture->from_relay);
  g_free (fixture->to_guest);
  g_free (fixture);
}

void
fixture_settle (Fixture *fixture)
{
  for (int quiet = 0; quiet < 3; quiet++)
    {
      g_assert_cmpint (dn_router_turn (fixture->router, 1), ==, 0);
      if (fixture->router->loop.event_at > 0)
        quiet = 0;
    }
}

void
fixture_order (Fixture *fixture, guint16 type, const guint8 *payload, int size, const int *fds,
               gsize fd_count)
{
  g_autofree guint8 *frame = g_malloc (DN_FRAME_HEADER_BYTES + (gsize) size);
  DnFdList list = { .count = fd_count };

  g_assert_cmpint (size, >=, 0);
  if (fd_count > 0)
    memcpy (list.fds, fds, fd_count * sizeof *fds);
  dn_frame_encode_header (frame, type, 0, (guint32) size);
  memcpy (frame + DN_FRAME_HEADER_BYTES, payload, (gsize) size);
  g_assert_cmpint (
      dn_fdpass_send (fixture->control, frame, DN_FRAME_HEADER_BYTES + (gsize) size, &list), ==,
      DN_FRAME_HEADER_BYTES + size);
  fixture_settle (fixture);
}

/* The next frame on @fd, or FALSE when none comes within @turns. */
static gboolean
next_frame (Fixture *fixture, int fd, DnFrameReader *reader, int turns, DnFrameHeader *ret_header,
            const guint8 **ret_payload)
{
  for (int i = 0; i < turns; i++)
    {
      gsize size;
      guint8 *space;
      gssize n;
      int r = dn_frame_reader_next (reader, ret_header, ret_payload);

      g_assert_cmpint (r, >=, 0);
      if (r > 0)
        return TRUE;
      g_assert_cmpint (dn_router_turn (fixture->router, 5), ==, 0);
      space = dn_frame_reader_space (reader, &size);
      n = recv (fd, space, size, MSG_DONTWAIT);
      if (n > 0)
        dn_frame_reader_added (reader, (gsize) n);
    }
  return FALSE;
}

const guint8 *
fixture_expect_told (Fixture *fixture, guint16 type, guint32 *ret_size)
{
  DnFrameHeader header;
  const guint8 *payload;

  g_assert_true (next_frame (fixture, fixture->control, fixture->from_relay, PATIENCE_TURNS,
                             &header, &payload));
  g_assert_cmpstr (dn_wire_name (&dn_control_all_wire, header.type), ==,
                   dn_wire_name (&dn_control_all_wire, type));
  if (ret_size != NULL)
    *ret_size = header.length;
  return payload;
}

void
fixture_expect_silence (Fixture *fixture)
{
  DnFrameHeader header;
  const guint8 *payload;

  if (next_frame (fixture, fixture->control, fixture->from_relay, 10, &header, &payload))
    g_error ("unexpected %s", dn_wire_name (&dn_control_all_wire, header.type));
}

void
fixture_guest_send (Fixture *fixture, guint16 type, guint32 stream, const void *payload, gsize size)
{
  g_autofree guint8 *frame = g_malloc (DN_FRAME_HEADER_BYTES + size);
  gsize sent = 0;

  dn_frame_encode_header (frame, type, stream, (guint32) size);
  if (size > 0)
    memcpy (frame + DN_FRAME_HEADER_BYTES, payload, size);
  for (int i = 0; sent < DN_FRAME_HEADER_BYTES + size; i++)
    {
      gssize n = send (fixture->guest, frame + sent, DN_FRAME_HEADER_BYTES + size - sent,
                       MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno == EPIPE)
        break;
      g_assert_cmpint (i, <, PATIENCE_TURNS);
      sent += n > 0 ? (gsize) n : 0;
      g_assert_cmpint (dn_router_turn (fixture->router, n > 0 ? 0 : 5), ==, 0);
    }
}

const guint8 *
fixture_expect_to_guest (Fixture *fixture, guint16 type, guint32 stream, guint32 *ret_size)
{
  DnFrameHeader header;
  const guint8 *payload;

  g_assert_true (
      next_frame (fixture, fixture->guest, fixture->to_guest, PATIENCE_TURNS, &header, &payload));
  g_assert_cmpstr (dn_wire_name (&dn_guest_wire, header.type), ==,
                   dn_wire_name (&dn_guest_wire, type));
  g_assert_cmpuint (header.stream, ==, stream);
  if (ret_size != NULL)
    *ret_size = header.length;
  return payload;
}

const guint8 *
fixture_next_to_guest (Fixture *fixture, DnFrameHeader *ret_header)
{
  const guint8 *payload;

  g_assert_true (next_frame (fixture, fixture->guest, fixture->to_guest, PATIENCE_TURNS, ret_header,
                             &payload));
  return payload;
}

void
fixture_link (Fixture *fixture)
{
  DnMsgChannel channel = { 0 };
  DnMsgReady ready = { .boot_id = "11111111-2222-3333-4444-555555555555", .processors = 2 };
  guint8 payload[512], record[DN_LINK_BYTES];
  DnLinkHello hello;
  int pair[2];

  if (fixture->guest >= 0)
    (void) close (fixture->guest);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  fixture->guest = pair[0];
  memcpy (channel.secret, fixture->secret, sizeof channel.secret);
  fixture_order (fixture, DN_MSG_CHANNEL, payload,
                 dn_msg_channel_pack (&channel, payload, sizeof payload), &pair[1], 1);
  (void) close (pair[1]);
  fixture_read (fixture, fixture->guest, record, sizeof record);
  g_assert_cmpint (dn_link_decode_hello (record, fixture->secret, &hello), ==, 0);
  dn_link_encode_welcome (record, 1, hello.nonce, fixture->secret);
  g_assert_cmpint (write (fixture->guest, record, sizeof record), ==, sizeof record);
  dn_frame_reader_init (fixture->to_guest, &dn_guest_wire, DN_SENDER_HOST);
  fixture_guest_send (fixture, DN_MSG_READY, 0, payload,
                      (gsize) dn_msg_ready_pack (&ready, payload, sizeof payload));
  (void) fixture_expect_told (fixture, DN_MSG_LINK_UP, NULL);
}

void
fixture_expect_suspect (Fixture *fixture)
{
  guint32 size;
  const guint8 *payload = fixture_expect_told (fixture, DN_MSG_LINK_DOWN, &size);
  DnMsgLinkDown down;

  g_assert_cmpint (dn_msg_link_down_unpack (payload, size, &down), ==, 0);
  g_test_message ("%s", down.reason);
  g_assert_cmpuint (down.suspect, ==, 1);
  g_assert_false (dn_channel_is_up (fixture->router));
}

void
fixture_add_process (Fixture *fixture, guint32 process, guint32 streams, guint64 log_rate)
{
  DnMsgProcess order = { .container = CONTAINER,
                         .process = process,
                         .streams = streams,
                         .flags = DN_PROCESS_STDIN,
                         .log_bytes = 1024 * 1024,
                         .log_rate = log_rate };
  guint8 payload[128];

  fixture_order (fixture, DN_MSG_PROCESS, payload,
                 dn_msg_process_pack (&order, payload, sizeof payload), fixture->log_fds,
                 process == 0 ? 2 : 0);
  if (fixture->guest < 0)
    return;
  (void) fixture_expect_to_guest (fixture, DN_MSG_CREDIT, streams + 1, NULL);
  (void) fixture_expect_to_guest (fixture, DN_MSG_CREDIT, streams + 2, NULL);
}

void
fixture_add_session (Fixture *fixture, guint32 process, guint32 flags, int ret_fds[4])
{
  DnMsgSession order = { .container = CONTAINER, .process = process, .flags = flags };
  guint8 payload[64];
  int theirs[4];

  for (int i = 0; i < 4; i++)
    {
      int pair[2];

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
      ret_fds[i] = pair[0];
      theirs[i] = pair[1];
    }
  fixture_order (fixture, DN_MSG_SESSION, payload,
                 dn_msg_session_pack (&order, payload, sizeof payload), theirs, 4);
  for (int i = 0; i < 4; i++)
    (void) close (theirs[i]);
}

void
fixture_exit (Fixture *fixture, guint32 process, guint32 streams, guint32 code)
{
  DnMsgExited exited = { .container = CONTAINER, .process = process, .code = code };
  guint8 payload[128];

  fixture_guest_send (fixture, DN_MSG_EXITED, 0, payload,
                      (gsize) dn_msg_exited_pack (&exited, payload, sizeof payload));
  fixture_guest_send (fixture, DN_MSG_EOF, streams + 1, NULL, 0);
  fixture_guest_send (fixture, DN_MSG_EOF, streams + 2, NULL, 0);
  (void) fixture_expect_told (fixture, DN_MSG_EXITED, NULL);
}

void
fixture_read (Fixture *fixture, int fd, void *ret_bytes, gsize size)
{
  gsize got = 0;

  for (int i = 0; got < size; i++)
    {
      gssize n = recv (fd, (guint8 *) ret_bytes + got, size - got, MSG_DONTWAIT);

      g_assert_cmpint (n, !=, 0);
      g_assert_cmpint (i, <, PATIENCE_TURNS);
      got += n > 0 ? (gsize) n : 0;
      i = n > 0 ? 0 : i;
      g_assert_cmpint (dn_router_turn (fixture->router, n > 0 ? 0 : 5), ==, 0);
    }
}

gboolean
fixture_is_at_end (Fixture *fixture, int fd)
{
  guint8 byte;

  fixture_settle (fixture);
  return recv (fd, &byte, 1, MSG_DONTWAIT) == 0;
}

char *
fixture_read_log (Fixture *fixture)
{
  char *text = g_malloc (2 * 1024 * 1024);
  gssize n = pread (fixture->log_fds[0], text, 1024 * 1024, 0);
  gssize m = pread (fixture->log_fds[1], text + MAX (n, 0), 1024 * 1024, 0);

  text[MAX (n, 0) + MAX (m, 0)] = '\0';
  return text;
}

void
fixture_close_all (const int fds[4])
{
  for (int i = 0; i < 4; i++)
    if (fds[i] >= 0)
      (void) close (fds[i]);
}

guint32
fixture_read_credit (Fixture *fixture, guint32 stream)
{
  guint32 size;
  const guint8 *payload = fixture_expect_to_guest (fixture, DN_MSG_CREDIT, stream, &size);
  DnMsgCredit credit;

  g_assert_cmpint (dn_msg_credit_unpack (payload, size, &credit), ==, 0);
  return credit.bytes;
}

guint16
fixture_read_last_word (Fixture *fixture, int control, guint32 *ret_code)
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
