/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* What the agent reports: numbers, processes, what the kernel says of them, who listens. */
#include <errno.h>
#include <string.h>

#include "agent-sleeper.h"

static void
test_the_guest_is_asked_for_by_an_empty_id (void)
{
  Host *host = host_new ();

  g_assert_cmpint (host_simple (host, DN_MSG_STATS, ""), ==, 0);
  g_assert_cmpuint (host->stats.guest_memory_used_bytes, >, 0);
  g_assert_cmpuint (host->stats.guest_memory_bytes, >, host->stats.guest_memory_used_bytes);
  g_assert_cmpuint (host->stats.pids, >, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_STATS, "nobody"), ==, -ESRCH);
  host_free (host);
}

static void
test_reports_processes_and_numbers (void)
{
  Host *host = host_new ();

  agent_start_sleeper (host);
  g_assert_cmpint (host_simple (host, DN_MSG_TOP, ID), ==, 0);
  g_assert_cmpuint (host->top->len, ==, 1);
  g_assert_cmpuint (g_array_index (host->top, DnMsgTopEntry, 0).pid, ==, 1);
  g_assert_cmpuint (g_array_index (host->top, DnMsgTopEntry, 0).uid, ==, 1000);
  g_assert_cmpstr (g_array_index (host->top, DnMsgTopEntry, 0).command, ==, "probe sleep");
  g_assert_cmpint (host_simple (host, DN_MSG_STATS, ID), ==, 0);
  g_assert_cmpuint (host->stats.guest_memory_bytes, >, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_says_what_the_kernel_reports (void)
{
  Host *host = host_new ();
  guint attempts = 0;
  GHashTableIter iter;
  gpointer name;

  agent_start_sleeper (host);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (agent_fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (agent_fact (host, "processes"), ==, "1");
  g_assert_cmpstr (agent_fact (host, "no_new_privs"), ==, "1");
  g_assert_cmpstr (agent_fact (host, "seccomp.mode"), ==, "2");
  g_assert_cmpstr (agent_fact (host, "exec.seccomp.mode"), ==, "2");
  g_assert_cmpstr (agent_fact (host, "cap.bounding"), ==, "0000000000000000");
  g_assert_cmpstr (agent_fact (host, "exec.cap.bounding"), ==, "0000000000000000");
  g_assert_cmpstr (agent_fact (host, "namespace.user"), ==, "own");
  g_assert_cmpstr (agent_fact (host, "exec.namespace.net"), ==, "own");
  g_assert_cmpstr (agent_fact (host, "descriptors"), ==, "clean");
  g_assert_true (g_str_has_prefix (agent_fact (host, "try.load-a-module"), "refused "));
  g_hash_table_iter_init (&iter, host->facts);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    attempts += g_str_has_prefix (name, "try.");
  g_assert_cmpuint (attempts, >=, 30);
  g_hash_table_remove_all (host->facts);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ""), ==, 0);
  g_assert_cmpstr (agent_fact (host, "complete"), ==, "yes");
  g_assert_cmpuint (strlen (agent_fact (host, "boot_id")), ==, 36);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, "0123"), ==, -ENOENT);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static gboolean
has_fact (const Host *host, const char *text)
{
  return g_ptr_array_find_with_equal_func (host->all_facts, text, g_str_equal, NULL);
}

static const DnMsgListenerEntry *
find_listener (const Host *host, guint8 protocol, guint16 port)
{
  for (guint i = 0; i < host->listeners->len; i++)
    {
      const DnMsgListenerEntry *entry = &g_array_index (host->listeners, DnMsgListenerEntry, i);

      if (entry->protocol == protocol && entry->port == port)
        return entry;
    }
  return NULL;
}

static void
check_listener (const DnMsgListenerEntry *entry)
{
  g_assert_nonnull (entry);
  g_assert_cmpstr (entry->container, ==, ID);
  g_assert_cmpuint (entry->pid, ==, 1);
  g_assert_cmpuint (entry->uid, ==, 1000);
  g_assert_cmpstr (entry->program, ==, "probe");
}

