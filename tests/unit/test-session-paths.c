/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user's own danchid has its things. */
/* Links: launcher/common/session-paths.c launcher/common/error.c */
#include <glib.h>
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/common/session-paths.h"

static void
test_directories_are_those_of_the_specification (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSessionPaths) paths = dn_session_paths_new (
      &(DnSessionEnvironment){ .home = "/home/mika", .runtime = "/run/user/1000/" }, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (paths->run, ==, "/run/user/1000/danchi");
  g_assert_cmpstr (paths->socket, ==, "/run/user/1000/danchi/danchid.sock");
  g_assert_cmpstr (paths->state, ==, "/home/mika/.local/share/danchi");
  g_assert_cmpstr (paths->config, ==, "/home/mika/.config/danchi");
}

static void
test_variables_come_before_home_and_relative_ones_count_as_none (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSessionPaths) paths
      = dn_session_paths_new (&(DnSessionEnvironment){ .home = "/home/mika",
                                                       .runtime = "/run/user/1000",
                                                       .data = "/data/mika",
                                                       .config = "relative" },
                              &error);

  g_assert_no_error (error);
  g_assert_cmpstr (paths->state, ==, "/data/mika/danchi");
  g_assert_cmpstr (paths->config, ==, "/home/mika/.config/danchi");
}

static void
check_refused (const DnSessionEnvironment *environment, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DnSessionPaths) paths = dn_session_paths_new (environment, &error);

  g_assert_null (paths);
  g_assert_error (error, DN_ERROR, DN_ERROR_CONFIG);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_what_is_not_named_or_not_plain_is_refused (void)
{
  check_refused (&(DnSessionEnvironment){ .home = "/home/mika" }, "XDG_RUNTIME_DIR is not set");
  check_refused (&(DnSessionEnvironment){ .home = "/home/mika", .runtime = "run" },
                 "XDG_RUNTIME_DIR is not set");
  check_refused (&(DnSessionEnvironment){ .runtime = "/run/user/1000" }, "HOME is not set");
  check_refused (&(DnSessionEnvironment){ .home = "/home/mika", .runtime = "/run/../etc" },
                 "not a plain absolute path");
  check_refused (&(DnSessionEnvironment){ .home = "/home/mi ka", .runtime = "/run/user/1000" },
                 "not a plain absolute path");
  check_refused (
      &(DnSessionEnvironment){ .home = "/home/mika",
                               .runtime = "/run/user/a-directory-of-a-name-that-is-far-too-long" },
      "no room");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session-paths/directories-are-those-of-the-specification",
                   test_directories_are_those_of_the_specification);
  g_test_add_func ("/session-paths/variables-come-before-home-and-relative-ones-count-as-none",
                   test_variables_come_before_home_and_relative_ones_count_as_none);
  g_test_add_func ("/session-paths/what-is-not-named-or-not-plain-is-refused",
                   test_what_is_not_named_or_not_plain_is_refused);
  return g_test_run ();
}
