/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* Needs: root */
/* Health checks, and the first process of --init, in the real agent. */
#include <signal.h>
#include <string.h>

#include "agent-host.h"

#define ID "abcdef0123456789abcdef0123456789"
#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define MS 1000

/* Two failures are enough, and nothing takes long. */
static const DnMsgHealthCheck quick = {
  .interval_us = 100 * MS, .timeout_us = 10000 * MS, .start_interval_us = 100 * MS, .retries = 2
};

static Host *
start_checked (const DnMsgHealthCheck *check, const char *const *args)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep") };

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_health (host, ID, check, args), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  return host;
}

static void
end (Host *host)
{
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host); /* looks for what is left */
}

static const DnMsgHealth *
last (Host *host)
{
  return host->health->len > 0 ? &g_array_index (host->health, DnMsgHealth, host->health->len - 1)
                               : NULL;
}

/* Until so many checks have been told of. */
static const DnMsgHealth *
await_checks (Host *host, guint64 count)
{
  while (last (host) == NULL || last (host)->checks < count)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  return last (host);
}

static const DnMsgHealth *
await_status (Host *host, DnHealthStatus status)
{
  while (last (host) == NULL || last (host)->status != status)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  return last (host);
}

static void
test_a_check_that_passes_makes_the_container_healthy (void)
{
  Host *host = start_checked (&quick, ARGS ("say", "fine"));
  const DnMsgHealth *health = await_checks (host, 3);
  guint told = host->health->len;

  g_assert_cmpstr (health->container, ==, ID);
  g_assert_cmpint (health->status, ==, DN_HEALTH_HEALTHY);
  g_assert_cmpint (health->outcome, ==, DN_HEALTH_ENDED);
  g_assert_cmpuint (health->code, ==, 0);
  g_assert_cmpuint (health->failures, ==, 0);
  g_assert_cmpstr (health->output, ==, "fine\n");
  /* It is no process that the host knows of, and no end of one is told. */
  g_assert_cmpuint (host->exited->len, ==, 0);
  {
    DnMsgList list = { .request = host_next_request (host) };
    guint8 payload[8];

    host_send (host, DN_MSG_LIST, 0, payload,
               (gsize) dn_msg_list_pack (&list, payload, sizeof payload));
    g_assert_cmpint (host_await_reply (host, list.request), ==, 0);
  }
  g_assert_cmpuint (host->entries->len, ==, 1);
  g_assert_cmpuint (host->health->len, >, told);
  end (host);
}

static void
test_failures_one_after_the_other_make_it_unhealthy (void)
{
  Host *host = start_checked (&quick, ARGS ("exit", "3"));
  const DnMsgHealth *health = await_checks (host, 1);

  g_assert_cmpint (health->status, ==, DN_HEALTH_STARTING);
  g_assert_cmpuint (health->failures, ==, 1);
  health = await_status (host, DN_HEALTH_UNHEALTHY);
  g_assert_cmpuint (health->failures, ==, 2);
  g_assert_cmpuint (health->code, ==, 3);
  end (host);
}

static void
test_it_becomes_healthy_again (void)
{
  Host *host = start_checked (&quick, ARGS ("cat", "/dev/shm/flag"));

  (void) await_status (host, DN_HEALTH_UNHEALTHY);
  g_assert_cmpint (host_exec (host, ID, 1, 0, ARGS ("write", "/dev/shm/flag"), NULL), ==, 0);
  (void) host_await_exited (host, ID, 1);
  (void) await_status (host, DN_HEALTH_HEALTHY);
  g_assert_cmpuint (last (host)->failures, ==, 0);
  end (host);
}

static void
test_failures_at_the_start_do_not_count (void)
{
  DnMsgHealthCheck slow = quick;
  Host *host;
  const DnMsgHealth *health;

  slow.start_us = G_GUINT64_CONSTANT (3600) * G_USEC_PER_SEC;
  host = start_checked (&slow, ARGS ("exit", "1"));
  health = await_checks (host, 4);
  g_assert_cmpint (health->status, ==, DN_HEALTH_STARTING);
  g_assert_cmpuint (health->failures, ==, 0);
  end (host);
}

static void
test_a_check_that_takes_too_long_is_ended (void)
{
  DnMsgHealthCheck impatient = quick;
  Host *host;
  const DnMsgHealth *health;

  impatient.timeout_us = 300 * MS;
  host = start_checked (&impatient, ARGS ("sleep"));
  health = await_checks (host, 1);
  g_assert_cmpint (health->outcome, ==, DN_HEALTH_LATE);
  g_assert_cmpuint (health->took_us, >=, 300 * MS);
  g_assert_cmpint (await_status (host, DN_HEALTH_UNHEALTHY)->outcome, ==, DN_HEALTH_LATE);
  end (host);
}

static void
test_a_check_that_cannot_be_run_says_why (void)
{
  Host *host = start_checked (&quick, (const char *const[]){ "/no/such/program", NULL });
  const DnMsgHealth *health = await_status (host, DN_HEALTH_UNHEALTHY);

  g_assert_cmpint (health->outcome, ==, DN_HEALTH_NOT_RUN);
  g_assert_nonnull (strstr (health->output, "/no/such/program"));
  end (host);
}

