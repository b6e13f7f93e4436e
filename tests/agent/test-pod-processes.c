/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* Needs: root */
/* Containers that share processes: with all of their pod, or with one of it. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define FIRST "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define POD "\"org.danchi.pod\":\"yes\""
#define OF_POD POD ",\"org.danchi.processes\":\"pod\""
#define OF_FIRST POD ",\"org.danchi.processes\":\"" FIRST "\""
#define KEEPER_ID (HOST_FIRST_UID + 65534)
#define STEPS 500 /* of 10 ms */

static guint
start (Host *host, const char *id, const char *annotations, const char *command)
{
  const HostContainer container = { .id = id, .args = ARGS (command), .annotations = annotations };

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, id), ==, 0);
  return host->started.pid;
}

static void
stop (Host *host, const char *id)
{
  g_assert_cmpint (host_signal (host, id, 0, SIGKILL, DN_SIGNAL_ALL), ==, 0);
  (void) host_await_exited (host, id, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, id), ==, 0);
}

/* The namespace's number, as this machine's kernel has it. */
static ino_t
space (guint pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u/ns/%s", pid, name);
  struct stat status;

  g_assert_cmpint (stat (path, &status), ==, 0);
  return status.st_ino;
}

/* The processes in a control group, "1 2 3 ". */
static char *
group_members (Host *host, const char *name)
{
  g_autofree char *path = g_build_filename (host->cgroup, "danchi", name, "cgroup.procs", NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return g_strdelimit (text, "\n", ' ');
}

static guint
keeper_pid (Host *host)
{
  g_autofree char *members = group_members (host, "pod");

  return (guint) atoi (members);
}

static char *
read_proc (guint pid, const char *file)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u/%s", pid, file);
  char *text = NULL;

  (void) g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

/* What "NAME:" of its status says, without blanks at both ends. */
static char *
status_of (guint pid, const char *name)
{
  g_autofree char *status = read_proc (pid, "status");
  g_autofree char *key = g_strdup_printf ("\n%s:", name);
  const char *at = status != NULL ? strstr (status, key) : NULL;

  g_assert_nonnull (at);
  at += strlen (key);
  return g_strstrip (g_strndup (at, strcspn (at, "\n")));
}

#define ASSERT_STATUS(pid, name, expected)                                                         \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *said = status_of ((pid), (name));                                           \
      g_assert_cmpstr (said, ==, (expected));                                                      \
    }                                                                                              \
  while (0)

static const char *
whose (Host *host, const char *id)
{
  g_hash_table_remove_all (host->facts);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, id), ==, 0);
  /* What is asked inside has its answers there, too. */
  g_assert_cmpstr (g_hash_table_lookup (host->facts, "namespace.pid"), ==, "own");
  g_assert_nonnull (g_hash_table_lookup (host->facts, "try.ptrace"));
  return g_hash_table_lookup (host->facts, "namespace.pid.whose");
}

static void
test_containers_see_each_others_processes (void)
{
  Host *host = host_new ();
  guint one = start (host, FIRST, OF_POD, "sleep"), other = start (host, SECOND, OF_POD, "sleep");
  guint32 output = host_streams (SECOND, 1) + DN_STREAM_STDOUT;
  HostStream *stream;

  g_assert_cmpuint (space (one, "pid"), ==, space (other, "pid"));
  g_assert_cmpuint (space (one, "pid"), ==, space (keeper_pid (host), "pid"));
  g_assert_cmpuint (space (one, "pid"), !=, space ((guint) getpid (), "pid"));
  g_assert_cmpuint (space (one, "net"), ==, space (other, "net"));
  g_assert_cmpuint (space (one, "mnt"), !=, space (other, "mnt"));
  g_assert_cmpuint (space (one, "cgroup"), !=, space (other, "cgroup"));
  g_assert_cmpuint (host->started.namespaces, ==, 0x7f);
  /* In the order of their making: the keeper, the two, and who looks. */
  g_assert_cmpint (host_exec (host, SECOND, 1, 0, ARGS ("processes"), NULL), ==, 0);
  g_assert_cmpuint (host_await_exited (host, SECOND, 1)->code, ==, 0);
  g_assert_true (host_await_eof (host, output));
  stream = host_stream (host, output);
  g_byte_array_append (stream->bytes, (const guint8 *) "", 1);
  g_assert_cmpstr ((char *) stream->bytes->data, ==, "pid 1\npid 2\npid 3\npid 4\n");
  g_assert_cmpstr (whose (host, FIRST), ==, "the pod's");
  g_assert_cmpstr (whose (host, SECOND), ==, "the pod's");
  stop (host, FIRST);
  stop (host, SECOND);
  host_free (host);
}

