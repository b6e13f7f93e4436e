/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/intake-order.c launcher/base/fdpass.c */
/* Only: release (its filter knows nothing of the calls a sanitizer makes) */
/* The real danchi-intake, ordered as danchid orders it, and its jails looked at from outside. Needs
 * root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/base/intake-order.h"

#define UID 209417
#define WAIT_MS 10000

typedef struct
{
  pid_t server;
  int socket;
  char *directory; /* the test's; DIRECTORY/work is the run's */
  int input;       /* our ends; -1: closed */
  int report;
  int lifeline;
} Intake;

static void
start (Intake *intake)
{
  const char *build = g_getenv ("DN_TEST_BUILD");
  g_autofree char *program
      = g_strdup_printf ("%s/bin/danchi-intake", build != NULL ? build : "build");
  int pair[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), ==, 0);
  intake->server = fork ();
  if (intake->server == 0)
    {
      (void) dup2 (pair[1], 3);
      (void) execl (program, program, "--serve", "3", "--config", "/nowhere", NULL);
      _exit (127);
    }
  (void) close (pair[1]);
  intake->socket = pair[0];
  intake->directory = g_dir_make_tmp ("danchi-intake-XXXXXX", NULL);
  g_assert_cmpint (g_chmod (intake->directory, 0711), ==, 0);
}

/* Sends the order; the run's task waits for its lines. */
static void
order (Intake *intake, const char *text)
{
  g_autofree char *work = g_build_filename (intake->directory, "work", NULL);
  int input[2], report[2], lifeline[2];
  DnFdList fds = { .count = DN_INTAKE_FDS };

  g_assert_cmpint (mkdir (work, 0700), ==, 0);
  g_assert_cmpint (chown (work, UID, UID), ==, 0);
  g_assert_cmpint (pipe2 (input, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (report, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (lifeline, O_CLOEXEC), ==, 0);
  fds.fds[DN_INTAKE_FD_STAGING] = open (work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  fds.fds[DN_INTAKE_FD_INPUT] = input[0];
  fds.fds[DN_INTAKE_FD_REPORT] = report[1];
  fds.fds[DN_INTAKE_FD_LIFELINE] = lifeline[0];
  g_assert_cmpint (dn_fdpass_send (intake->socket, text, strlen (text), &fds), ==, strlen (text));
  dn_fd_list_clear (&fds);
  intake->input = input[1];
  intake->report = report[0];
  intake->lifeline = lifeline[1];
}

static char *
read_proc (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, name);
  char *text = NULL;

  (void) g_file_get_contents (path, &text, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}

/* Processes whose real uid is the run's. */
static GArray *
find_processes (void)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GDir) proc = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (proc)) != NULL)
    if (g_ascii_isdigit (name[0]))
      {
        pid_t pid = atoi (name);
        g_autofree char *status = read_proc (pid, "status");

        if (strstr (status, "\nUid:\t" G_STRINGIFY (UID) "\t") != NULL)
          g_array_append_val (pids, pid);
      }
  return pids;
}

/* Waits until there are @count of them. */
static GArray *
await_processes (guint count)
{
  for (guint i = 0; i < WAIT_MS / 20; i++)
    {
      GArray *pids = find_processes ();

      if (pids->len == count)
        return pids;
      g_array_unref (pids);
      g_usleep (20 * 1000);
    }
  g_error ("there are not %u processes of the run", count);
}

static char *
read_report (Intake *intake)
{
  GString *text = g_string_new (NULL);
  char bytes[512];
  ssize_t n;

  while ((n = read (intake->report, bytes, sizeof bytes)) > 0)
    g_string_append_len (text, bytes, n);
  return g_string_free (text, FALSE);
}

static void
end (Intake *intake)
{
  g_autofree char *work = g_build_filename (intake->directory, "work", NULL);
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", intake->directory);
  g_autoptr (GArray) none = NULL;
  int status;

  (void) close (intake->input);
  (void) close (intake->report);
  (void) close (intake->lifeline);
  (void) close (intake->socket);
  g_assert_cmpint (waitpid (intake->server, &status, 0), ==, intake->server);
  none = await_processes (0);
  g_assert_cmpint (system (remove), ==, 0);
  g_free (intake->directory);
}