static void
test_output_without_end_is_read_and_cut (void)
{
  Host *host = start_checked (&quick, ARGS ("flood", "20000000"));
  const DnMsgHealth *health = await_checks (host, 2);

  g_assert_cmpint (health->status, ==, DN_HEALTH_HEALTHY);
  g_assert_cmpuint (strlen (health->output), ==, DN_HEALTH_OUTPUT_BYTES);
  /* The pattern's zeroes. */
  g_assert_cmpint (health->output[0], ==, '?');
  end (host);
}

static void
test_whoever_keeps_the_output_open_holds_up_nothing (void)
{
  Host *host = start_checked (&quick, ARGS ("fork-and-leave"));
  const DnMsgHealth *health = await_checks (host, 3);

  g_assert_cmpint (health->status, ==, DN_HEALTH_HEALTHY);
  g_assert_cmpstr (health->output, ==, "left\n");
  end (host);
}

static void
test_a_container_that_stands_still_is_not_checked (void)
{
  Host *host = start_checked (&quick, ARGS ("say", "fine"));
  guint64 before;
  gint64 end_us;

  (void) await_checks (host, 1);
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  while (host_pump (host, 200))
    ;
  before = last (host)->checks;
  end_us = g_get_monotonic_time () + 1500 * MS;
  while (g_get_monotonic_time () < end_us)
    (void) host_pump (host, 100);
  g_assert_cmpuint (last (host)->checks, ==, before);
  g_assert_cmpint (host_simple (host, DN_MSG_RESUME, ID), ==, 0);
  (void) await_checks (host, before + 1);
  end (host);
}

static void
test_an_end_in_the_middle_of_a_check_leaves_nothing (void)
{
  Host *host = start_checked (&quick, ARGS ("sleep"));

  while (host_pump (host, 400))
    ;
  end (host);
}

static void
test_a_check_comes_before_the_start_and_once (void)
{
  Host *host = start_checked (&quick, ARGS ("say", "fine"));

  g_assert_cmpint (host_health (host, ID, &quick, ARGS ("say", "other")), <, 0);
  g_assert_cmpint (host_exec (host, ID, 1, 0, ARGS ("exit", "0"), NULL), ==, 0);
  (void) host_await_exited (host, ID, 1);
  end (host);
}

/* With --init. */

static char *
run_reaped (const char *const *args, guint32 *ret_code)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = args, .flags = DN_PROCESS_REAPER };
  char *output;

  *ret_code = host_run (host, &container, &output);
  host_free (host);
  return output;
}

static void
test_the_command_is_a_child_of_the_first_process (void)
{
  guint32 code;
  g_autofree char *output = run_reaped (ARGS ("processes"), &code);
  g_autofree char *name = NULL;

  g_assert_cmpuint (code, ==, 0);
  g_assert_cmpstr (output, ==, "pid 1\npid 2\n");
  name = run_reaped (ARGS ("cat", "/proc/1/cmdline"), &code);
  g_assert_cmpstr (name, ==, "danchi-reaper");
}

static void
test_the_commands_status_is_the_containers (void)
{
  guint32 code;
  g_autofree char *output = run_reaped (ARGS ("exit", "7"), &code);

  g_assert_cmpuint (code, ==, 7);
  g_free (output);
  output = run_reaped ((const char *const[]){ "/no/such/program", NULL }, &code);
  g_assert_cmpuint (code, ==, 127);
}

static void
test_signals_are_passed_on (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("listen"), .flags = DN_PROCESS_REAPER };
  const HostStream *output = host_stream (host, host_streams (ID, 0) + DN_STREAM_STDOUT);
  const DnMsgExited *exited;

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* Before it has begun it is a process 1 like any other. */
  while (output->bytes->len == 0)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  /* A process 1 of the kernel's kind would not even see it: it has no handler. */
  g_assert_cmpint (host_signal (host, ID, 0, SIGTERM, 0), ==, 0);
  exited = host_await_exited (host, ID, 0);
  g_assert_cmpuint (exited->code, ==, 128 + SIGTERM);
  end (host);
}

static void
test_it_is_as_confined_as_the_command (void)
{
  guint32 code;
  g_autofree char *status = run_reaped (ARGS ("cat", "/proc/1/status"), &code);

  g_assert_nonnull (strstr (status, "\nUid:\t1000\t1000\t1000\t1000\n"));
  g_assert_nonnull (strstr (status, "\nCapEff:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nNoNewPrivs:\t1\n"));
  g_assert_nonnull (strstr (status, "\nSeccomp:\t2\n"));
}

#define TEST(name) g_test_add_func ("/health/" #name, test_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST (a_check_that_passes_makes_the_container_healthy);
  TEST (failures_one_after_the_other_make_it_unhealthy);
  TEST (it_becomes_healthy_again);
  TEST (failures_at_the_start_do_not_count);
  TEST (a_check_that_takes_too_long_is_ended);
  TEST (a_check_that_cannot_be_run_says_why);
  TEST (output_without_end_is_read_and_cut);
  TEST (whoever_keeps_the_output_open_holds_up_nothing);
  TEST (a_container_that_stands_still_is_not_checked);
  TEST (an_end_in_the_middle_of_a_check_leaves_nothing);
  TEST (a_check_comes_before_the_start_and_once);
  TEST (the_command_is_a_child_of_the_first_process);
  TEST (the_commands_status_is_the_containers);
  TEST (signals_are_passed_on);
  TEST (it_is_as_confined_as_the_command);
  return g_test_run ();
}
