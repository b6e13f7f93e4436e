/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* The real agent as an ordinary root process: every test has an agent of its own. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../protocol/copy.h"
#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define ID "0123456789abcdef0123456789abcdef"

static HostContainer
container_of (const char *const *args)
{
  return (HostContainer){ .id = ID, .args = args };
}

static void
start_sleeper (Host *host)
{
  HostContainer container = container_of (ARGS ("sleep"));

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
}

/* Executes in the sleeper; returns the output. */
static char *
exec_output (Host *host, guint32 process, const char *const *args, const char *more)
{
  guint32 output = host_streams (ID, process) + DN_STREAM_STDOUT;

  g_assert_cmpint (host_exec (host, ID, process, 0, args, more), ==, 0);
  (void) host_await_exited (host, ID, process);
  g_assert_true (host_await_eof (host, output));
  return g_strndup ((char *) host_stream (host, output)->bytes->data,
                    host_stream (host, output)->bytes->len);
}

static void
send_input (Host *host, guint32 number, gsize size)
{
  HostStream *stream = host_stream (host, number);
  g_autofree guint8 *chunk = g_malloc (32768);
  gsize at = 0;

  while (at < size)
    {
      gsize n = MIN (MIN (size - at, 32768), stream->credit);

      if (n == 0)
        {
          g_assert_true (host_pump (host, HOST_WAIT_MS));
          continue;
        }
      for (gsize i = 0; i < n; i++)
        chunk[i] = (guint8) ((at + i) % 251);
      host_send (host, DN_MSG_DATA, number, chunk, n);
      stream->credit -= (guint32) n;
      at += n;
    }
  host_send (host, DN_MSG_EOF, number, NULL, 0);
}

static void
assert_pattern (const GByteArray *bytes, gsize size)
{
  g_assert_cmpuint (bytes->len, ==, size);
  for (gsize i = 0; i < size; i++)
    if (bytes->data[i] != (guint8) (i % 251))
      g_error ("byte %zu is wrong", i);
}

static void
test_refuses_a_link_with_a_wrong_secret (void)
{
  Host *host = host_new ();
  guint8 secret[DN_LINK_SECRET_BYTES] = { 0 };
  guint32 request;
  guint8 payload[4];
  DnMsgPing ping;

  g_assert_false (host_link (host, secret));
  /* The link that stands is not disturbed. */
  request = ping.request = host_next_request (host);
  host_send (host, DN_MSG_PING, 0, payload,
             (gsize) dn_msg_ping_pack (&ping, payload, sizeof payload));
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  host_free (host);
}

static void
test_returns_a_programs_exit_code (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("exit", "42"));

  g_assert_cmpuint (host_run (host, &container, NULL), ==, 42);
  host_free (host);
}

static void
test_keeps_output_and_errors_apart (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("both"));
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
  HostContainer container = container_of (missing);

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -ENOENT);
  g_assert_nonnull (strstr (host->reply.message, "nonsense"));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  container.args = unusable;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, -EACCES);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_assert_cmpuint (host->exited->len, ==, 0);
  start_sleeper (host);
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
  HostContainer container = container_of (ARGS ("say"));

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
test_a_mebibyte_comes_back_intact (void)
{
  static const gsize sizes[] = { 0, 65535, 65536, 65537, 1 << 20 };
  Host *host = host_new ();

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *id = g_strdup_printf ("abc%u", i);
      HostContainer container = { .id = id, .args = ARGS ("echo"), .flags = DN_PROCESS_STDIN };
      guint32 base = host_streams (id, 0);

      g_assert_cmpint (host_create (host, &container), ==, 0);
      g_assert_cmpint (host_start (host, id), ==, 0);
      send_input (host, base, sizes[i]);
      g_assert_true (host_await_eof (host, base + 1));
      assert_pattern (host_stream (host, base + 1)->bytes, sizes[i]);
      g_assert_cmpuint (host_await_exited (host, id, 0)->code, ==, 0);
      g_assert_cmpint (host_simple (host, DN_MSG_DELETE, id), ==, 0);
    }
  host_free (host);
}

