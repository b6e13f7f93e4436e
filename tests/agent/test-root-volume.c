/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-volume.c protocol/*.c */
/* Needs: root */
/* Roots that are a file system on a disk of somebody else's: the real agent, with a file for a
 * disk, in which mkfs has put a root with the features that it puts in today. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-volume.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define OF_VOLUME "\"org.danchi.pod\":\"yes\",\"org.danchi.root-volume\":\"r1\""
#define WRITABLE "{\"readonly\":false}"
#define AS_ROOT ",\"user\":{\"uid\":0,\"gid\":0}"
#define AS_USER ",\"user\":{\"uid\":1000,\"gid\":1000}"
#define ROOT_BYTES "64M"

static char *
run (const char *format, ...)
{
  g_autofree char *command = NULL;
  char *output = NULL;
  g_autoptr (GError) error = NULL;
  va_list arguments;
  gint status;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  (void) g_spawn_command_line_sync (command, &output, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", command, error->message);
  return output;
}

#define RUN(...) g_free (run (__VA_ARGS__))

/* What the file system on the disk says of @path, seen by nobody's kernel. */
static char *
look_at_disk (Host *host, const char *path)
{
  g_autofree char *text = run ("debugfs -R 'stat %s' %s/volume.img", path, host->dir);
  const char *user = strstr (text, "User:"), *end;

  g_assert_nonnull (user);
  end = strstr (user, "Project:");
  return g_strndup (user, end != NULL ? (gsize) (end - user) : strlen (user));
}

static Host *
new_host (void)
{
  Host *host = host_new ();

  RUN ("sh -c 'cp -a %s/tree %s/root && mkdir -p %s/root/all && chmod 1777 %s/root/all && mknod -m "
       "666 %s/root/node c 1 5'",
       host->dir, host->dir, host->dir, host->dir, host->dir);
  RUN ("mkfs.ext4 -q -d %s/root %s/volume.img " ROOT_BYTES, host->dir, host->dir);
  RUN ("rm -r %s/root", host->dir);
  return host;
}

static gint32
open_root (Host *host, const char *disk, guint32 flags)
{
  return host_open_volume (host, "r1", disk, "root", flags | DN_VOLUME_FOREIGN);
}

static gint32
close_root (Host *host)
{
  return host_close_volume (host, "r1");
}

static char *
run_in_root (Host *host, const char *id, const char *const *args, const char *root,
             const char *process)
{
  const HostContainer container = { .id = id,
                                    .args = args,
                                    .root = root,
                                    .process = process,
                                    .annotations = OF_VOLUME,
                                    .is_of_share = TRUE };
  char *output = NULL;

  (void) host_run (host, &container, &output);
  return output;
}

static void
test_what_is_written_is_on_the_disk_with_the_containers_own_ids (void)
{
  Host *host = new_host ();
  g_autofree char *of_root = NULL, *of_user = NULL, *denied = NULL, *seen = NULL;
  g_autofree char *roots = NULL, *users = NULL;

  g_assert_cmpint (open_root (host, "volume", 0), ==, 0);
  of_root = run_in_root (host, "a1", ARGS ("write", "/of-root"), WRITABLE, AS_ROOT);
  g_assert_cmpstr (of_root, ==, "/of-root: written\n");
  of_user = run_in_root (host, "a2", ARGS ("write", "/all/of-user"), WRITABLE, AS_USER);
  g_assert_cmpstr (of_user, ==, "/all/of-user: written\n");
  denied = run_in_root (host, "a3", ARGS ("write", "/of-root"), WRITABLE, AS_USER);
  g_assert_cmpstr (denied, ==, "/of-root: Permission denied\n");
  seen = run_in_root (host, "a4", ARGS ("look", "/of-root"), WRITABLE, AS_USER);
  g_assert_cmpstr (seen, ==, "/of-root 0:420 x");
  g_assert_cmpint (close_root (host), ==, 0);
  /* Nothing is left in anybody's memory: the file tells, and is whole. */
  RUN ("e2fsck -fn %s/volume.img", host->dir);
  roots = look_at_disk (host, "/of-root");
  users = look_at_disk (host, "/all/of-user");
  g_assert_nonnull (strstr (roots, "User:     0   Group:     0"));
  g_assert_nonnull (strstr (users, "User:  1000   Group:  1000"));
  host_free (host);
}

static void
test_nothing_on_it_is_a_device_or_gives_rights (void)
{
  Host *host = new_host ();
  g_autofree char *node = NULL, *mounts = NULL;

  g_assert_cmpint (open_root (host, "volume", 0), ==, 0);
  node = run_in_root (host, "a1", ARGS ("write", "/node"), WRITABLE, AS_ROOT);
  g_assert_cmpstr (node, ==, "/node: Permission denied\n");
  mounts = run_in_root (host, "a2", ARGS ("look", "/proc/self/mountinfo"), WRITABLE, AS_ROOT);
  {
    g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);
    const char *root = NULL;

    for (char **line = lines; *line != NULL; line++)
      if (strstr (*line, " / / ") != NULL)
        root = *line;
    g_assert_nonnull (root);
    g_assert_nonnull (strstr (root, "nosuid,nodev"));
    g_assert_nonnull (strstr (root, "idmapped"));
    g_assert_nonnull (strstr (root, " ext4 "));
  }
  g_assert_cmpint (close_root (host), ==, 0);
  host_free (host);
}

