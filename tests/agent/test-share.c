/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* Needs: root */
/* Binds in the real agent.  The share is a directory in its place, RUN/share: the agent mounts a
 * virtiofs there only where it does not find a bind's number in it.  So all is the agent's but what
 * virtiofs itself does, which is tests/share's and the end-to-end tests'. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-host.h"

#define ID "5a4e"
#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define PLACE(path, more)                                                                          \
  ",{\"destination\":\"" path "\",\"type\":\"share\",\"source\":\"share\",\"options\":"            \
  "[\"nosuid\",\"nodev\"" more "]}"
#define TMPFS(path) ",{\"destination\":\"" path "\",\"type\":\"tmpfs\",\"options\":[\"mode=1777\"]}"
#define READ_ONLY ",\"ro\",\"noexec\""
#define FILE_OF_IT ",\"file\""

/* RUN/share/NAME. (transfer full) */
static char *
shared (Host *host, const char *name)
{
  return g_build_filename (host->dir, "run", "share", name, NULL);
}

static void
share_directory (Host *host, const char *name)
{
  g_autofree char *path = shared (host, name);

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
  /* What the host shows has its owners translated; here everybody may. */
  g_assert_cmpint (chmod (path, 0777), ==, 0);
}

static void
share_file (Host *host, const char *name, const char *text)
{
  g_autofree char *path = shared (host, name);
  g_autofree char *directory = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (chmod (path, 0666), ==, 0);
}

static gint32
create (Host *host, const char *id, const char *mounts)
{
  const HostContainer container = { .id = id, .args = ARGS ("sleep"), .mounts = mounts };

  return host_create (host, &container);
}

static gint32
mount_bind (Host *host, const char *id, guint32 number, const char *target)
{
  DnMsgShareMount message = { .request = host_next_request (host), .number = number };
  guint8 payload[8192];

  g_strlcpy (message.container, id, sizeof message.container);
  g_strlcpy (message.target, target, sizeof message.target);
  host_send (host, DN_MSG_SHARE_MOUNT, 0, payload,
             (gsize) dn_msg_share_mount_pack (&message, payload, sizeof payload));
  return host_await_reply (host, message.request);
}

static void
assert_refused (Host *host, guint32 number, const char *target, const char *words)
{
  g_assert_cmpint (mount_bind (host, ID, number, target), <, 0);
  g_test_message ("%u on '%s': %s", number, target, host->reply.message);
  if (strstr (host->reply.message, words) == NULL)
    g_test_fail_printf ("%u on '%s': '%s', and not '%s'", number, target, host->reply.message,
                        words);
}

/* What a process of the container puts out. (transfer full) */
static char *
ask (Host *host, const char *const *args)
{
  static guint32 process;
  HostStream *output;

  process++;
  g_assert_cmpint (host_exec (host, ID, process, 0, args, NULL), ==, 0);
  (void) host_await_exited (host, ID, process);
  g_assert_true (host_await_eof (host, host_streams (ID, process) + DN_STREAM_STDOUT));
  output = host_stream (host, host_streams (ID, process) + DN_STREAM_STDOUT);
  return g_strndup ((char *) output->bytes->data, output->bytes->len);
}

