/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/restart-policy.c launcher/spec/health-times.c launcher/health/health-plan.c
 * launcher/health/health-record.c launcher/common/error.c */
/* Which check of its health a container has, what its guest tells of it, and whether it is started
 * again. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/health/health-plan.h"
#include "../../launcher/health/health-record.h"
#include "../../launcher/spec/restart-policy.h"

#define S(seconds) (G_GINT64_CONSTANT (seconds) * 1000000000)

static void
test_policies_are_read_as_docker_has_them (void)
{
  static const struct
  {
    const char *text;
    DnRestartWhen when;
    guint64 most;
  } fine[] = {
    { NULL, DN_RESTART_NO, 0 },
    { "no", DN_RESTART_NO, 0 },
    { "always", DN_RESTART_ALWAYS, 0 },
    { "unless-stopped", DN_RESTART_UNLESS_STOPPED, 0 },
    { "on-failure", DN_RESTART_ON_FAILURE, 0 },
    { "on-failure:5", DN_RESTART_ON_FAILURE, 5 },
  };
  static const char *const wrong[] = { "",
                                       "yes",
                                       "always:3",
                                       "on-failure:",
                                       "on-failure:0",
                                       "on-failure:-1",
                                       "on-failure:3x",
                                       "on-failure: 3",
                                       "on-failure:99999999999",
                                       "ALWAYS" };

  for (guint i = 0; i < G_N_ELEMENTS (fine); i++)
    {
      DnRestartPolicy policy;
      g_autoptr (GError) error = NULL;

      g_assert_true (dn_restart_policy_parse (fine[i].text, &policy, &error));
      g_assert_no_error (error);
      g_assert_cmpint (policy.when, ==, fine[i].when);
      g_assert_cmpuint (policy.most, ==, fine[i].most);
    }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      DnRestartPolicy policy;
      g_autoptr (GError) error = NULL;

      g_assert_false (dn_restart_policy_parse (wrong[i], &policy, &error));
      g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
      g_assert_nonnull (strstr (error->message, "--restart"));
    }
}

static gboolean
wants (const char *text, gint64 code, gboolean is_stopped, gboolean is_at_start, guint64 restarts)
{
  const DnRestartFacts facts = { code, is_stopped, is_at_start, restarts };
  DnRestartPolicy policy;

  g_assert_true (dn_restart_policy_parse (text, &policy, NULL));
  return dn_restart_policy_wants (&policy, &facts);
}

static void
test_a_policy_is_for_what_it_says (void)
{
  g_assert_false (wants ("no", 1, FALSE, FALSE, 0));
  g_assert_true (wants ("always", 0, FALSE, FALSE, 1000));
  g_assert_false (wants ("always", 0, TRUE, FALSE, 0));
  g_assert_true (wants ("always", 0, TRUE, TRUE, 0));
  g_assert_true (wants ("unless-stopped", 0, FALSE, TRUE, 0));
  g_assert_false (wants ("unless-stopped", 0, TRUE, TRUE, 0));
  g_assert_false (wants ("on-failure", 0, FALSE, FALSE, 0));
  g_assert_true (wants ("on-failure", 137, FALSE, FALSE, 1000));
  g_assert_true (wants ("on-failure:2", 1, FALSE, FALSE, 1));
  g_assert_false (wants ("on-failure:2", 1, FALSE, FALSE, 2));
  g_assert_false (wants ("on-failure", 137, TRUE, TRUE, 0));
}

static void
test_delays_grow_to_a_minute_and_begin_anew (void)
{
  guint ms = 0;

  for (guint i = 0; i < 20; i++)
    {
      guint next = dn_restart_policy_delay_ms (ms, 0);

      g_assert_cmpuint (next, ==, i == 0 ? 100 : MIN (ms * 2, 60000));
      ms = next;
    }
  g_assert_cmpuint (ms, ==, 60000);
  g_assert_cmpuint (dn_restart_policy_delay_ms (ms, 10 * G_USEC_PER_SEC), ==, 100);
  g_assert_cmpuint (dn_restart_policy_delay_ms (400, 9 * G_USEC_PER_SEC), ==, 800);
}

static DnHealthPlan
plan_of (const DnContainerOptions *options, char **healthcheck, char **times)
{
  const DnImage image = { .healthcheck = healthcheck, .health_times = times };
  DnHealthPlan plan;
  g_autoptr (GError) error = NULL;

  g_assert_true (dn_health_plan_make (options, &image, &plan, &error));
  g_assert_no_error (error);
  return plan;
}

static void
test_the_images_check_is_the_containers (void)
{
  const DnContainerOptions none = { 0 };
  char *command[] = { "CMD", "/bin/ok", "-x", NULL };
  char *shell[] = { "CMD-SHELL", "curl -f http://localhost/ || exit 1", NULL };
  char *off[] = { "NONE", NULL };
  char *odd[] = { "CMD", NULL };
  char *empty[] = { NULL };
  char *times[] = { "interval_ns=5000000000", "timeout_ns=1", "retries=7", NULL };
  g_auto (DnHealthPlan) plan = plan_of (&none, command, times);

  g_assert_true (g_strv_equal ((const char *const *) plan.command,
                               (const char *const[]){ "/bin/ok", "-x", NULL }));
  g_assert_cmpint (plan.interval_ns, ==, S (5));
  g_assert_cmpint (plan.timeout_ns, ==, DN_HEALTH_TIME_LEAST_NS);
  g_assert_cmpint (plan.start_ns, ==, 0);
  g_assert_cmpint (plan.start_interval_ns, ==, S (5));
  g_assert_cmpint (plan.retries, ==, 7);
  dn_health_plan_clear (&plan);
  plan = plan_of (&none, shell, empty);
  g_assert_true (g_strv_equal ((const char *const *) plan.command,
                               (const char *const[]){ "/bin/sh", "-c", shell[1], NULL }));
  g_assert_cmpint (plan.interval_ns, ==, S (30));
  g_assert_cmpint (plan.timeout_ns, ==, S (30));
  g_assert_cmpint (plan.retries, ==, 3);
  g_assert_null (plan_of (&none, off, times).command);
  g_assert_null (plan_of (&none, odd, times).command);
  g_assert_null (plan_of (&none, empty, empty).command);
}

static void
test_flags_win_over_the_image (void)
{
  DnContainerOptions options = { .health_command = "true", .health_interval_ns = S (1) };
  char *command[] = { "CMD", "/bin/ok", NULL };
  char *times[] = { "interval_ns=5000000000", "start_period_ns=9000000000", NULL };
  g_auto (DnHealthPlan) plan = plan_of (&options, command, times);

  g_assert_cmpstr (plan.command[2], ==, "true");
  g_assert_cmpint (plan.interval_ns, ==, S (1));
  g_assert_cmpint (plan.start_ns, ==, S (9));
  options = (DnContainerOptions){ .has_no_health_check = TRUE };
  g_assert_null (plan_of (&options, command, times).command);
}

static void
test_times_without_a_check_and_out_of_bounds_are_refused (void)
{
  const DnContainerOptions lonely = { .health_retries = 2 };
  const DnContainerOptions wrong[] = {
    { .health_command = "" },
    { .health_command = "x", .has_no_health_check = TRUE },
    { .health_retries = 2, .has_no_health_check = TRUE },
    { .health_command = "x", .health_interval_ns = 1 },
    { .health_command = "x", .health_timeout_ns = -1 },
    { .health_command = "x", .health_start_ns = S (86401) },
    { .health_command = "x", .health_start_interval_ns = 99999999 },
    { .health_command = "x", .health_retries = -1 },
    { .health_command = "x", .health_retries = 1001 },
  };
  char *empty[] = { NULL };
  const DnImage image = { .healthcheck = empty, .health_times = empty };
  DnHealthPlan plan;
  g_autoptr (GError) error = NULL;

  g_assert_false (dn_health_plan_make (&lonely, &image, &plan, &error));
  g_assert_error (error, DN_ERROR, DN_ERROR_USAGE);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_false (dn_health_times_check (&wrong[i], &refused));
      g_assert_error (refused, DN_ERROR, DN_ERROR_USAGE);
      g_assert_nonnull (strstr (refused->message, "--"));
    }
}

static DnMsgHealth
message_of (int status, guint64 checks, const char *output)
{
  DnMsgHealth message
      = { .status = (guint8) status, .outcome = DN_HEALTH_ENDED, .code = 1, .checks = checks };

  g_strlcpy (message.output, output, sizeof message.output);
  return message;
}

static void
test_what_a_guest_tells_is_bounded_and_shown (void)
{
  DnHealthRecord record = { 0 };
  JsonObject *object;
  JsonArray *log;

  dn_health_record_begin (&record, TRUE);
  for (guint i = 1; i <= 100; i++)
    {
      const DnMsgHealth message
          = message_of (i == 50 ? DN_HEALTH_UNHEALTHY : DN_HEALTH_HEALTHY, i, "x\xff\033");

      g_assert_true (dn_health_record_take (&record, &message, i)
                     == (i == 1 || i == 50 || i == 51));
    }
  object = dn_health_record_to_json (&record);
  log = json_object_get_array_member (object, "log");
  g_assert_cmpstr (json_object_get_string_member (object, "status"), ==, "healthy");
  g_assert_cmpuint (json_array_get_length (log), ==, DN_HEALTH_RECORD_CHECKS);
  g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (log, 0), "ended_us"),
                   ==, 96);
  g_assert_true (g_utf8_validate (
      json_object_get_string_member (json_array_get_object_element (log, 0), "output"), -1, NULL));
  json_object_unref (object);
  dn_health_record_clear (&record);
}

static void
test_what_is_told_again_or_makes_no_sense_changes_nothing (void)
{
  DnHealthRecord record = { 0 };
  DnMsgHealth message = message_of (DN_HEALTH_HEALTHY, 5, "");

  dn_health_record_begin (&record, TRUE);
  g_assert_true (dn_health_record_take (&record, &message, 1));
  message.status = DN_HEALTH_UNHEALTHY;
  g_assert_false (dn_health_record_take (&record, &message, 2)); /* the same check */
  message.checks = 6;
  message.status = 0;
  g_assert_false (dn_health_record_take (&record, &message, 2));
  message.status = 4;
  g_assert_false (dn_health_record_take (&record, &message, 2));
  message.status = DN_HEALTH_UNHEALTHY;
  message.outcome = 9;
  g_assert_false (dn_health_record_take (&record, &message, 2));
  g_assert_cmpint (record.status, ==, DN_HEALTH_HEALTHY);
  g_assert_cmpuint (record.count, ==, 1);
  dn_health_record_clear (&record);
}

#define TEST(name) g_test_add_func ("/health/" #name, test_##name)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST (policies_are_read_as_docker_has_them);
  TEST (a_policy_is_for_what_it_says);
  TEST (delays_grow_to_a_minute_and_begin_anew);
  TEST (the_images_check_is_the_containers);
  TEST (flags_win_over_the_image);
  TEST (times_without_a_check_and_out_of_bounds_are_refused);
  TEST (what_a_guest_tells_is_bounded_and_shown);
  TEST (what_is_told_again_or_makes_no_sense_changes_nothing);
  return g_test_run ();
}
