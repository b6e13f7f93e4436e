/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* Needs: root */
/* Containers of a pod: the real agent, with a directory for the guest's share. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define FIRST "0123456789abcdef0123456789abcdef"
#define SECOND "fedcba9876543210fedcba9876543210"
#define POD "\"org.danchi.pod\":\"yes\""
#define OF_SHARE POD ",\"org.danchi.root-share\":\"7\""
#define WRITABLE "{\"readonly\":false}"
#define AS_ROOT ",\"user\":{\"uid\":0,\"gid\":0}"
#define MEMORY                                                                                     \
  ",{\"destination\":\"/data\",\"type\":\"pod\",\"source\":\"dir-1\",\"options\":[\"mode=0777\"]}"

#define PART(options)                                                                              \
  ",{\"destination\":\"/part\",\"type\":\"pod\",\"source\":\"dir-1\",\"options\":[" options "]}"

static void
run (const char *format, ...)
{
  g_autofree char *command = NULL;
  g_autoptr (GError) error = NULL;
  va_list arguments;
  gint status;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  (void) g_spawn_command_line_sync (command, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, &error))
    g_error ("%s: %s", command, error->message);
}

/* A root like that of the image, as name 7 of the share, with the ids of the pod. */
static Host *
new_host (void)
{
  Host *host = host_new ();

  run ("sh -c 'mkdir %s/share && cp -a %s/tree %s/share/7 && chown -R %d:%d %s/share/7'", host->dir,
       host->dir, host->dir, HOST_FIRST_UID, HOST_FIRST_UID, host->dir);
  return host;
}

static void
end_host (Host *host)
{
  run ("sh -c 'for m in %s/run/share %s/run/pod/*; do ! mountpoint -q $m || umount -l $m; done'",
       host->dir, host->dir);
  host_free (host);
}

static void
stop (Host *host, const char *id)
{
  g_assert_cmpint (host_signal (host, id, 0, SIGKILL, DN_SIGNAL_ALL), ==, 0);
  (void) host_await_exited (host, id, 0);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, id), ==, 0);
}

static void
start (Host *host, const HostContainer *container, guint *ret_pid)
{
  g_assert_cmpint (host_create (host, container), ==, 0);
  g_assert_cmpint (host_start (host, container->id), ==, 0);
  *ret_pid = host->started.pid;
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

static void
test_containers_of_a_pod_share_what_a_pod_shares (void)
{
  static const char *const shared[] = { "user", "ipc", "uts", "net" };
  static const char *const own[] = { "mnt", "pid", "cgroup" };
  Host *host = new_host ();
  const HostContainer first = { .id = FIRST, .args = ARGS ("sleep"), .annotations = POD };
  const HostContainer second = { .id = SECOND, .args = ARGS ("sleep"), .annotations = POD };
  guint one, other;

  start (host, &first, &one);
  start (host, &second, &other);
  for (gsize i = 0; i < G_N_ELEMENTS (shared); i++)
    {
      g_assert_cmpuint (space (one, shared[i]), ==, space (other, shared[i]));
      g_assert_cmpuint (space (one, shared[i]), !=, space ((guint) getpid (), shared[i]));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (own); i++)
    g_assert_cmpuint (space (one, own[i]), !=, space (other, own[i]));
  /* Read back from the kernel before it ran, as of any container. */
  g_assert_cmpuint (host->started.namespaces, ==, 0x7f);
  g_assert_cmpuint (host->started.outer_uid_of_root, ==, HOST_FIRST_UID);
  g_assert_cmpuint (host->started.no_new_privs, ==, 1);
  stop (host, FIRST);
  stop (host, SECOND);
  end_host (host);
}

static void
test_a_pod_outlives_its_first_container (void)
{
  Host *host = new_host ();
  const HostContainer first = { .id = FIRST, .args = ARGS ("sleep"), .annotations = POD };
  const HostContainer second = { .id = SECOND, .args = ARGS ("sleep"), .annotations = POD };
  guint one, other;
  ino_t net, user;

  start (host, &first, &one);
  net = space (one, "net");
  user = space (one, "user");
  stop (host, FIRST);
  start (host, &second, &other);
  g_assert_cmpuint (space (other, "net"), ==, net);
  g_assert_cmpuint (space (other, "user"), ==, user);
  stop (host, SECOND);
  end_host (host);
}

static void
test_other_containers_are_no_part_of_the_pod (void)
{
  Host *host = new_host ();
  const HostContainer first = { .id = FIRST, .args = ARGS ("sleep"), .annotations = POD };
  const HostContainer second
      = { .id = SECOND, .args = ARGS ("sleep"), .first_uid = HOST_FIRST_UID + 65536 };
  guint one, other;

  start (host, &first, &one);
  start (host, &second, &other);
  g_assert_cmpuint (space (one, "net"), !=, space (other, "net"));
  g_assert_cmpuint (space (one, "user"), !=, space (other, "user"));
  stop (host, FIRST);
  stop (host, SECOND);
  end_host (host);
}

static void
test_a_root_comes_from_the_share_and_is_written (void)
{
  Host *host = new_host ();
  const HostContainer container = { .id = FIRST,
                                    .args = ARGS ("put", "/data/new", "hello"),
                                    .process = AS_ROOT,
                                    .root = WRITABLE,
                                    .annotations = OF_SHARE,
                                    .is_of_share = TRUE };
  g_autofree char *path = g_build_filename (host->dir, "share/7/data/new", NULL);
  g_autofree char *text = NULL;
  struct stat status;

  g_assert_cmpuint (host_run (host, &container, NULL), ==, 0);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "hello");
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_uid, ==, HOST_FIRST_UID);
  end_host (host);
}

