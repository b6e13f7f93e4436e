/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/base/console-ring.c launcher/base/control.c launcher/base/fdpass.c protocol/*.c
 */
/* Only: release (its filter knows nothing of the calls a sanitizer makes) */
/* The real relay, started as danchid starts it, looked at from outside.  Needs root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../launcher/base/console-ring.h"
#include "../../launcher/base/control.h"
#include "../../launcher/base/fdpass.h"
#include "../../protocol/frame-reader.h"

#define UID 200417
#define MEMORY_MAX_KIB 4096

typedef struct
{
  pid_t pid;
  int control; /* connected */
  int ring_fd;
  char *directory;
} Relay;

static char *
read_proc (pid_t pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, name);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static int
make_socket (const char *path, gboolean is_listener)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  if (is_listener)
    {
      g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
      g_assert_cmpint (listen (fd, 4), ==, 0);
    }
  else
    g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

/* Starts the relay with @fds as its 3, 4, 5 and 6. */
static pid_t
spawn (const int fds[4], uid_t uid)
{
  const char *build = g_getenv ("DN_TEST_BUILD");
  g_autofree char *program
      = g_strdup_printf ("%s/bin/danchi-relay", build != NULL ? build : "build");
  g_autofree char *uid_text = g_strdup_printf ("%u", uid);
  pid_t pid;

  if (g_getenv ("DN_TEST_RELAY") != NULL)
    {
      g_free (program);
      program = g_strdup (g_getenv ("DN_TEST_RELAY"));
    }
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid > 0)
    return pid;
  for (int i = 0; i < 4; i++) /* out of the way first */
    if (dup2 (fds[i], 20 + i) < 0)
      _exit (99);
  for (int i = 0; i < 4; i++)
    if (dup2 (20 + i, 3 + i) < 0)
      _exit (99);
  (void) execl (program, program, "--guest", "test", "--uid", uid_text, "--gid", uid_text,
                "--owner-uid", "0", "--control-fd", "3", "--console-fd", "4", "--ring-fd", "5",
                "--lock-fd", "6", NULL);
  _exit (98);
}

/* Reads what danchid would be told, up to a message of @type. */
static void
await (Relay *relay, guint16 type)
{
  DnFrameHeader header = { 0 };
  guint8 bytes[4096];

  while (header.type != type)
    {
      g_assert_cmpint (recv (relay->control, bytes, DN_FRAME_HEADER_BYTES, MSG_WAITALL), ==,
                       DN_FRAME_HEADER_BYTES);
      g_assert_cmpint (
          dn_frame_decode_header (&dn_control_all_wire, DN_SENDER_GUEST, bytes, &header), ==, 0);
      g_assert_cmpuint (header.length, <=, sizeof bytes);
      if (header.length > 0)
        g_assert_cmpint (recv (relay->control, bytes, header.length, MSG_WAITALL), ==,
                         header.length);
    }
}