static void
assert_line (const char *status, const char *line)
{
  g_autofree char *whole = g_strdup_printf ("\n%s\n", line);

  if (strstr (status, whole) == NULL)
    g_error ("no line '%s' in:%s", line, status);
}

/* The task's process, not the keeper's: it is process 1 of its own namespace. */
static pid_t
find_task (GArray *pids)
{
  for (guint i = 0; i < pids->len; i++)
    {
      pid_t pid = g_array_index (pids, pid_t, i);
      g_autofree char *status = read_proc (pid, "status");
      g_autofree char *line = g_strdup_printf ("\nNSpid:\t%d\t1\n", pid);

      if (strstr (status, line) != NULL)
        return pid;
    }
  g_error ("there is no process 1");
}

/* (transfer full): its status once its filter is there, which is the last that it gives up */
static char *
await_filter (pid_t pid)
{
  char *status = read_proc (pid, "status");

  for (int waited = 0; waited < WAIT_MS && strstr (status, "\nSeccomp:\t2\n") == NULL; waited += 20)
    {
      g_usleep (20 * 1000);
      g_free (status);
      status = read_proc (pid, "status");
    }
  return status;
}

static void
test_a_jail_has_nothing_left (void)
{
  static const char *const lines[]
      = { "Uid:\t" G_STRINGIFY (UID) "\t" G_STRINGIFY (UID) "\t" G_STRINGIFY (UID) "\t" //
          G_STRINGIFY (UID),
          "Groups:\t ",
          "CapInh:\t0000000000000000",
          "CapPrm:\t0000000000000000",
          "CapEff:\t0000000000000000",
          "CapBnd:\t0000000000000000",
          "CapAmb:\t0000000000000000",
          "NoNewPrivs:\t1",
          "Seccomp:\t2" };
  static const char *const spaces[] = { "mnt", "ipc", "uts", "pid", "cgroup" };
  static const char *const hidden[]
      = { "etc/shadow", "etc/passwd", "proc",    "sys",        "run",     "root",
          "home",       "var",        "dev/kvm", "usr/bin/sh", "usr/sbin" };
  Intake intake = { 0 };
  g_autoptr (GArray) pids = NULL;
  g_autofree char *status = NULL, *limits = NULL;
  pid_t pid;

  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  pids = await_processes (2);
  pid = find_task (pids);
  status = await_filter (pid);
  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_line (status, lines[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (spaces); i++)
    {
      g_autofree char *own = g_strdup_printf ("/proc/%d/ns/%s", pid, spaces[i]);
      g_autofree char *host = g_strdup_printf ("/proc/self/ns/%s", spaces[i]);
      g_autofree char *own_name = g_file_read_link (own, NULL);
      g_autofree char *host_name = g_file_read_link (host, NULL);

      g_assert_cmpstr (own_name, !=, host_name);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (hidden); i++)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%d/root/%s", pid, hidden[i]);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        g_error ("the jail sees /%s", hidden[i]);
    }
  limits = read_proc (pid, "limits");
  g_assert_nonnull (strstr (limits, "Max core file size        0 "));
  g_assert_nonnull (strstr (limits, "Max processes             128 "));
  end (&intake);
}

/* The mounts that are not read-only, by what the kernel says of them. */
static void
test_a_jail_writes_its_directory_and_a_small_private_one (void)
{
  Intake intake = { 0 };
  g_autoptr (GArray) pids = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) mounts = NULL;

  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  pids = await_processes (2);
  text = read_proc (find_task (pids), "mountinfo");
  mounts = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (mounts), >, 5);
  for (char **mount = mounts; **mount != '\0'; mount++)
    {
      g_auto (GStrv) fields = g_strsplit (*mount, " ", -1);

      g_assert_nonnull (strstr (fields[5], "nosuid"));
      if (g_str_equal (fields[4], "/work") || g_str_equal (fields[4], "/tmp"))
        g_assert_nonnull (strstr (fields[5], "nodev"));
      else if (!g_str_equal (fields[4], "/dev/null"))
        g_assert_true (g_str_has_prefix (fields[5], "ro,"));
    }
  end (&intake);
}