static void
test_binds_come_between_create_and_start_and_are_as_their_places_say (void)
{
  Host *host = host_new ();
  g_autofree char *seen = NULL, *denied = NULL, *written = NULL, *made = NULL;
  const char *const looks[]
      = { "probe", "look", "/data", "/data/inner", "/tmp/out", "/etc/hosts", NULL };

  share_directory (host, "1");
  share_file (host, "1/inner", "of the host's\n");
  share_directory (host, "2");
  share_file (host, "3", "a file\n");
  g_assert_cmpint (create (host, ID,
                           PLACE ("/data", READ_ONLY) PLACE ("/tmp/out", "")
                               PLACE ("/etc/hosts", READ_ONLY FILE_OF_IT)),
                   ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_USER, ID), ==, 0);
  g_assert_cmpuint (host->share_user.uid, ==, 1000);
  g_assert_cmpuint (host->share_user.gid, ==, 1001);
  g_assert_cmpint (mount_bind (host, ID, 1, "/data"), ==, 0);
  g_assert_cmpint (mount_bind (host, ID, 2, "/tmp/out"), ==, 0);
  g_assert_cmpint (mount_bind (host, ID, 3, "/etc/hosts"), ==, 0);
  /* Not before the host has said that these are all. */
  g_assert_cmpint (host_start (host, ID), <, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_MOUNTED, ID), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  seen = ask (host, looks);
  g_assert_cmpstr (seen, ==,
                   "/data 65534:511 inner \n/data/inner 65534:438 of the host's\n"
                   "/tmp/out 65534:511 \n/etc/hosts 65534:438 a file\n");
  denied = ask (host, ARGS ("write", "/data/inner"));
  g_assert_cmpstr (denied, ==, "/data/inner: Read-only file system\n");
  written = ask (host, ARGS ("write", "/tmp/out/new"));
  g_assert_cmpstr (written, ==, "/tmp/out/new: written\n");
  made = shared (host, "2/new");
  g_assert_true (g_file_test (made, G_FILE_TEST_IS_REGULAR));
  /* It runs: nothing comes any more. */
  assert_refused (host, 1, "/data", "does not wait for binds");
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_USER, ID), <, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_MOUNTED, ID), <, 0);
  g_assert_cmpint (host_signal (host, ID, 0, 9, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_what_is_no_bind_of_the_containers_is_refused_by_name (void)
{
  Host *host = host_new ();
  g_autofree char *link = shared (host, "4");
  static const char *const strangers[] = { "/tmp", "/data/", "/data/../data", "/etc", "data", "" };

  share_directory (host, "1");
  share_file (host, "3", "a file\n");
  g_assert_cmpint (symlink ("/", link), ==, 0);
  g_assert_cmpint (
      create (host, ID, PLACE ("/data", READ_ONLY) PLACE ("/etc/hosts", READ_ONLY FILE_OF_IT)), ==,
      0);
  for (gsize i = 0; i < G_N_ELEMENTS (strangers); i++)
    assert_refused (host, 1, strangers[i], "the config has no share there");
  assert_refused (host, 3, "/data", "is no directory on the host");
  assert_refused (host, 1, "/etc/hosts", "is a directory on the host");
  /* A name of the share's that is a link is not followed out of it. */
  assert_refused (host, 4, "/data", "is no directory on the host");
  /* Not there: then there should be a share to look into, and here is none. */
  assert_refused (host, 9, "/data", "mount the guest's share");
  g_assert_cmpint (mount_bind (host, "0ther", 1, "/data"), <, 0);
  /* After all that it is as it was. */
  g_assert_cmpint (mount_bind (host, ID, 1, "/data"), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_a_container_without_places_waits_for_nothing (void)
{
  Host *host = host_new ();

  share_directory (host, "1");
  g_assert_cmpint (create (host, ID, NULL), ==, 0);
  assert_refused (host, 1, "/data", "does not wait for binds");
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_USER, ID), <, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_MOUNTED, ID), <, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

/* The image has /data/top -> / and /data/up -> ../../../../../../etc/hostname. */
static void
test_links_of_an_image_lead_to_places_within_it (void)
{
  Host *host = host_new ();
  g_autofree char *before = NULL, *after = NULL, *seen = NULL;

  (void) g_file_get_contents ("/etc/hostname", &before, NULL, NULL);
  share_file (host, "1", "of the host's\n");
  share_file (host, "2", "the other's\n");
  g_assert_cmpint (create (host, ID,
                           PLACE ("/data/up", READ_ONLY FILE_OF_IT)
                               PLACE ("/data/top/data/top/etc/hosts", READ_ONLY FILE_OF_IT)),
                   ==, 0);
  g_assert_cmpint (mount_bind (host, ID, 1, "/data/up"), ==, 0);
  g_assert_cmpint (mount_bind (host, ID, 2, "/data/top/data/top/etc/hosts"), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_MOUNTED, ID), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  seen = ask (host, ARGS ("look", "/etc/hostname", "/etc/hosts"));
  g_assert_cmpstr (seen, ==,
                   "/etc/hostname 65534:438 of the host's\n/etc/hosts 65534:438 the other's\n");
  (void) g_file_get_contents ("/etc/hostname", &after, NULL, NULL);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpint (host_signal (host, ID, 0, 9, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

static void
test_what_lies_in_a_place_moves_onto_the_bind_where_the_host_has_it (void)
{
  Host *host = host_new ();
  g_autofree char *seen = NULL, *made = NULL, *outside = NULL;

  share_directory (host, "1");
  share_directory (host, "2");
  share_directory (host, "2/inner");
  g_assert_cmpint (create (host, ID, PLACE ("/tmp/out", "") TMPFS ("/tmp/out/inner")), ==, 0);
  assert_refused (host, 1, "/tmp/out", "the host has no such directory there");
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  g_assert_cmpint (create (host, ID, PLACE ("/tmp/out", "") TMPFS ("/tmp/out/inner")), ==, 0);
  g_assert_cmpint (mount_bind (host, ID, 2, "/tmp/out"), ==, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_SHARE_MOUNTED, ID), ==, 0);
  g_assert_cmpint (host_start (host, ID), ==, 0);
  made = ask (host, ARGS ("write", "/tmp/out/inner/new"));
  g_assert_cmpstr (made, ==, "/tmp/out/inner/new: written\n");
  seen = ask (host, ARGS ("look", "/tmp/out"));
  g_assert_cmpstr (seen, ==, "/tmp/out 65534:511 inner \n");
  outside = shared (host, "2/inner/new");
  g_assert_false (g_file_test (outside, G_FILE_TEST_EXISTS));
  g_assert_cmpint (host_signal (host, ID, 0, 9, 0), ==, 0);
  (void) host_await_exited (host, ID, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, ID), ==, 0);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/share/binds come between create and start, and are as their places say",
                   test_binds_come_between_create_and_start_and_are_as_their_places_say);
  g_test_add_func ("/share/what is no bind of the container's is refused by name",
                   test_what_is_no_bind_of_the_containers_is_refused_by_name);
  g_test_add_func ("/share/a container without places waits for nothing",
                   test_a_container_without_places_waits_for_nothing);
  g_test_add_func ("/share/links of an image lead to places within it",
                   test_links_of_an_image_lead_to_places_within_it);
  g_test_add_func ("/share/what lies in a place moves onto the bind, where the host has it",
                   test_what_lies_in_a_place_moves_onto_the_bind_where_the_host_has_it);
  return g_test_run ();
}