static void
test_what_is_each_containers_stays_so (void)
{
  Host *host = host_new ();
  guint other;

  (void) start (host, FIRST, OF_POD, "sleep");
  other = start (host, SECOND, OF_POD, "sleep");
  /* Its own processes alone are listed, signalled, frozen. */
  g_assert_cmpint (host_simple (host, DN_MSG_TOP, FIRST), ==, 0);
  g_assert_cmpuint (host->top->len, ==, 1);
  g_assert_cmpuint (g_array_index (host->top, DnMsgTopEntry, 0).pid, ==, 2);
  g_assert_cmpuint (g_array_index (host->top, DnMsgTopEntry, 0).ppid, ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, FIRST), ==, 0);
  g_assert_cmpint (host_exec (host, SECOND, 1, 0, ARGS ("exit", "7"), NULL), ==, 0);
  g_assert_cmpuint (host_await_exited (host, SECOND, 1)->code, ==, 7);
  g_assert_cmpint (host_simple (host, DN_MSG_RESUME, FIRST), ==, 0);
  /* No process 1: a signal does what it does to any process. */
  g_assert_cmpint (host_signal (host, FIRST, 0, SIGTERM, 0), ==, 0);
  g_assert_cmpuint (host_await_exited (host, FIRST, 0)->signal, ==, SIGTERM);
  ASSERT_STATUS (other, "State", "S (sleeping)");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, FIRST), ==, 0);
  stop (host, SECOND);
  host_free (host);
}

static void
test_the_end_of_the_first_process_is_that_of_all_of_its_container (void)
{
  Host *host = host_new ();
  guint other = start (host, SECOND, OF_POD, "sleep");
  g_autofree char *left = NULL;

  /* It leaves a grandchild that holds its pipes. */
  (void) start (host, FIRST, OF_POD, "fork-and-leave");
  g_assert_cmpuint (host_await_exited (host, FIRST, 0)->code, ==, 0);
  g_assert_true (host_await_eof (host, host_streams (FIRST, 0) + DN_STREAM_STDOUT));
  left = group_members (host, FIRST);
  for (guint i = 0; i < STEPS && left[0] != '\0'; i++)
    {
      g_usleep (10000);
      g_free (left);
      left = group_members (host, FIRST);
    }
  g_assert_cmpstr (left, ==, "");
  ASSERT_STATUS (other, "State", "S (sleeping)");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, FIRST), ==, 0);
  stop (host, SECOND);
  host_free (host);
}

static void
test_orphans_are_reaped_by_the_keeper (void)
{
  Host *host = host_new ();
  guint first = start (host, FIRST, OF_POD, "sleep"), orphan = 0;
  g_autofree char *keeper = NULL, *members = NULL;
  g_auto (GStrv) pids = NULL;

  g_assert_cmpint (host_exec (host, FIRST, 1, 0, ARGS ("fork-and-leave"), NULL), ==, 0);
  (void) host_await_exited (host, FIRST, 1);
  members = group_members (host, FIRST);
  pids = g_strsplit (members, " ", -1);
  for (guint i = 0; pids[i] != NULL; i++)
    if (pids[i][0] != '\0' && (guint) atoi (pids[i]) != first)
      orphan = (guint) atoi (pids[i]);
  g_assert_cmpuint (orphan, !=, 0);
  keeper = g_strdup_printf ("%u", keeper_pid (host));
  ASSERT_STATUS (orphan, "PPid", keeper);
  g_assert_cmpint (kill ((pid_t) orphan, SIGKILL), ==, 0);
  for (guint i = 0; i < STEPS && kill ((pid_t) orphan, 0) == 0; i++)
    g_usleep (10000);
  g_assert_cmpint (kill ((pid_t) orphan, 0), <, 0);
  stop (host, FIRST);
  host_free (host);
}

