/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-sleeper.c protocol/*.c */
/* What a container is inside: rights, users, root, terminal. */
#include <string.h>

#include "agent-sleeper.h"

static void
assert_confined (const char *status)
{
  static const char *const lines[] = { "CapInh:\t0000000000000000",
                                       "CapPrm:\t0000000000000000",
                                       "CapEff:\t0000000000000000",
                                       "CapBnd:\t0000000000000000",
                                       "CapAmb:\t0000000000000000",
                                       "NoNewPrivs:\t1",
                                       "Seccomp:\t2" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    if (strstr (status, lines[i]) == NULL)
      g_error ("not in the status: %s", lines[i]);
}

static void
test_confines_what_it_starts (void)
{
  Host *host = host_new ();
  g_autofree char *first = NULL;
  g_autofree char *status = NULL;
  g_autofree char *as_root = NULL;
  g_autofree char *map = NULL;
  g_autofree char *fds = NULL;
  g_autofree char *core = NULL;
  g_autofree char *root = NULL;
  g_autofree char *unshared = NULL;

  agent_start_sleeper (host);
  g_assert_cmpuint (host->started.no_new_privs, ==, 1);
  g_assert_cmpuint (host->started.seccomp_mode, ==, 2);
  g_assert_cmpuint (host->started.cap_bounding, ==, 0);
  g_assert_cmpuint (host->started.cap_permitted, ==, 0);
  g_assert_cmpuint (host->started.namespaces, ==, 0x7f);
  g_assert_cmpuint (host->started.outer_uid_of_root, ==, HOST_FIRST_UID);
  g_assert_cmpuint (host->started.uid, ==, 1000);
  g_assert_cmpuint (host->started.gid, ==, 1001);
  first = agent_exec_output (host, 9, ARGS ("cat", "/proc/1/status"), NULL);
  assert_confined (first);
  status = agent_exec_output (host, 1, ARGS ("cat", "/proc/self/status"), NULL);
  assert_confined (status);
  as_root = agent_exec_output (host, 2, ARGS ("cat", "/proc/self/status"), ",\"user\":{\"uid\":0}");
  assert_confined (as_root);
  map = agent_exec_output (host, 3, ARGS ("cat", "/proc/self/uid_map"), NULL);
  g_assert_nonnull (strstr (map, "300000"));
  fds = agent_exec_output (host, 4, ARGS ("fds"), NULL);
  g_assert_cmpstr (fds, ==, "fd 0\nfd 1\nfd 2\n");
  core = agent_exec_output (host, 5, ARGS ("write", "/proc/sys/kernel/core_pattern"),
                            ",\"user\":{\"uid\":0}");
  g_assert_null (strstr (core, "written"));
  root = agent_exec_output (host, 6, ARGS ("write", "/file"), ",\"user\":{\"uid\":0}");
  g_assert_cmpstr (root, ==, "/file: Read-only file system\n");
  unshared = agent_exec_output (host, 7, ARGS ("unshare"), NULL);
  g_assert_cmpstr (unshared, ==, "No space left on device\n");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_shows_nothing_of_itself (void)
{
  Host *host = host_new ();
  g_autofree char *processes = NULL;
  g_autofree char *mounts = NULL;
  g_autofree char *cgroup = NULL;
  g_autofree char *hostname = NULL;
  g_auto (GStrv) lines = NULL;

  agent_start_sleeper (host);
  processes = agent_exec_output (host, 1, ARGS ("processes"), NULL);
  g_assert_true (g_str_has_prefix (processes, "pid 1\npid "));
  g_assert_cmpuint (strlen (processes), <=, strlen ("pid 1\npid 12\n"));
  mounts = agent_exec_output (host, 2, ARGS ("cat", "/proc/self/mountinfo"), NULL);
  g_assert_null (strstr (mounts, "danchi-agent-"));
  lines = g_strsplit (g_strchomp (mounts), "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (strstr (lines[i], "nosuid") == NULL)
        g_error ("a mount without nosuid: %s", lines[i]);
      g_assert_null (strstr (lines[i], "shared:"));
      g_assert_null (strstr (lines[i], "master:"));
    }
  cgroup = agent_exec_output (host, 3, ARGS ("cat", "/proc/self/cgroup"), NULL);
  g_assert_nonnull (strstr (cgroup, "0::/\n"));
  hostname = agent_exec_output (host, 4, ARGS ("cat", "/etc/hostname"), NULL);
  g_assert_cmpstr (hostname, ==, "testhost\n");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_finds_users_in_the_image (void)
{
  Host *host = host_new ();
  g_autofree char *ids = NULL;
  g_autofree char *home = NULL;
  g_autofree char *groups = NULL;

  agent_start_sleeper (host);
  ids = agent_exec_output (host, 1, ARGS ("ids"), ",\"user\":{\"username\":\"app\"}");
  g_assert_cmpstr (ids, ==, "1000 1001\n");
  home = agent_exec_output (host, 2, ARGS ("env", "HOME"), ",\"user\":{\"username\":\"app\"}");
  g_assert_cmpstr (home, ==, "/home/app\n");
  groups = agent_exec_output (host, 3, ARGS ("cat", "/proc/self/status"),
                              ",\"user\":{\"username\":\"app\"}");
  g_assert_nonnull (strstr (groups, "Groups:\t1001 1002") ? groups
                                                          : strstr (groups, "Groups:\t1002"));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_writable_root_is_writable_and_forgotten (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("write", "/etc/hosts2"));
  g_autofree char *output = NULL;
  g_autofree char *again = NULL;

  container.root = "{\"readonly\":false}";
  container.process = ",\"user\":{\"uid\":0}";
  g_assert_cmpuint (host_run (host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==, "/etc/hosts2: written\n");
  container.id = "abc2";
  container.args = ARGS ("cat", "/etc/hosts2");
  g_assert_cmpuint (host_run (host, &container, &again), ==, 1);
  host_free (host);
}

static void
test_makes_mount_points_that_an_image_lacks (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("write", "/not/there/file"));
  g_autofree char *output = NULL;
  g_autofree char *again = NULL;

  container.mounts = ",{\"destination\":\"/not/there\",\"type\":\"tmpfs\"}";
  container.process = ",\"user\":{\"uid\":0}";
  g_assert_cmpuint (host_run (host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==, "/not/there/file: written\n");
  /* The root stays read-only all the same. */
  container.id = "abc2";
  container.args = ARGS ("write", "/not/file");
  g_assert_cmpuint (host_run (host, &container, &again), ==, 0);
  g_assert_cmpstr (again, ==, "/not/file: Read-only file system\n");
  host_free (host);
}

static void
test_gives_a_terminal_of_the_asked_size (void)
{
  Host *host = host_new ();
  HostContainer container = agent_container_of (ARGS ("terminal"));
  g_autofree char *output = NULL;
  g_autofree char *exec = NULL;
  guint32 stream;

  container.flags = DN_PROCESS_TERMINAL | DN_PROCESS_STDIN;
  g_assert_cmpuint (host_run (host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==, "24 80\r\n");
  container.id = "abc1";
  container.flags = 0;
  container.args = ARGS ("sleep");
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, "abc1"), ==, 0);
  g_assert_cmpint (
      host_exec (host, "abc1", 1, DN_PROCESS_TERMINAL | DN_PROCESS_STDIN, ARGS ("terminal"), NULL),
      ==, 0);
  stream = host_streams ("abc1", 1);
  g_assert_cmpuint (host_await_exited (host, "abc1", 1)->code, ==, 0);
  g_assert_true (host_await_eof (host, stream + 1));
  g_assert_true (host_await_eof (host, stream + 2));
  g_assert_cmpmem (host_stream (host, stream + 1)->bytes->data, 7, "24 80\r\n", 7);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "abc1"), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/agent-inside/" #name, test_##name)
  TEST (confines_what_it_starts);
  TEST (shows_nothing_of_itself);
  TEST (finds_users_in_the_image);
  TEST (a_writable_root_is_writable_and_forgotten);
  TEST (makes_mount_points_that_an_image_lacks);
  TEST (gives_a_terminal_of_the_asked_size);
  return g_test_run ();
}