static void
test_a_reader_that_stops_stalls_only_its_stream (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("flood", "4000000"));
  guint32 output = host_streams (ID, 0) + 1;
  DnMsgCredit credit = { .bytes = DN_STREAM_WINDOW_BYTES };
  HostStream *stream = host_stream (host, output);
  guint8 payload[4];
  g_autofree char *said = NULL;

  stream->is_held = TRUE;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  said = exec_output (host, 1, ARGS ("say", "here"), NULL);
  g_assert_cmpstr (said, ==, "here\n");
  while (stream->bytes->len < DN_STREAM_WINDOW_BYTES)
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  while (host_pump (host, 300))
    continue;
  g_assert_cmpuint (stream->bytes->len, ==, DN_STREAM_WINDOW_BYTES);
  stream->is_held = FALSE;
  stream->uncredited = 0;
  (void) dn_msg_credit_pack (&credit, payload, 4);
  host_send (host, DN_MSG_CREDIT, output, payload, 4);
  g_assert_true (host_await_eof (host, output));
  assert_pattern (stream->bytes, 4000000);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_kills_a_container (void)
{
  Host *host = host_new ();
  const DnMsgExited *exited;

  start_sleeper (host);
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
  HostContainer container = container_of (ARGS ("sleep"));

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

  start_sleeper (host);
  g_assert_cmpuint (host->started.no_new_privs, ==, 1);
  g_assert_cmpuint (host->started.seccomp_mode, ==, 2);
  g_assert_cmpuint (host->started.cap_bounding, ==, 0);
  g_assert_cmpuint (host->started.cap_permitted, ==, 0);
  g_assert_cmpuint (host->started.namespaces, ==, 0x7f);
  g_assert_cmpuint (host->started.outer_uid_of_root, ==, HOST_FIRST_UID);
  g_assert_cmpuint (host->started.uid, ==, 1000);
  g_assert_cmpuint (host->started.gid, ==, 1001);
  first = exec_output (host, 9, ARGS ("cat", "/proc/1/status"), NULL);
  assert_confined (first);
  status = exec_output (host, 1, ARGS ("cat", "/proc/self/status"), NULL);
  assert_confined (status);
  as_root = exec_output (host, 2, ARGS ("cat", "/proc/self/status"), ",\"user\":{\"uid\":0}");
  assert_confined (as_root);
  map = exec_output (host, 3, ARGS ("cat", "/proc/self/uid_map"), NULL);
  g_assert_nonnull (strstr (map, "300000"));
  fds = exec_output (host, 4, ARGS ("fds"), NULL);
  g_assert_cmpstr (fds, ==, "fd 0\nfd 1\nfd 2\n");
  core = exec_output (host, 5, ARGS ("write", "/proc/sys/kernel/core_pattern"),
                      ",\"user\":{\"uid\":0}");
  g_assert_null (strstr (core, "written"));
  root = exec_output (host, 6, ARGS ("write", "/file"), ",\"user\":{\"uid\":0}");
  g_assert_cmpstr (root, ==, "/file: Read-only file system\n");
  unshared = exec_output (host, 7, ARGS ("unshare"), NULL);
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

  start_sleeper (host);
  processes = exec_output (host, 1, ARGS ("processes"), NULL);
  g_assert_true (g_str_has_prefix (processes, "pid 1\npid "));
  g_assert_cmpuint (strlen (processes), <=, strlen ("pid 1\npid 12\n"));
  mounts = exec_output (host, 2, ARGS ("cat", "/proc/self/mountinfo"), NULL);
  g_assert_null (strstr (mounts, "danchi-agent-"));
  lines = g_strsplit (g_strchomp (mounts), "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (strstr (lines[i], "nosuid") == NULL)
        g_error ("a mount without nosuid: %s", lines[i]);
      g_assert_null (strstr (lines[i], "shared:"));
      g_assert_null (strstr (lines[i], "master:"));
    }
  cgroup = exec_output (host, 3, ARGS ("cat", "/proc/self/cgroup"), NULL);
  g_assert_nonnull (strstr (cgroup, "0::/\n"));
  hostname = exec_output (host, 4, ARGS ("cat", "/etc/hostname"), NULL);
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

  start_sleeper (host);
  ids = exec_output (host, 1, ARGS ("ids"), ",\"user\":{\"username\":\"app\"}");
  g_assert_cmpstr (ids, ==, "1000 1001\n");
  home = exec_output (host, 2, ARGS ("env", "HOME"), ",\"user\":{\"username\":\"app\"}");
  g_assert_cmpstr (home, ==, "/home/app\n");
  groups = exec_output (host, 3, ARGS ("cat", "/proc/self/status"),
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
  HostContainer container = container_of (ARGS ("write", "/etc/hosts2"));
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
  HostContainer container = container_of (ARGS ("write", "/not/there/file"));
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
  HostContainer container = container_of (ARGS ("terminal"));
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

static void
test_an_exec_ends_though_a_grandchild_holds_its_pipes (void)
{
  Host *host = host_new ();
  g_autofree char *output = NULL;

  start_sleeper (host);
  output = exec_output (host, 1, ARGS ("fork-and-leave"), NULL);
  g_assert_cmpstr (output, ==, "left\n");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_pauses_and_resumes (void)
{
  Host *host = host_new ();
  g_autofree char *output = NULL;

  start_sleeper (host);
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  g_assert_cmpint (host_exec (host, ID, 1, 0, ARGS ("say"), NULL), ==, -EBUSY);
  g_assert_cmpint (host_simple (host, DN_MSG_RESUME, ID), ==, 0);
  output = exec_output (host, 1, ARGS ("say", "on"), NULL);
  g_assert_cmpstr (output, ==, "on\n");
  g_assert_cmpint (host_simple (host, DN_MSG_PAUSE, ID), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_container_over_its_memory_ends_alone (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("hog"));
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
  start_sleeper (host);
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

static void
test_reports_processes_and_numbers (void)
{
  Host *host = host_new ();

  start_sleeper (host);
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

static const char *
fact (const Host *host, const char *name)
{
  const char *value = g_hash_table_lookup (host->facts, name);

  return value != NULL ? value : "(none)";
}

static void
test_says_what_the_kernel_reports (void)
{
  Host *host = host_new ();
  guint attempts = 0;
  GHashTableIter iter;
  gpointer name;

  start_sleeper (host);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (fact (host, "processes"), ==, "1");
  g_assert_cmpstr (fact (host, "no_new_privs"), ==, "1");
  g_assert_cmpstr (fact (host, "seccomp.mode"), ==, "2");
  g_assert_cmpstr (fact (host, "exec.seccomp.mode"), ==, "2");
  g_assert_cmpstr (fact (host, "cap.bounding"), ==, "0000000000000000");
  g_assert_cmpstr (fact (host, "exec.cap.bounding"), ==, "0000000000000000");
  g_assert_cmpstr (fact (host, "namespace.user"), ==, "own");
  g_assert_cmpstr (fact (host, "exec.namespace.net"), ==, "own");
  g_assert_cmpstr (fact (host, "descriptors"), ==, "clean");
  g_assert_true (g_str_has_prefix (fact (host, "try.load-a-module"), "refused "));
  g_hash_table_iter_init (&iter, host->facts);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    attempts += g_str_has_prefix (name, "try.");
  g_assert_cmpuint (attempts, >=, 30);
  g_hash_table_remove_all (host->facts);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ""), ==, 0);
  g_assert_cmpstr (fact (host, "complete"), ==, "yes");
  g_assert_cmpuint (strlen (fact (host, "boot_id")), ==, 36);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, "0123"), ==, -ENOENT);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static gboolean
has_fact (const Host *host, const char *text)
{
  return g_ptr_array_find_with_equal_func (host->all_facts, text, g_str_equal, NULL);
}

/* Starts @container, whose program says "ready" when it is. */
static void
start_ready (Host *host, const HostContainer *container)
{
  HostStream *output = host_stream (host, host_streams (ID, 0) + DN_STREAM_STDOUT);

  g_assert_cmpint (host_create (host, container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  while (output->bytes->len < strlen ("ready\n"))
    g_assert_true (host_pump (host, HOST_WAIT_MS));
  g_assert_cmpmem (output->bytes->data, output->bytes->len, "ready\n", strlen ("ready\n"));
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
  HostContainer container = container_of (ARGS ("listen", "0"));
  const DnMsgListenerEntry *entry;

  start_ready (host, &container);
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
  HostContainer container = container_of (ARGS ("listen", "100"));

  start_ready (host, &container);
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
  HostContainer container = container_of (ARGS ("leave-a-thread"));

  container.process = ",\"user\":{\"uid\":0,\"gid\":0},\"capabilities\":{"
                      "\"bounding\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"],"
                      "\"permitted\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"],"
                      "\"effective\":[\"CAP_SETUID\",\"CAP_SYS_ADMIN\"]}";
  start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (fact (host, "processes"), ==, "2");
  g_assert_cmpstr (fact (host, "threads"), ==, "2");
  g_assert_true (has_fact (host, "uid=300000 300000 300000 300000"));
  g_assert_true (has_fact (host, "uid=300007 300007 300007 300007"));
  g_assert_true (has_fact (host, "cap.effective=0000000000200080"));
  g_assert_true (has_fact (host, "descriptors=clean"));
  /* Numbers up to 2 are taken. */
  g_assert_true (has_fact (host, "descriptors=3 leads out of the container"));
  g_assert_cmpstr (fact (host, "namespace.mnt"), ==, "own");
  g_assert_cmpstr (fact (host, "seccomp.filters"), ==, "1");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

/* A filter that kills for a call has refused it; whoever else sends that signal has not. */
static void
test_a_neighbours_signal_is_no_refusal (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("storm"));
  guint attempts = 0, killed = 0;
  GHashTableIter iter;
  gpointer name, value;

  container.killing_call = SYS_keyctl;
  start_ready (host, &container);
  g_assert_cmpint (host_simple (host, DN_MSG_VERIFY, ID), ==, 0);
  g_assert_cmpstr (fact (host, "complete"), ==, "yes");
  g_assert_cmpstr (fact (host, "try.keyctl"), ==, "refused SIGSYS");
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

static void
test_a_container_is_deleted_while_it_is_looked_at (void)
{
  Host *host = host_new ();

  start_sleeper (host);
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

/* Credits @stream with @bytes; 0 says "go on" after a new link. */
static void
send_credit (Host *host, guint32 stream, guint32 bytes)
{
  DnMsgCredit credit = { .bytes = bytes };
  guint8 payload[4];

  (void) dn_msg_credit_pack (&credit, payload, sizeof payload);
  host_send (host, DN_MSG_CREDIT, stream, payload, sizeof payload);
}

static void
send_list (Host *host)
{
  DnMsgList list = { .request = host_next_request (host) };
  guint8 payload[4];

  g_array_set_size (host->entries, 0);
  g_array_set_size (host->exited, 0);
  (void) dn_msg_list_pack (&list, payload, sizeof payload);
  host_send (host, DN_MSG_LIST, 0, payload, sizeof payload);
  g_assert_cmpint (host_await_reply (host, list.request), ==, 0);
}

static void
test_a_new_link_brings_what_was_not_credited (void)
{
  Host *host = host_new ();
  HostContainer container = container_of (ARGS ("flood", "100000"));
  guint32 output = host_streams (ID, 0) + 1;
  HostStream *stream = host_stream (host, output);

  stream->is_held = TRUE;
  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  g_assert_true (host_await_eof (host, output));
  g_assert_cmpuint (stream->bytes->len, ==, 100000);
  send_credit (host, output, 1000);
  g_usleep (50000);
  g_assert_true (host_link (host, host->secret));
  send_list (host);
  g_assert_cmpuint (host->entries->len, ==, 1);
  g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==, DN_PROCESS_EXITED);
  g_assert_cmpuint (host->exited->len, ==, 1);
  /* Silent until asked. */
  stream->has_eof = FALSE;
  g_assert_false (host_pump (host, 300));
  stream->is_held = FALSE;
  g_byte_array_set_size (stream->bytes, 1000);
  send_credit (host, output, 0);
  g_assert_true (host_await_eof (host, output));
  assert_pattern (stream->bytes, 100000);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_input_goes_on_over_new_links (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .flags = DN_PROCESS_STDIN };
  guint32 input = host_streams (ID, 0);
  g_autofree guint8 *chunk = g_malloc0 (65536);

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* Nobody reads: a full window on each link fits twice, then the input is given up. */
  for (int link = 0; link < 3; link++)
    {
      host_stream (host, input)->credit = 0;
      for (int i = 0; i < 4; i++)
        host_send (host, DN_MSG_DATA, input, chunk, 65536);
      while (host_pump (host, 200))
        continue;
      g_assert_cmpint (host_stream (host, input)->was_reset, ==, link == 2);
      g_assert_true (host_link (host, host->secret));
    }
  send_list (host);
  g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==, DN_PROCESS_RUNNING);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_violation_ends_the_link_and_no_container (void)
{
  Host *host = host_new ();
  static const guint8 junk[64] = { 0xff, 0xff };
  guint8 chunk[1] = { 0 };

  start_sleeper (host);
  /* No such message; the other side's message; credit for what was never sent. */
  for (int i = 0; i < 3; i++)
    {
      if (i == 0)
        g_assert_cmpint (write (host->fd, junk, sizeof junk), ==, sizeof junk);
      else if (i == 1)
        host_send (host, DN_MSG_EXITED, 0, chunk, 1);
      else
        send_credit (host, host_streams (ID, 0) + 1, 1);
      while (host_pump (host, 2000))
        continue;
      g_assert_cmpint (recv (host->fd, chunk, 1, MSG_DONTWAIT), ==, 0);
      g_assert_true (host_link (host, host->secret));
      send_list (host);
      g_assert_cmpuint (host->entries->len, ==, 1);
      g_assert_cmpuint (g_array_index (host->entries, DnMsgListEntry, 0).state, ==,
                        DN_PROCESS_RUNNING);
    }
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_more_than_the_window_is_a_violation (void)
{
  Host *host = host_new ();
  HostContainer container = { .id = ID, .args = ARGS ("sleep"), .flags = DN_PROCESS_STDIN };
  g_autofree guint8 *chunk = g_malloc0 (65536);
  guint8 byte;

  g_assert_cmpint (host_create (host, &container), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  /* A pipe takes one of them and credits it: so eight are too many in any case. */
  host_stream (host, host_streams (ID, 0))->credit = 0;
  for (int i = 0; i < 8; i++)
    host_send (host, DN_MSG_DATA, host_streams (ID, 0), chunk, 65536);
  while (host_pump (host, 2000))
    continue;
  g_assert_cmpint (recv (host->fd, &byte, 1, MSG_DONTWAIT), <=, 0);
  g_assert_true (host_link (host, host->secret));
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static guint32
send_copy (Host *host, gboolean is_out, guint32 stream, const char *path)
{
  DnMsgCopyOut copy = { .request = host_next_request (host), .stream = stream };
  g_autofree guint8 *payload = g_malloc (8192);

  g_strlcpy (copy.container, ID, sizeof copy.container);
  g_strlcpy (copy.path, path, sizeof copy.path);
  host_send (host, is_out ? DN_MSG_COPY_OUT : DN_MSG_COPY_IN, 0, payload,
             (gsize) dn_msg_copy_out_pack (&copy, payload, 8192));
  return copy.request;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The names of the entries, each with its kind, in the order of the names. */
static char *
list_copy (const GByteArray *bytes)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  GString *list = g_string_new (NULL);
  gsize at = 0;

  while (at + DN_COPY_HEADER_BYTES <= bytes->len)
    {
      DnCopyEntry entry;

      g_assert_cmpint (dn_copy_decode (bytes->data + at, &entry), ==, 0);
      at += DN_COPY_HEADER_BYTES;
      if (entry.kind == DN_COPY_END)
        break;
      g_ptr_array_add (names, g_strdup_printf ("%d:%.*s ", (int) entry.kind, entry.name_bytes,
                                               (char *) bytes->data + at));
      at += entry.name_bytes + entry.link_bytes + entry.size_bytes;
    }
  g_assert_cmpuint (at, ==, bytes->len);
  g_ptr_array_sort (names, compare_texts);
  for (guint i = 0; i < names->len; i++)
    g_string_append (list, g_ptr_array_index (names, i));
  return g_string_free (list, FALSE);
}

static void
test_copies_files_out_and_in (void)
{
  Host *host = host_new ();
  const guint8 hello[] = "hello";
  DnCopyEntry entry = { .kind = DN_COPY_FILE, .mode = 0640, .size_bytes = 5, .name_bytes = 3 };
  DnCopyEntry end = { .kind = DN_COPY_END };
  guint8 header[DN_COPY_HEADER_BYTES];
  g_autofree char *tree = NULL;
  g_autofree char *file = NULL;
  g_autofree char *read_back = NULL;
  guint32 request;

  start_sleeper (host);
  request = send_copy (host, TRUE, 8, "/data");
  g_assert_true (host_await_eof (host, 8));
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  tree = list_copy (host_stream (host, 8)->bytes);
  g_assert_cmpstr (tree, ==, "1:data/file 2:data 3:data/top 3:data/up ");
  /* A link that climbs ends at the container's root. */
  request = send_copy (host, TRUE, 12, "/data/up");
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  file = g_strndup ((char *) host_stream (host, 12)->bytes->data + DN_COPY_HEADER_BYTES + 2, 9);
  g_assert_cmpstr (file, ==, "testhost\n");
  request = send_copy (host, TRUE, 16, "/nowhere");
  g_assert_cmpint (host_await_reply (host, request), ==, -ENOENT);

  request = send_copy (host, FALSE, 20, "/tmp");
  dn_copy_encode (header, &entry);
  host_send (host, DN_MSG_DATA, 20, header, sizeof header);
  host_send (host, DN_MSG_DATA, 20, "new", 3);
  host_send (host, DN_MSG_DATA, 20, hello, 5);
  dn_copy_encode (header, &end);
  host_send (host, DN_MSG_DATA, 20, header, sizeof header);
  host_send (host, DN_MSG_EOF, 20, NULL, 0);
  g_assert_cmpint (host_await_reply (host, request), ==, 0);
  read_back = exec_output (host, 1, ARGS ("cat", "/tmp/new"), ",\"user\":{\"uid\":0}");
  g_assert_cmpstr (read_back, ==, "hello");
  /* Into the read-only root, and out of the directory. */
  request = send_copy (host, FALSE, 24, "/etc");
  dn_copy_encode (header, &entry);
  host_send (host, DN_MSG_DATA, 24, header, sizeof header);
  host_send (host, DN_MSG_DATA, 24, "newhello", 8);
  g_assert_cmpint (host_await_reply (host, request), ==, -EROFS);
  request = send_copy (host, FALSE, 28, "/tmp");
  host_send (host, DN_MSG_DATA, 28, header, sizeof header);
  host_send (host, DN_MSG_DATA, 28, "../hello", 8);
  g_assert_cmpint (host_await_reply (host, request), ==, -EPROTO);
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

  start_sleeper (host);
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

  start_sleeper (host);
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

  start_sleeper (host);
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
#define TEST(name) g_test_add_func ("/agent/" #name, test_##name)
  TEST (refuses_a_link_with_a_wrong_secret);
  TEST (returns_a_programs_exit_code);
  TEST (keeps_output_and_errors_apart);
  TEST (says_why_a_program_cannot_run);
  TEST (a_failed_create_leaves_nothing);
  TEST (a_mebibyte_comes_back_intact);
  TEST (a_reader_that_stops_stalls_only_its_stream);
  TEST (kills_a_container);
  TEST (a_created_container_can_be_killed_or_deleted);
  TEST (confines_what_it_starts);
  TEST (shows_nothing_of_itself);
  TEST (finds_users_in_the_image);
  TEST (a_writable_root_is_writable_and_forgotten);
  TEST (makes_mount_points_that_an_image_lacks);
  TEST (gives_a_terminal_of_the_asked_size);
  TEST (an_exec_ends_though_a_grandchild_holds_its_pipes);
  TEST (pauses_and_resumes);
  TEST (a_container_over_its_memory_ends_alone);
  TEST (the_guest_is_asked_for_by_an_empty_id);
  TEST (limits_that_the_kernel_has_not_are_refused_and_not_passed_over);
  TEST (reports_processes_and_numbers);
  TEST (says_what_the_kernel_reports);
  TEST (says_where_a_container_listens);
  TEST (says_how_many_listeners_found_no_room);
  TEST (verify_looks_at_every_thread);
  TEST (a_neighbours_signal_is_no_refusal);
  TEST (a_container_is_deleted_while_it_is_looked_at);
  TEST (a_new_link_brings_what_was_not_credited);
  TEST (input_goes_on_over_new_links);
  TEST (a_violation_ends_the_link_and_no_container);
  TEST (more_than_the_window_is_a_violation);
  TEST (copies_files_out_and_in);
  TEST (tells_which_system_calls_were_refused);
  TEST (a_flood_of_refusals_is_told_in_few_words);
  TEST (a_new_host_is_told_again_what_was_refused);
  return g_test_run ();
}