static void
test_the_keeper_has_no_right (void)
{
  static const char *const none = "0000000000000000";
  Host *host = host_new ();
  guint keeper;
  g_autofree char *ids
      = g_strdup_printf ("%d\t%d\t%d\t%d", KEEPER_ID, KEEPER_ID, KEEPER_ID, KEEPER_ID);
  g_autofree char *root = NULL, *fds = NULL, *command = NULL;
  GDir *directory;

  (void) start (host, FIRST, OF_POD, "sleep");
  keeper = keeper_pid (host);
  ASSERT_STATUS (keeper, "Uid", ids);
  ASSERT_STATUS (keeper, "Gid", ids);
  ASSERT_STATUS (keeper, "Groups", "");
  ASSERT_STATUS (keeper, "CapInh", none);
  ASSERT_STATUS (keeper, "CapPrm", none);
  ASSERT_STATUS (keeper, "CapEff", none);
  ASSERT_STATUS (keeper, "CapBnd", none);
  ASSERT_STATUS (keeper, "CapAmb", none);
  ASSERT_STATUS (keeper, "NoNewPrivs", "1");
  ASSERT_STATUS (keeper, "Seccomp", "2");
  command = read_proc (keeper, "cmdline");
  g_assert_cmpstr (command, ==, "danchi-keeper");
  root = g_strdup_printf ("/proc/%u/root", keeper);
  fds = g_strdup_printf ("/proc/%u/fd", keeper);
  directory = g_dir_open (root, 0, NULL);
  g_assert_nonnull (directory);
  g_assert_null (g_dir_read_name (directory));
  g_dir_close (directory);
  directory = g_dir_open (fds, 0, NULL);
  g_assert_nonnull (directory);
  g_assert_null (g_dir_read_name (directory));
  g_dir_close (directory);
  /* It is in the pod's namespaces, and in a root and a control group of its own. */
  g_assert_cmpuint (space (keeper, "mnt"), !=, space ((guint) host->agent_pid, "mnt"));
  g_assert_cmpuint (space (keeper, "mnt"), !=, space (host->started.pid, "mnt"));
  g_assert_cmpuint (space (keeper, "user"), ==, space (host->started.pid, "user"));
  stop (host, FIRST);
  host_free (host);
}

static void
test_the_keepers_end_is_told_of_each_container_and_a_new_one_comes (void)
{
  Host *host = host_new ();
  guint one = start (host, FIRST, OF_POD, "sleep"), keeper = keeper_pid (host), again;
  ino_t net = space (one, "net");

  (void) start (host, SECOND, OF_POD, "sleep");
  g_assert_cmpint (kill ((pid_t) keeper, SIGKILL), ==, 0);
  g_assert_cmpuint (host_await_exited (host, FIRST, 0)->signal, ==, SIGKILL);
  g_assert_cmpuint (host_await_exited (host, SECOND, 0)->signal, ==, SIGKILL);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, FIRST), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, SECOND), ==, 0);
  again = start (host, FIRST, OF_POD, "sleep");
  g_assert_cmpuint (keeper_pid (host), !=, keeper);
  g_assert_cmpuint (space (again, "pid"), ==, space (keeper_pid (host), "pid"));
  g_assert_cmpuint (space (again, "net"), ==, net);
  stop (host, FIRST);
  host_free (host);
}