static void
test_a_read_only_root_of_the_share_is_one (void)
{
  Host *host = new_host ();
  const HostContainer container = { .id = FIRST,
                                    .args = ARGS ("put", "/data/new", "hello"),
                                    .process = AS_ROOT,
                                    .annotations = OF_SHARE,
                                    .is_of_share = TRUE };
  g_autofree char *path = g_build_filename (host->dir, "share/7/data/new", NULL);

  g_assert_cmpuint (host_run (host, &container, NULL), !=, 0);
  g_assert_cmpint (g_access (path, F_OK), <, 0);
  end_host (host);
}

static void
test_memory_of_the_pod_is_seen_by_all_of_it (void)
{
  Host *host = new_host ();
  const HostContainer writer = {
    .id = FIRST, .args = ARGS ("put", "/data/note", "to you"), .annotations = POD, .mounts = MEMORY
  };
  const HostContainer reader
      = { .id = SECOND, .args = ARGS ("cat", "/data/note"), .annotations = POD, .mounts = MEMORY };
  g_autofree char *output = NULL;

  g_assert_cmpuint (host_run (host, &writer, NULL), ==, 0);
  g_assert_cmpuint (host_run (host, &reader, &output), ==, 0);
  g_assert_cmpstr (output, ==, "to you");
  end_host (host);
}

/* A part of it, for which directories are made like the top one; and its size is the guest's. */
static void
test_a_container_has_a_part_of_the_pods_memory (void)
{
  Host *host = new_host ();
  const HostContainer writer = { .id = FIRST,
                                 .args = ARGS ("put", "/part/note", "to you"),
                                 .annotations = POD,
                                 .mounts = PART ("\"sub=a b/c\",\"mode=2777\",\"gid=7\"") };
  const HostContainer reader = {
    .id = SECOND, .args = ARGS ("cat", "/data/a b/c/note"), .annotations = POD, .mounts = MEMORY
  };
  g_autofree char *output = NULL, *path = NULL;
  struct stat status;

  g_assert_cmpuint (host_run (host, &writer, NULL), ==, 0);
  g_assert_cmpuint (host_run (host, &reader, &output), ==, 0);
  g_assert_cmpstr (output, ==, "to you");
  path = g_strdup_printf ("%s/run/pod/dir-1/a b/c", host->dir);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_uid, ==, HOST_FIRST_UID);
  g_assert_cmpuint (status.st_gid, ==, HOST_FIRST_UID + 7);
  g_assert_cmpuint (status.st_mode & 07777, ==, 02777);
  end_host (host);
}

static guint64
size_of (Host *host, const char *options)
{
  const HostContainer container
      = { .id = FIRST, .args = ARGS ("exit", "0"), .annotations = POD, .mounts = options };
  g_autofree char *path = g_strdup_printf ("%s/run/pod/dir-1", host->dir);
  struct statvfs system;

  g_assert_cmpuint (host_run (host, &container, NULL), ==, 0);
  g_assert_cmpint (statvfs (path, &system), ==, 0);
  return (guint64) system.f_blocks * system.f_frsize;
}

static void
test_the_pods_memory_is_as_large_as_asked_for_and_no_more_than_there_is (void)
{
  Host *host = new_host ();
  struct sysinfo info;

  g_assert_cmpuint (size_of (host, PART ("\"size=1048576\"")), ==, 1024 * 1024);
  end_host (host);
  host = new_host ();
  g_assert_cmpint (sysinfo (&info), ==, 0);
  g_assert_cmpuint (size_of (host, PART ("\"size=9223372036854771712\"")), <,
                    (guint64) info.totalram * info.mem_unit / 10 * 6);
  end_host (host);
}

