/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/unit/relay-fixture.c launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c
 * launcher/confined/say.c launcher/base/*.c protocol/*.c */
/* Orders of danchid, what it is told, and what is passed on. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"
#include "../../protocol/pack.h"
#include "relay-fixture.h"

#define STREAMS 8u

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
  TEST (a_refused_system_call_is_passed_on_for_what_can_be_a_container);
  TEST (damage_of_a_disk_is_passed_on_for_what_can_be_one);
  TEST (a_listener_is_passed_on_to_who_asked_for_what_can_be_a_container);
  TEST (a_danchid_that_does_not_read_is_dropped);
  TEST (the_newest_danchid_wins_and_hears_what_it_missed);
  TEST (answers_for_a_guest_that_is_not_there);
  TEST (the_console_goes_to_the_ring_and_milestones_to_danchid);
  TEST (a_malformed_order_closes_the_control_connection);
  return g_test_run ();
}