static void
test_a_container_joins_the_one_that_it_is_to_debug (void)
{
  Host *host = host_new ();
  guint one = start (host, FIRST, POD, "sleep"), other = start (host, SECOND, OF_FIRST, "sleep");

  g_assert_cmpuint (space (one, "pid"), ==, space (other, "pid"));
  g_assert_cmpuint (space (one, "mnt"), !=, space (other, "mnt"));
  g_assert_cmpstr (whose (host, FIRST), ==, "own");
  g_assert_cmpstr (whose (host, SECOND), ==, "container " FIRST "'s");
  stop (host, SECOND);
  ASSERT_STATUS (one, "State", "S (sleeping)");
  /* Who is joined is process 1, and takes the others along. */
  (void) start (host, SECOND, OF_FIRST, "sleep");
  g_assert_cmpint (host_signal (host, FIRST, 0, SIGKILL, 0), ==, 0);
  (void) host_await_exited (host, FIRST, 0);
  g_assert_cmpuint (host_await_exited (host, SECOND, 0)->signal, ==, SIGKILL);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, SECOND), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, FIRST), ==, 0);
  host_free (host);
}

static void
test_whom_nobody_can_join_is_said (void)
{
  static const struct
  {
    const char *annotations;
    const char *words;
  } bad[] = {
    { "\"org.danchi.processes\":\"pod\"", "of no pod" },
    { OF_FIRST, "does not run" }, /* it is itself */
    { POD ",\"org.danchi.processes\":\"" SECOND "\"", "does not run" },
    { POD ",\"org.danchi.processes\":7", "text" },
  };
  Host *host = host_new ();
  const HostContainer waiting = { .id = SECOND, .args = ARGS ("sleep"), .annotations = POD };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const HostContainer container
          = { .id = FIRST, .args = ARGS ("sleep"), .annotations = bad[i].annotations };

      g_assert_cmpint (host_create (host, &container), <, 0);
      if (strstr (host->reply.message, bad[i].words) == NULL)
        g_error ("%zu: '%s'", i, host->reply.message);
      /* There, but not started. */
      if (i == 1)
        g_assert_cmpint (host_create (host, &waiting), ==, 0);
    }
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, SECOND), ==, 0);
  host_free (host);
}

static void
test_a_pod_may_have_both_kinds (void)
{
  Host *host = host_new ();
  guint one = start (host, FIRST, POD, "sleep"), other = start (host, SECOND, OF_POD, "sleep");

  g_assert_cmpuint (space (one, "pid"), !=, space (other, "pid"));
  g_assert_cmpuint (space (one, "user"), ==, space (other, "user"));
  g_assert_cmpuint (space (one, "user"), ==, space (keeper_pid (host), "user"));
  g_assert_cmpstr (whose (host, FIRST), ==, "own");
  g_assert_cmpstr (whose (host, SECOND), ==, "the pod's");
  stop (host, FIRST);
  stop (host, SECOND);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pod-processes/containers see each other's processes",
                   test_containers_see_each_others_processes);
  g_test_add_func ("/pod-processes/what is each container's stays so",
                   test_what_is_each_containers_stays_so);
  g_test_add_func ("/pod-processes/the end of the first process is that of all of its container",
                   test_the_end_of_the_first_process_is_that_of_all_of_its_container);
  g_test_add_func ("/pod-processes/orphans are reaped by the keeper",
                   test_orphans_are_reaped_by_the_keeper);
  g_test_add_func ("/pod-processes/the keeper has no right", test_the_keeper_has_no_right);
  g_test_add_func ("/pod-processes/the keeper's end is told of each container and a new one comes",
                   test_the_keepers_end_is_told_of_each_container_and_a_new_one_comes);
  g_test_add_func ("/pod-processes/a container joins the one that it is to debug",
                   test_a_container_joins_the_one_that_it_is_to_debug);
  g_test_add_func ("/pod-processes/whom nobody can join is said",
                   test_whom_nobody_can_join_is_said);
  g_test_add_func ("/pod-processes/a pod may have both kinds", test_a_pod_may_have_both_kinds);
  return g_test_run ();
}
