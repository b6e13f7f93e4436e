/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* The life of a container, by the real agent as an ordinary root process: every test has an agent
 * of its own. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "agent-sleeper.h"

static void
test_returns_a_programs_exit_code (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("exit", "42"));

  g_assert_cmpuint (host_run (host, &container, NULL), ==, 42);
  host_free (host);
}

static void
test_keeps_output_and_errors_apart (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("both"));
  guint32 base = host_streams (ID, 0);
  g_autofree char *output = NULL;

  g_assert_cmpuint (host_run (host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==, "to stdout\n");
  g_assert_cmpmem (host_stream (host, base + 2)->bytes->data, 10, "to stderr\n", 10);
  host_free (host);
}

static void
test_says_why_a_program_cannot_run (void)
{
  Host *host = host_new ();
  const char *const missing[] = { "nonsense", NULL };
  const char *const unusable[] = { "/etc/passwd", NULL };
  HostContainer container = agent_container_of (missing);

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOENT);
  g_assert_nonnull (strstr (host->reply.message, "nonsense"));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  container.args = unusable;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -EACCES);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_assert_cmpuint (host->exited->len, ==, 0);
  agent_start_sleeper (host);
  g_assert_cmpint (host_exec (host, ID, 1, 0, missing, NULL), ==, -ENOENT);
  g_assert_cmpint (host_exec (host, ID, 2, 0, unusable, NULL), ==, -EACCES);
  g_assert_cmpint (host_exec (host, ID, 3, 0, ARGS ("say"), ",\"user\":{\"username\":\"nobody\"}"),
                   ==, -EINVAL);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_failed_create_leaves_nothing (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("say"));

  container.process = ",\"user\":{\"username\":\"stranger\"}";
  g_assert_cmpint (host_create (host, &container), ==, -EINVAL);
  container.process = NULL;
  container.linux_members = ",\"sysctl\":{\"kernel.core_pattern\":\"x\"}";
  container.id = "abc1";
  g_assert_cmpint (host_create (host, &container), ==, -EPERM);
  container.linux_members = NULL;
  container.id = "abc2";
  g_assert_cmpuint (host_run (host, &container, NULL), ==, 0);
  g_usleep (100000);
  host_free (host);
}

static void
test_kills_a_container (void)
{
  Host *host = host_new ();
  const DnMsgExited *exited;

  agent_start_sleeper (host);
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, 0);
  exited = host_await_exited (host, ID, 0);
  g_assert_cmpuint (exited->signal, ==, SIGKILL);
  g_assert_cmpuint (exited->code, ==, 137);
  g_assert_true (host_await_eof (host, host_streams (ID, 0) + 1));
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, -ESRCH);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, -ESRCH);
  host_free (host);
}

static void
test_a_created_container_can_be_killed_or_deleted (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("sleep"));

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_signal (host, ID, 0, SIGKILL, 0), ==, 0);
  g_assert_cmpuint (host_await_exited (host, ID, 0)->signal, ==, SIGKILL);
  g_assert_cmpint (host_start (host, ID), ==, -EBUSY);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  container.id = "abc1";
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_create (host, &container), ==, -EEXIST);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc1"), ==, 0);
  host_free (host);
}

static void
test_an_exec_ends_though_a_grandchild_holds_its_pipes (void)
{
  Host *host = host_new ();
  g_autofree char *output = NULL;

  agent_start_sleeper (host);
  output = agent_exec_output (host, 1, ARGS ("fork-and-leave"), NULL);
  g_assert_cmpstr (output, ==, "left\n");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_pauses_and_resumes (void)
{
  Host *host = host_new ();
  g_autofree char *output = NULL;

  agent_start_sleeper (host);
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  g_assert_cmpint (host_exec (host, ID, 1, 0, ARGS ("say"), NULL), ==, -EBUSY);
  g_assert_cmpint (host_simple (host, DN_MSG_RESUME, ID), ==, 0);
  output = agent_exec_output (host, 1, ARGS ("say", "on"), NULL);
  g_assert_cmpstr (output, ==, "on\n");
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_container_over_its_memory_ends_alone (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("hog"));
  const DnMsgExited *exited;

  container.linux_members = ",\"resources\":{\"memory\":{\"limit\":16777216}}";
  /* A machine whose cgroup v2 has no memory controller cannot show the end; there the limit is
   * passed over, as --allow-missing-controllers asks. */
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_STATS, ID), ==, 0);
  if (host->stats.memory_limit_bytes != 16777216)
    g_test_message ("no memory controller in cgroup v2 here");
  else
    {
      g_assert_cmpint (host_start (host, ID), ==, 0);
      exited = host_await_exited (host, ID, 0);
      g_assert_cmpuint (exited->signal, ==, SIGKILL);
      g_assert_cmpuint (exited->oom_kills, >, 0);
    }
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static gint32
send_limits (Host *host, DnMsgLimits limits)
{
  guint8 bytes[256];
  int size;

  limits.request = host_next_request (host);
  g_strlcpy (limits.container, ID, sizeof limits.container);
  size = dn_msg_limits_pack (&limits, bytes, sizeof bytes);
  g_assert_cmpint (size, >, 0);
  host_send (host, DN_MSG_LIMITS, 0, bytes, (gsize) size);
  return host_await_reply (host, limits.request);
}

/* This machine's cgroup v2 may have neither controller: then it says so, and nothing else happens.
 */
static void
test_limits_that_the_kernel_has_not_are_refused_and_not_passed_over (void)
{
  Host *host = host_new ();
  g_autofree char *path = g_build_filename (host->cgroup, "cgroup.controllers", NULL);
  g_autofree char *controllers = NULL;

  g_assert_true (g_file_get_contents (path, &controllers, NULL, NULL));
  agent_start_sleeper (host);
  g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "" }), ==, 0);
  if (strstr (controllers, "cpuset") == NULL)
    g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "0" }), ==, -ENOSYS);
  else
    {
      g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "0" }), ==, 0);
      g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "1000" }), <, 0);
      g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "all" }), ==, 0);
    }
  if (strstr (controllers, " io") == NULL && !g_str_has_prefix (controllers, "io"))
    g_assert_cmpint (send_limits (host, (DnMsgLimits){ .reads_per_s = 50 }), ==, -ENOSYS);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_assert_cmpint (send_limits (host, (DnMsgLimits){ .cpus = "" }), ==, -ESRCH);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent/" #name, test_##name)
  TEST (returns_a_programs_exit_code);
  TEST (keeps_output_and_errors_apart);
  TEST (says_why_a_program_cannot_run);
  TEST (a_failed_create_leaves_nothing);
  TEST (kills_a_container);
  TEST (a_created_container_can_be_killed_or_deleted);
  TEST (an_exec_ends_though_a_grandchild_holds_its_pipes);
  TEST (pauses_and_resumes);
  TEST (a_container_over_its_memory_ends_alone);
  TEST (limits_that_the_kernel_has_not_are_refused_and_not_passed_over);
  return g_test_run ();
}