static void
test_says_where_a_container_listens (void)
{
  static const guint8 all[DN_ADDRESS_BYTES] = { 0 };
  static const guint8 local[DN_ADDRESS_BYTES] = { 127, 0, 0, 1 };
  static const guint8 six[DN_ADDRESS_BYTES] = { [15] = 1 };
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("listen", "0"));
  const DnMsgListenerEntry *entry;

  agent_start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_LISTENERS, ID), ==, 0);
  g_assert_cmpuint (host->listeners->len, ==, 4);
  check_listener (entry = find_listener (host, DN_LISTENER_TCP, 8080));
  g_assert_cmpmem (entry->address, DN_ADDRESS_BYTES, all, DN_ADDRESS_BYTES);
  g_assert_cmpuint (entry->left_out, ==, 0);
  check_listener (entry = find_listener (host, DN_LISTENER_UDP, 5353));
  g_assert_cmpmem (entry->address, DN_ADDRESS_BYTES, local, DN_ADDRESS_BYTES);
  check_listener (entry = find_listener (host, DN_LISTENER_TCP6, 8081));
  g_assert_cmpmem (entry->address, DN_ADDRESS_BYTES, six, DN_ADDRESS_BYTES);
  /* Who owns a unix socket is not in the kernel's table. */
  entry = find_listener (host, DN_LISTENER_UNIX, 0);
  g_assert_nonnull (entry);
  g_assert_cmpuint (entry->pid, ==, 1);
  g_assert_cmpstr (entry->path, ==, "@a name\033");
  /* The same of all containers; and of none that there is not. */
  g_array_set_size (host->listeners, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_LISTENERS, ""), ==, 0);
  g_assert_cmpuint (host->listeners->len, ==, 4);
  g_assert_cmpint (host_simple (host, DN_MSG_LISTENERS, "0123"), ==, -ESRCH);
  /* One that is frozen is no obstacle. */
  g_array_set_size (host->listeners, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_LISTENERS, ID), ==, 0);
  g_assert_cmpuint (host->listeners->len, ==, 4);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_says_how_many_listeners_found_no_room (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("listen", "100"));

  agent_start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_LISTENERS, ""), ==, 0);
  g_assert_cmpuint (host->listeners->len, ==, DN_LISTENERS_MAX);
  for (guint i = 0; i < host->listeners->len; i++)
    g_assert_cmpuint (g_array_index (host->listeners, DnMsgListenerEntry, i).left_out, ==,
                      104 - DN_LISTENERS_MAX);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

/* In it the main thread has ended; what /proc/PID shows is the dead one's. */
static void
test_verify_looks_at_every_thread (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("leave-a-thread"));

  container.process = ",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{"
                      "\"bounding\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"],"
                      "\"permitted\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"],"
                      "\"effective\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"]}";
  agent_start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (agent_fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (agent_fact (host, "processes"), ==, "2");
  g_assert_cmpstr (agent_fact (host, "threads"), ==, "2");
  g_assert_true (has_fact (host, "uid=300000 300000 300000 300000"));
  g_assert_true (has_fact (host, "uid=300007 300007 300007 300007"));
  g_assert_true (has_fact (host, "cap.effective=0000000000200080"));
  g_assert_true (has_fact (host, "descriptors=clean"));
  /* Numbers up to 2 are taken. */
  g_assert_true (has_fact (host, "descriptors=3 leads out of the container"));
  g_assert_cmpstr (agent_fact (host, "namespace.mnt"), ==, "own");
  g_assert_cmpstr (agent_fact (host, "seccomp.filters"), ==, "1");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_container_is_deleted_while_it_is_looked_at (void)
{
  Host *host = host_new ();

  agent_start_sleeper (host);
  for (int i = 0; i < 3; i++)
    {
      DnMsgVerify verify = { .request = host_next_request (host), .container = ID };
      guint8 payload[64];
      int size = dn_msg_verify_pack (&verify, payload, sizeof payload);

      host_send (host, DN_MSG_VERIFY, 0, payload, (gsize) size);
    }
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent-report/" #name, test_##name)
  TEST (the_guest_is_asked_for_by_an_empty_id);
  TEST (reports_processes_and_numbers);
  TEST (says_what_the_kernel_reports);
  TEST (says_where_a_container_listens);
  TEST (says_how_many_listeners_found_no_room);
  TEST (verify_looks_at_every_thread);
  TEST (a_container_is_deleted_while_it_is_looked_at);
  return g_test_run ();
}