static void
test_a_jail_ends_with_its_lifeline (void)
{
  Intake intake = { 0 };
  g_autoptr (GArray) pids = NULL, none = NULL;
  g_autofree char *report = NULL;

  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  pids = await_processes (2);
  (void) close (intake.lifeline);
  intake.lifeline = -1;
  none = await_processes (0);
  report = read_report (&intake);
  g_assert_cmpstr (report, ==, "");
  end (&intake);
}

static void
test_a_jail_ends_with_its_server (void)
{
  Intake intake = { 0 };
  g_autoptr (GArray) pids = NULL, none = NULL;

  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  pids = await_processes (2);
  g_assert_cmpint (kill (intake.server, SIGKILL), ==, 0);
  none = await_processes (0);
  end (&intake);
}

static void
test_an_order_of_another_form_is_refused (void)
{
  static const char *const orders[] = { "nothing " G_STRINGIFY (UID) " " G_STRINGIFY (UID) };
  static const char *const wrong[]
      = { "pull 0 0",  "pull 5",   "pull 5 5 5", " pull 5 5", "pull +5 5",
          "pull 05 5", "PULL 5 5", "pull  5 5",  "" };
  DnIntakeOrder read;

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (dn_intake_order_parse (wrong[i], &read), ==, -EINVAL);
  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      Intake intake = { 0 };
      g_autofree char *report = NULL;

      start (&intake);
      order (&intake, orders[i]);
      report = read_report (&intake);
      g_assert_cmpstr (report, ==, "failed order nothing\n");
      end (&intake);
    }
}

static void
test_an_order_that_is_cut_off_does_nothing (void)
{
  static const char lines[] = "reference=localhost/a:b\nreposit";
  Intake intake = { 0 };
  g_autofree char *report = NULL;

  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  g_assert_cmpint (write (intake.input, lines, strlen (lines)), ==, strlen (lines));
  (void) close (intake.input);
  intake.input = -1;
  report = read_report (&intake);
  g_assert_cmpstr (report, ==, "failed order the order cannot be read\n");
  end (&intake);
}

static void
test_skopeo_runs_in_it_and_its_words_become_a_code (void)
{
  /* Nobody listens at port 1. */
  static const char lines[] = "reference=127.0.0.1:1/a:b\nrepository=127.0.0.1:1/a\n"
                              "limit_bytes=1000\nstall_s=5\ntries=1\n\n";
  Intake intake = { 0 };
  g_autofree char *report = NULL;

  if (access ("/usr/bin/skopeo", X_OK) < 0)
    {
      g_test_skip ("there is no skopeo");
      return;
    }
  start (&intake);
  order (&intake, "pull " G_STRINGIFY (UID) " " G_STRINGIFY (UID));
  g_assert_cmpint (write (intake.input, lines, strlen (lines)), ==, strlen (lines));
  report = read_report (&intake);
  g_test_message ("%s", report);
  g_assert_true (g_str_has_prefix (report, "failed refused "));
  end (&intake);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  (void) signal (SIGPIPE, SIG_IGN);
  g_test_add_func ("/intake/a-jail-has-nothing-left", test_a_jail_has_nothing_left);
  g_test_add_func ("/intake/a-jail-writes-its-directory-and-a-small-private-one",
                   test_a_jail_writes_its_directory_and_a_small_private_one);
  g_test_add_func ("/intake/a-jail-ends-with-its-lifeline", test_a_jail_ends_with_its_lifeline);
  g_test_add_func ("/intake/a-jail-ends-with-its-server", test_a_jail_ends_with_its_server);
  g_test_add_func ("/intake/an-order-of-another-form-is-refused",
                   test_an_order_of_another_form_is_refused);
  g_test_add_func ("/intake/an-order-that-is-cut-off-does-nothing",
                   test_an_order_that_is_cut_off_does_nothing);
  g_test_add_func ("/intake/skopeo-runs-in-it-and-its-words-become-a-code",
                   test_skopeo_runs_in_it_and_its_words_become_a_code);
  return g_test_run ();
}
