/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* System calls that were refused, and how they are told. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "agent-sleeper.h"

/* A filter that kills for a call has refused it; whoever else sends that signal has not. */
static void
test_a_neighbours_signal_is_no_refusal (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("storm"));
  guint attempts = 0, killed = 0;
  GHashTableIter iter;
  gpointer name, value;

  container.killing_call = SYS_keyctl;
  agent_start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (agent_fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (agent_fact (host, "try.keyctl"), ==, "refused SIGSYS");
  g_hash_table_iter_init (&iter, host->facts);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      attempts += g_str_has_prefix (name, "try.");
      killed += g_str_equal (value, "refused SIGSYS");
      g_assert_false (g_str_has_prefix (value, "unknown"));
    }
  g_assert_cmpuint (attempts, >=, 30);
  g_assert_cmpuint (killed, ==, 1);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static const DnMsgRefused *
await_refused (Host *host, guint32 call, guint64 count)
{
  for (;;)
    {
      for (guint i = 0; i < host->refused->len; i++)
        {
          const DnMsgRefused *refused = &g_array_index (host->refused, DnMsgRefused, i);

          if (refused->call == call && refused->count >= count)
            return refused;
        }
      if (!host_pump (host, HOST_WAIT_MS))
        g_error ("call %u was not reported %" G_GUINT64_FORMAT " times", call, count);
    }
}

static void
test_tells_which_system_calls_were_refused (void)
{
  Host *host = host_new ();
  const DnMsgRefused *refused;

  agent_start_sleeper (host);
  host_send_record (host, HOST_FIRST_UID + 1000, "probe", 165);
  refused = await_refused (host, 165, 1);
  g_assert_cmpstr (refused->container, ==, ID);
  g_assert_cmpstr (refused->program, ==, "probe");
  /* Of the guest's own users, and of a range that no container has. */
  host_send_record (host, 0, "init", 300);
  host_send_record (host, HOST_FIRST_UID + 65536, "other", 300);
  host_send_record (host, HOST_FIRST_UID, "again", 165);
  refused = await_refused (host, 165, 2);
  g_assert_cmpstr (refused->program, ==, "again");
  for (guint i = 0; i < host->refused->len; i++)
    g_assert_cmpuint (g_array_index (host->refused, DnMsgRefused, i).call, !=, 300);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
ping (Host *host)
{
  DnMsgPing message = { .request = host_next_request (host) };
  guint8 payload[4];

  (void) dn_msg_ping_pack (&message, payload, sizeof payload);
  host_send (host, DN_MSG_PING, 0, payload, sizeof payload);
  g_assert_cmpint (host_await_reply (host, message.request), ==, 0);
}

static void
test_a_flood_of_refusals_is_told_in_few_words (void)
{
  Host *host = host_new ();
  gint64 start_us = g_get_monotonic_time ();
  gint64 seconds;

  agent_start_sleeper (host);
  for (guint i = 0; i < 5000; i++)
    {
      host_send_record (host, HOST_FIRST_UID, "probe", 165);
      /* The socket's queue is short, and a datagram socket says EAGAIN. */
      if (i % 5 == 4)
        ping (host);
    }
  (void) await_refused (host, 165, 5000);
  seconds = (g_get_monotonic_time () - start_us) / G_USEC_PER_SEC;
  g_assert_cmpuint (host->refused->len, <=, seconds + 3);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_new_host_is_told_again_what_was_refused (void)
{
  Host *host = host_new ();
  DnMsgList list = { 0 };
  guint8 payload[4];

  agent_start_sleeper (host);
  host_send_record (host, HOST_FIRST_UID, "probe", 165);
  (void) await_refused (host, 165, 1);
  host_unlink (host);
  g_assert_true (host_link (host, host->secret));
  g_array_set_size (host->refused, 0);
  list.request = host_next_request (host);
  (void) dn_msg_list_pack (&list, payload, sizeof payload);
  host_send (host, DN_MSG_LIST, 0, payload, sizeof payload);
  g_assert_cmpint (host_await_reply (host, list.request), ==, 0);
  g_assert_cmpuint (host->refused->len, ==, 1);
  g_assert_cmpuint (g_array_index (host->refused, DnMsgRefused, 0).count, ==, 1);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent-refusal/" #name, test_##name)
  TEST (a_neighbours_signal_is_no_refusal);
  TEST (tells_which_system_calls_were_refused);
  TEST (a_flood_of_refusals_is_told_in_few_words);
  TEST (a_new_host_is_told_again_what_was_refused);
  return g_test_run ();
}