/* A container that makes a link of a directory leads another one nowhere. */
static void
test_no_link_leads_out_of_the_pods_memory (void)
{
  Host *host = new_host ();
  const HostContainer first
      = { .id = FIRST, .args = ARGS ("exit", "0"), .annotations = POD, .mounts = MEMORY };
  const HostContainer second = {
    .id = SECOND, .args = ARGS ("exit", "0"), .annotations = POD, .mounts = PART ("\"sub=a/b\"")
  };

  g_assert_cmpuint (host_run (host, &first, NULL), ==, 0);
  run ("ln -s /etc %s/run/pod/dir-1/a", host->dir);
  g_assert_cmpint (host_create (host, &second), <, 0);
  g_assert_nonnull (strstr (host->reply.message, "/part"));
  g_assert_false (g_file_test ("/etc/b", G_FILE_TEST_EXISTS));
  end_host (host);
}

static void
test_what_is_none_is_refused_in_words (void)
{
  static const struct
  {
    const char *annotations;
    const char *mounts;
    gboolean is_of_share;
    const char *words;
  } bad[] = {
    { POD ",\"org.danchi.root-share\":\"x\"", NULL, TRUE, "number" },
    { POD ",\"org.danchi.root-share\":\"-1\"", NULL, TRUE, "number" },
    { OF_SHARE, NULL, FALSE, "of a disk or of the share" },
    { POD, NULL, TRUE, "of a disk or of the share" },
    { POD ",\"org.danchi.root-share\":\"8\"", NULL, TRUE, "share" },
    { POD, ",{\"destination\":\"/data\",\"type\":\"pod\",\"source\":\"../x\"}", FALSE, "name" },
    { POD, ",{\"destination\":\"/data\",\"type\":\"pod\"}", FALSE, "name" },
    { POD, PART ("\"sub=/etc\""), FALSE, "relative" },
    { POD, PART ("\"sub=\""), FALSE, "relative" },
    { POD, PART ("\"sub=a/../../..\""), FALSE, "/part" },
  };
  Host *host = new_host ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const HostContainer container = { .id = FIRST,
                                        .args = ARGS ("sleep"),
                                        .annotations = bad[i].annotations,
                                        .mounts = bad[i].mounts,
                                        .is_of_share = bad[i].is_of_share };

      g_assert_cmpint (host_create (host, &container), <, 0);
      if (strstr (host->reply.message, bad[i].words) == NULL)
        g_error ("%zu: '%s'", i, host->reply.message);
    }
  end_host (host);
}

static void
test_a_pod_has_one_range_of_ids (void)
{
  Host *host = new_host ();
  const HostContainer first = { .id = FIRST, .args = ARGS ("sleep"), .annotations = POD };
  const HostContainer second = {
    .id = SECOND, .args = ARGS ("sleep"), .annotations = POD, .first_uid = HOST_FIRST_UID + 65536
  };
  guint one;

  start (host, &first, &one);
  g_assert_cmpint (host_create (host, &second), <, 0);
  g_assert_nonnull (strstr (host->reply.message, "not the pod's"));
  stop (host, FIRST);
  end_host (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pods/containers of a pod share what a pod shares",
                   test_containers_of_a_pod_share_what_a_pod_shares);
  g_test_add_func ("/pods/a pod outlives its first container",
                   test_a_pod_outlives_its_first_container);
  g_test_add_func ("/pods/other containers are no part of the pod",
                   test_other_containers_are_no_part_of_the_pod);
  g_test_add_func ("/pods/a root comes from the share and is written",
                   test_a_root_comes_from_the_share_and_is_written);
  g_test_add_func ("/pods/a read-only root of the share is one",
                   test_a_read_only_root_of_the_share_is_one);
  g_test_add_func ("/pods/memory of the pod is seen by all of it",
                   test_memory_of_the_pod_is_seen_by_all_of_it);
  g_test_add_func ("/pods/a container has a part of the pods memory",
                   test_a_container_has_a_part_of_the_pods_memory);
  g_test_add_func ("/pods/the pods memory is as large as asked for and no more than there is",
                   test_the_pods_memory_is_as_large_as_asked_for_and_no_more_than_there_is);
  g_test_add_func ("/pods/no link leads out of the pods memory",
                   test_no_link_leads_out_of_the_pods_memory);
  g_test_add_func ("/pods/what is none is refused in words", test_what_is_none_is_refused_in_words);
  g_test_add_func ("/pods/a pod has one range of ids", test_a_pod_has_one_range_of_ids);
  return g_test_run ();
}