static void
test_read_only_is_read_only (void)
{
  Host *host = new_host ();
  g_autofree char *asked = NULL, *attached = NULL, *before = NULL, *after = NULL;

  /* As the container asks for it, on a disk that could be written to. */
  g_assert_cmpint (open_root (host, "volume", 0), ==, 0);
  asked = run_in_root (host, "a1", ARGS ("write", "/x"), NULL, AS_ROOT);
  g_assert_cmpstr (asked, ==, "/x: Read-only file system\n");
  g_assert_cmpint (close_root (host), ==, 0);
  /* And a disk that is none to be written to, whatever the container asks for. */
  before = run ("sha256sum %s/volume.img", host->dir);
  g_assert_cmpint (open_root (host, "volume", DN_VOLUME_READONLY), ==, 0);
  attached = run_in_root (host, "a2", ARGS ("write", "/x"), WRITABLE, AS_ROOT);
  g_assert_cmpstr (attached, ==, "/x: Read-only file system\n");
  g_assert_cmpint (close_root (host), ==, 0);
  after = run ("sha256sum %s/volume.img", host->dir);
  g_assert_cmpstr (before, ==, after);
  host_free (host);
}

static void
test_it_is_one_containers_until_that_is_gone (void)
{
  const HostContainer one
      = { .id = "a1", .args = ARGS ("sleep"), .annotations = OF_VOLUME, .is_of_share = TRUE };
  const HostContainer other
      = { .id = "a2", .args = ARGS ("sleep"), .annotations = OF_VOLUME, .is_of_share = TRUE };
  const HostContainer guest
      = { .id = "a3",
          .args = ARGS ("sleep"),
          .mounts = ",{\"destination\":\"/tmp/v\",\"type\":\"volume\",\"source\":\"r1\"}" };
  Host *host = new_host ();

  g_assert_cmpint (open_root (host, "volume", 0), ==, 0);
  g_assert_cmpint (host_create (host, &one), ==, 0);
  g_assert_cmpint (host_start (host, "a1"), ==, 0);
  g_assert_cmpint (host_create (host, &other), ==, -EINVAL);
  g_assert_cmpint (host_create (host, &guest), ==, -EINVAL);
  g_assert_cmpint (close_root (host), ==, -EBUSY);
  g_assert_cmpint (host_signal (host, "a1", 0, SIGKILL, DN_SIGNAL_ALL), ==, 0);
  (void) host_await_exited (host, "a1", 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "a1"), ==, 0);
  g_assert_cmpint (close_root (host), ==, 0);
  host_free (host);
}

static void
test_what_cannot_be_is_refused (void)
{
  static const guint8 nothing[4096];
  Host *host = new_host ();
  const HostContainer container
      = { .id = "a1", .args = ARGS ("sleep"), .annotations = OF_VOLUME, .is_of_share = TRUE };
  const HostContainer two = { .id = "a1", .args = ARGS ("sleep"), .annotations = OF_VOLUME };
  g_autofree char *path = g_build_filename (host->dir, "volume.img", NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (host_create (host, &container), ==, -EINVAL); /* it is not open */
  g_assert_cmpint (host_create (host, &two), ==, -EINVAL);       /* a disk besides */
  /* No file system: said so, and nothing is made of it. */
  g_assert_cmpint (pwrite (fd, nothing, sizeof nothing, 0), ==, sizeof nothing);
  (void) close (fd);
  g_assert_cmpint (open_root (host, "volume", 0), ==, -EUCLEAN);
  g_assert_nonnull (strstr (host->reply.message, "no ext4"));
  g_assert_cmpint (open_root (host, "volume", DN_VOLUME_NEW_DISK), ==, -EUCLEAN);
  g_assert_cmpint (open_root (host, "../volume", 0), ==, -EINVAL);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/root-volume/what is written is on the disk with the container's own ids",
                   test_what_is_written_is_on_the_disk_with_the_containers_own_ids);
  g_test_add_func ("/root-volume/nothing on it is a device or gives rights",
                   test_nothing_on_it_is_a_device_or_gives_rights);
  g_test_add_func ("/root-volume/read-only is read-only", test_read_only_is_read_only);
  g_test_add_func ("/root-volume/it is one container's until that is gone",
                   test_it_is_one_containers_until_that_is_gone);
  g_test_add_func ("/root-volume/what cannot be is refused", test_what_cannot_be_is_refused);
  return g_test_run ();
}