static Relay *
relay_new (void)
{
  Relay *relay = g_new0 (Relay, 1);
  g_autofree char *control = NULL, *console = NULL, *lock = NULL;
  guint8 probe[DN_FRAME_HEADER_BYTES + 4] = { 0 };
  int fds[4];

  relay->directory = g_dir_make_tmp ("danchi-relay-XXXXXX", NULL);
  control = g_build_filename (relay->directory, "relay.sock", NULL);
  console = g_build_filename (relay->directory, "console.sock", NULL);
  lock = g_build_filename (relay->directory, "relay.lock", NULL);
  relay->ring_fd = open (relay->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  g_assert_cmpint (dn_console_ring_create (relay->ring_fd), ==, 0);
  fds[0] = make_socket (control, TRUE);
  fds[1] = make_socket (console, TRUE);
  fds[2] = relay->ring_fd;
  fds[3] = open (lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  g_assert_cmpint (flock (fds[3], LOCK_EX), ==, 0);
  relay->pid = spawn (fds, UID);
  (void) close (fds[0]);
  (void) close (fds[1]);
  (void) close (fds[3]);
  relay->control = make_socket (control, FALSE);
  (void) unlink (control);
  (void) unlink (console);
  (void) unlink (lock);

  /* An answer means that the lockdown is over. */
  dn_frame_encode_header (probe, DN_MSG_PROBE, 0, 4);
  g_assert_cmpint (write (relay->control, probe, sizeof probe), ==, sizeof probe);
  await (relay, DN_MSG_PROBED);
  return relay;
}

static int
relay_quit (Relay *relay)
{
  guint8 quit[DN_FRAME_HEADER_BYTES];
  int status = -1;

  dn_frame_encode_header (quit, DN_MSG_QUIT, 0, 0);
  g_assert_cmpint (send (relay->control, quit, sizeof quit, MSG_NOSIGNAL), ==, sizeof quit);
  g_assert_cmpint (waitpid (relay->pid, &status, 0), ==, relay->pid);
  (void) close (relay->control);
  (void) close (relay->ring_fd);
  (void) rmdir (relay->directory);
  g_free (relay->directory);
  g_free (relay);
  return status;
}

static gboolean
skips_without_root (void)
{
  if (geteuid () == 0)
    return FALSE;
  g_test_skip ("needs root");
  return TRUE;
}

static void
test_the_kernel_reports_no_rights (void)
{
  Relay *relay;
  g_autofree char *status = NULL, *limits = NULL;

  if (skips_without_root ())
    return;
  relay = relay_new ();
  status = read_proc (relay->pid, "status");
  g_assert_nonnull (strstr (status, "\nUid:\t200417\t200417\t200417\t200417\n"));
  g_assert_nonnull (strstr (status, "\nGid:\t200417\t200417\t200417\t200417\n"));
  g_assert_nonnull (strstr (status, "\nGroups:\t \n"));
  g_assert_nonnull (strstr (status, "\nCapInh:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nCapPrm:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nCapEff:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nCapBnd:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nCapAmb:\t0000000000000000\n"));
  g_assert_nonnull (strstr (status, "\nNoNewPrivs:\t1\n"));
  g_assert_nonnull (strstr (status, "\nSeccomp:\t2\n"));
  g_assert_nonnull (strstr (status, "\nThreads:\t1\n"));
  limits = read_proc (relay->pid, "limits");
  g_assert_nonnull (strstr (limits, "Max core file size        0                    0 "));
  g_assert_nonnull (strstr (limits, "Max processes             0                    0 "));
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

static void
test_its_root_is_empty_and_read_only (void)
{
  Relay *relay;
  g_autofree char *path = NULL, *mounts = NULL;
  DIR *directory;
  struct dirent *entry;
  int entries = 0;

  if (skips_without_root ())
    return;
  relay = relay_new ();
  path = g_strdup_printf ("/proc/%d/root/", relay->pid);
  directory = opendir (path);
  g_assert_nonnull (directory);
  while ((entry = readdir (directory)) != NULL)
    entries += strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0;
  (void) closedir (directory);
  g_assert_cmpint (entries, ==, 0);
  mounts = read_proc (relay->pid, "mounts");
  g_assert_true (g_str_has_prefix (mounts, "danchi-empty / tmpfs ro,nosuid,nodev,noexec"));
  g_assert_null (strchr (strchr (mounts, '\n') + 1, '\n')); /* the only one */
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

static void
test_its_namespaces_are_its_own (void)
{
  static const char *const names[] = { "mnt", "net", "ipc", "uts" };
  Relay *relay;

  if (skips_without_root ())
    return;
  relay = relay_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *theirs = g_strdup_printf ("/proc/%d/ns/%s", relay->pid, names[i]);
      g_autofree char *ours = g_strdup_printf ("/proc/self/ns/%s", names[i]);
      g_autofree char *their_target = g_file_read_link (theirs, NULL);
      g_autofree char *our_target = g_file_read_link (ours, NULL);

      g_assert_nonnull (their_target);
      g_assert_cmpstr (their_target, !=, our_target);
    }
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

static void
test_it_fits_into_four_mebibytes (void)
{
  Relay *relay;
  g_autofree char *status = NULL;
  const char *line;

  if (skips_without_root ())
    return;
  relay = relay_new ();
  status = read_proc (relay->pid, "status");
  line = strstr (status, "\nVmRSS:");
  g_assert_nonnull (line);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpint (g_ascii_strtoll (line + 8, NULL, 10), <=, MEMORY_MAX_KIB);
#endif
  g_test_message ("%.30s", line + 1);
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

static void
test_it_holds_no_descriptor_it_was_not_given (void)
{
  Relay *relay;
  g_autofree char *path = NULL;
  DIR *directory;
  struct dirent *entry;
  int stray, highest = 0;

  if (skips_without_root ())
    return;
  stray = open ("/etc/passwd", O_RDONLY); /* inherited on purpose */
  g_assert_cmpint (dup2 (stray, 9), ==, 9);
  relay = relay_new ();
  path = g_strdup_printf ("/proc/%d/fd", relay->pid);
  directory = opendir (path);
  while ((entry = readdir (directory)) != NULL)
    {
      g_autofree char *link = g_build_filename (path, entry->d_name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      highest = MAX (highest, atoi (entry->d_name));
      g_assert_cmpstr (target, !=, "/etc/passwd");
    }
  (void) closedir (directory);
  g_assert_cmpint (highest, <=, 9); /* 0 to 6, epoll, the control connection */
  (void) close (stray);
  (void) close (9);
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

static void
test_it_refuses_to_stay_root (void)
{
  int fds[4], status;
  pid_t pid;

  if (skips_without_root ())
    return;
  for (int i = 0; i < 4; i++)
    fds[i] = open ("/dev/null", O_RDWR | O_CLOEXEC);
  pid = spawn (fds, 0);
  for (int i = 0; i < 4; i++)
    (void) close (fds[i]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 1);
}

/* All of its paths once, so that a call the filter forgot would kill it here. */
static void
test_the_filter_lets_it_do_its_work (void)
{
  Relay *relay;
  DnMsgChannel channel = { .repeat_hello = 1 };
  DnMsgProcess process = { .container = "ab", .streams = 4, .log_bytes = 1 << 20 };
  DnMsgSession session = { .container = "ab", .flags = 7 };
  DnMsgReady ready = { .processors = 1 };
  guint8 frame[4096], record[DN_LINK_BYTES], secret[DN_LINK_SECRET_BYTES] = { 7 };
  DnFdList fds = { .count = 1 };
  DnLinkHello hello;
  int pair[2], client[4], size, log_fds[2];
  char text[256] = { 0 };

  if (skips_without_root ())
    return;
  relay = relay_new ();
  memcpy (channel.secret, secret, sizeof secret);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
  size = dn_msg_channel_pack (&channel, frame + DN_FRAME_HEADER_BYTES, 4000);
  dn_frame_encode_header (frame, DN_MSG_CHANNEL, 0, (guint32) size);
  fds.fds[0] = pair[1];
  g_assert_cmpint (dn_fdpass_send (relay->control, frame, 12 + (gsize) size, &fds), >, 0);
  (void) close (pair[1]);
  g_assert_cmpint (recv (pair[0], record, sizeof record, MSG_WAITALL), ==, sizeof record);
  /* The second hello, so that the wait and its timer are seen too. */
  g_assert_cmpint (recv (pair[0], record, sizeof record, MSG_WAITALL), ==, sizeof record);
  g_assert_cmpint (dn_link_decode_hello (record, secret, &hello), ==, 0);
  dn_link_encode_welcome (record, 1, hello.nonce, secret);
  g_assert_cmpint (write (pair[0], record, sizeof record), ==, sizeof record);
  size = dn_msg_ready_pack (&ready, frame + DN_FRAME_HEADER_BYTES, 4000);
  dn_frame_encode_header (frame, DN_MSG_READY, 0, (guint32) size);
  g_assert_cmpint (write (pair[0], frame, 12 + (gsize) size), ==, 12 + size);
  /* danchid gives its orders when it was told of the guest. */
  await (relay, DN_MSG_LINK_UP);

  size = dn_msg_process_pack (&process, frame + DN_FRAME_HEADER_BYTES, 4000);
  dn_frame_encode_header (frame, DN_MSG_PROCESS, 0, (guint32) size);
  for (int i = 0; i < 2; i++)
    fds.fds[i] = log_fds[i] = open (relay->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  fds.count = 2;
  g_assert_cmpint (dn_fdpass_send (relay->control, frame, 12 + (gsize) size, &fds), >, 0);
  fds.count = 4;
  for (int i = 0; i < 4; i++)
    {
      int ends[2];

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
      client[i] = ends[0];
      fds.fds[i] = ends[1];
    }
  size = dn_msg_session_pack (&session, frame + DN_FRAME_HEADER_BYTES, 4000);
  dn_frame_encode_header (frame, DN_MSG_SESSION, 0, (guint32) size);
  g_assert_cmpint (dn_fdpass_send (relay->control, frame, 12 + (gsize) size, &fds), >, 0);
  dn_fd_list_clear (&fds);
  g_assert_cmpint (recv (pair[0], frame, 32, MSG_WAITALL), ==, 32); /* CREDIT 0 on two streams */
  dn_frame_encode_header (frame, DN_MSG_DATA, 5, 3);
  memcpy (frame + 12, "hi\n", 3);
  g_assert_cmpint (write (pair[0], frame, 15), ==, 15);
  g_assert_cmpint (recv (client[2], text, 3, MSG_WAITALL), ==, 3);
  g_assert_cmpint (recv (pair[0], frame, 16, MSG_WAITALL), ==, 16); /* CREDIT 3: it is logged */
  g_assert_cmpint (pread (log_fds[0], text, sizeof text - 1, 0), >, 40);
  g_assert_nonnull (strstr (text, "\"m\":\"hi\"}\n"));
  (void) close (pair[0]);
  for (int i = 0; i < 4; i++)
    (void) close (client[i]);
  (void) close (log_fds[0]);
  (void) close (log_fds[1]);
  g_assert_cmpint (relay_quit (relay), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/relay/lockdown/" #name, test_##name)
  TEST (the_kernel_reports_no_rights);
  TEST (its_root_is_empty_and_read_only);
  TEST (its_namespaces_are_its_own);
  TEST (it_fits_into_four_mebibytes);
  TEST (it_holds_no_descriptor_it_was_not_given);
  TEST (it_refuses_to_stay_root);
  TEST (the_filter_lets_it_do_its_work);
  return g_test_run ();
}
