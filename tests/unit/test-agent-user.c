/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/user.c guest-agent/agent/fault.c */
/* Packages: jansson */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "../../guest-agent/agent/user.h"

static DnUserFiles
files_of (const char *passwd, const char *group)
{
  return (DnUserFiles){ (char *) passwd, strlen (passwd), (char *) group, strlen (group) };
}

static const char passwd[] = "root:x:0:0::/root:/bin/sh\nbroken\nbig:x:99999:1::/:/x\n"
                             "app:x:1000:1001:,,,:/home/app:/bin/sh\nrel:x:5:5::home:/bin/sh";
static const char group[] = "app:x:1001:\nextra:x:1002:other,app\nmore:x:1003:app";

static void
test_finds_names_with_their_groups (void)
{
  DnUserFiles files = files_of (passwd, group);
  DnUser user;
  DnFault fault;

  g_assert_cmpint (dn_user_resolve ("app", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.uid, ==, 1000);
  g_assert_cmpuint (user.gid, ==, 1001);
  g_assert_cmpuint (user.group_count, ==, 2);
  g_assert_cmpuint (user.groups[1], ==, 1003);
  g_assert_cmpstr (user.home, ==, "/home/app");
  g_assert_cmpint (dn_user_resolve ("app:extra", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.gid, ==, 1002);
  g_assert_cmpuint (user.group_count, ==, 0);
}

static void
test_numbers_need_no_files (void)
{
  DnUserFiles files = { 0 };
  DnUser user;
  DnFault fault;

  g_assert_cmpint (dn_user_resolve ("77:88", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.uid, ==, 77);
  g_assert_cmpuint (user.gid, ==, 88);
  g_assert_cmpstr (user.home, ==, "/");
  g_assert_cmpint (dn_user_resolve ("77", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.gid, ==, 0);
}

static void
test_a_number_without_a_name_has_no_groups (void)
{
  DnUserFiles files = files_of ("app:x:1000:1000::/:\n", "root:x:0:\nadm:x:4:app\nshadow:x:42:\n");
  DnUser user;
  DnFault fault;

  g_assert_cmpint (dn_user_resolve ("77", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.group_count, ==, 0);
  g_assert_cmpint (dn_user_resolve ("app", &files, &user, &fault), ==, 0);
  g_assert_cmpuint (user.group_count, ==, 1);
  g_assert_cmpuint (user.groups[0], ==, 4);
}

static void
test_refuses_what_is_not_there (void)
{
  static const char *const texts[]
      = { "",      ":",  "app:", ":app",        "nobody",     "app:nobody",
          "65536", "-1", "big",  "99999999999", "1000:65536", "broken" };
  DnUserFiles files = files_of (passwd, group);

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      DnUser user;
      DnFault fault;

      if (dn_user_resolve (texts[i], &files, &user, &fault) != -EINVAL)
        g_error ("accepted: %s", texts[i]);
    }
}

static void
test_a_relative_home_is_none (void)
{
  DnUserFiles files = files_of (passwd, group);
  DnUser user = { .uid = 5 };

  dn_user_find_home (&user, &files);
  g_assert_cmpstr (user.home, ==, "/");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/agent-user/" #name, test_##name)
  TEST (finds_names_with_their_groups);
  TEST (numbers_need_no_files);
  TEST (a_number_without_a_name_has_no_groups);
  TEST (refuses_what_is_not_there);
  TEST (a_relative_home_is_none);
  return g_test_run ();
}
