/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c tests/agent/agent-volume.c protocol/*.c */
/* Needs: root */
/* Volumes: the real agent, with a file for a disk. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent-volume.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define MIB (1024 * 1024)
/* As large as a new file system is: growing takes CAP_SYS_RESOURCE, which a machine that builds
 * Danchi need not have; guests do (tests/e2e). */
#define VOLUME_BYTES (24 * MIB)
#define MOUNT(options)                                                                             \
  ",{\"destination\":\"/tmp/v\",\"type\":\"volume\",\"source\":\"v1\",\"options\":[" options "]}"
#define AS_ROOT ",\"user\":{\"uid\":0,\"gid\":0}"

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

static char *
file_of (Host *host)
{
  return g_build_filename (host->dir, "volume.img", NULL);
}

static Host *
new_host (goffset bytes)
{
  Host *host = host_new ();
  g_autofree char *path = file_of (host);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (ftruncate (fd, bytes), ==, 0);
  (void) close (fd);
  run ("images/scratch.sh volume %s/volume.ext4", host->dir);
  return host;
}

static gint32
open_volume (Host *host, guint32 flags)
{
  return host_open_volume (host, "v1", "volume", "data", flags);
}

static gint32
close_volume (Host *host)
{
  return host_close_volume (host, "v1");
}

static char *
run_on (Host *host, const char *id, const char *const *args, const char *mounts,
        const char *process, guint32 first_uid)
{
  const HostContainer container
      = { .id = id, .args = args, .mounts = mounts, .process = process, .first_uid = first_uid };
  char *output = NULL;

  (void) host_run (host, &container, &output);
  return output;
}

/* The guest ends at once, with everything under way: what its disk holds at this moment is what the
 * next one gets.  (transfer full) */
static Host *
die_and_come_back (Host *host)
{
  g_autofree char *kept = g_strdup_printf ("%s.kept", host->dir);
  Host *next;

  run ("sh -c 'mkdir %s; cp --sparse=always %s/volume.img %s/volume.ext4 %s/'", kept, host->dir,
       host->dir, kept);
  (void) host_simple (host, DN_MSG_DELETE, "a2");
  (void) close_volume (host);
  host_free (host);
  next = host_new ();
  run ("sh -c 'mv %s/* %s/; rmdir %s'", kept, next->dir, kept);
  return next;
}

static void
test_what_one_run_writes_another_reads_in_another_range_of_ids (void)
{
  Host *host = new_host (VOLUME_BYTES);
  g_autofree char *made = NULL, *seen = NULL, *more = NULL, *denied = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  /* Root gives the top directory to all. */
  made = run_on (host, "a1", ARGS ("write", "/tmp/v/of-root"), MOUNT (""), AS_ROOT, 0);
  g_assert_cmpstr (made, ==, "/tmp/v/of-root: written\n");
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (open_volume (host, 0), ==, 0);
  seen = run_on (host, "a2", ARGS ("look", "/tmp/v", "/tmp/v/of-root"), MOUNT (""), NULL, 700000);
  g_assert_cmpstr (seen, ==, "/tmp/v 0:493 of-root \n/tmp/v/of-root 0:420 x");
  denied = run_on (host, "a3", ARGS ("write", "/tmp/v/other"), MOUNT (""), NULL, 700000);
  g_assert_cmpstr (denied, ==, "/tmp/v/other: Permission denied\n");
  more = run_on (host, "a4", ARGS ("write", "/tmp/v/of-root"), MOUNT (""), AS_ROOT, 900000);
  g_assert_cmpstr (more, ==, "/tmp/v/of-root: written\n");
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_an_empty_volume_gets_what_the_image_has_there (void)
{
  Host *host = new_host (VOLUME_BYTES);
  const char *mount = ",{\"destination\":\"/home/app\",\"type\":\"volume\",\"source\":\"v1\","
                      "\"options\":[\"tmpcopyup\"]}";
  const char *data = ",{\"destination\":\"/data\",\"type\":\"volume\",\"source\":\"v1\","
                     "\"options\":[\"tmpcopyup\",\"ro\"]}";
  const char *plain = ",{\"destination\":\"/data\",\"type\":\"volume\",\"source\":\"v1\"}";
  g_autofree char *empty = NULL, *filled = NULL, *other = NULL, *readonly = NULL, *again = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  /* Without the option nothing is copied. */
  empty = run_on (host, "a1", ARGS ("look", "/data"), plain, NULL, 0);
  g_assert_cmpstr (empty, ==, "/data 0:493 \n");
  filled = run_on (host, "a2", ARGS ("look", "/data", "/data/file"), data, NULL, 0);
  g_assert_cmpstr (filled, ==, "/data 0:493 file top up \n/data/file 0:420 data\n");
  readonly = run_on (host, "a3", ARGS ("write", "/data/x"), data, AS_ROOT, 0);
  g_assert_cmpstr (readonly, ==, "/data/x: Read-only file system\n");
  /* It holds something: nothing is copied any more, from wherever. */
  other = run_on (host, "a4", ARGS ("look", "/home/app"), mount, NULL, 0);
  g_assert_cmpstr (other, ==, "/home/app 0:493 file top up \n");
  sync ();
  host = die_and_come_back (host);
  g_assert_cmpint (open_volume (host, 0), ==, 0);
  again = run_on (host, "a5", ARGS ("look", "/data/file"), plain, NULL, 0);
  g_assert_cmpstr (again, ==, "/data/file 0:420 data\n");
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_several_containers_share_it (void)
{
  Host *host = new_host (VOLUME_BYTES);
  const HostContainer sleeper
      = { .id = "a1", .args = ARGS ("sleep"), .mounts = MOUNT (""), .process = AS_ROOT };
  g_autofree char *written = NULL, *refused = NULL;
  const char *const look[] = { "probe", "look", "/tmp/v/x", NULL };
  HostStream *stream;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  g_assert_cmpint (host_create (host, &sleeper), ==, 0);
  g_assert_cmpint (host_start (host, "a1"), ==, 0);
  g_assert_cmpint (open_volume (host, 0), ==, 0);
  g_assert_cmpint (open_volume (host, DN_VOLUME_READONLY), ==, -EBUSY);
  written = run_on (host, "a2", ARGS ("write", "/tmp/v/x"), MOUNT (""), AS_ROOT, 500000);
  refused = run_on (host, "a3", ARGS ("write", "/tmp/v/y"), MOUNT ("\"ro\""), AS_ROOT, 600000);
  g_assert_cmpstr (written, ==, "/tmp/v/x: written\n");
  g_assert_cmpstr (refused, ==, "/tmp/v/y: Read-only file system\n");
  g_assert_cmpint (host_exec (host, "a1", 1, 0, look, NULL), ==, 0);
  g_assert_true (host_await_eof (host, host_streams ("a1", 1) + DN_STREAM_STDOUT));
  stream = host_stream (host, host_streams ("a1", 1) + DN_STREAM_STDOUT);
  g_assert_cmpmem (stream->bytes->data, stream->bytes->len, "/tmp/v/x 0:420 x", 16);
  /* As long as one has it, it stays. */
  g_assert_cmpint (close_volume (host), ==, -EBUSY);
  g_assert_cmpint (host_simple (host, DN_MSG_DELETE, "a1"), ==, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_flags_are_those_that_were_asked_for (void)
{
  Host *host = new_host (VOLUME_BYTES);
  g_autofree char *loose = NULL, *tight = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  loose = run_on (host, "a1", ARGS ("cat", "/proc/self/mountinfo"), MOUNT ("\"suid\",\"dev\""),
                  NULL, 0);
  tight = run_on (host, "a2", ARGS ("cat", "/proc/self/mountinfo"), MOUNT ("\"noexec\",\"ro\""),
                  NULL, 0);
  g_assert_nonnull (strstr (loose, " /data /tmp/v rw,nosuid,nodev,relatime,idmapped - ext4 "));
  g_assert_nonnull (
      strstr (tight, " /data /tmp/v ro,nosuid,nodev,noexec,relatime,idmapped - ext4 "));
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

/* Writes zeroes over the first bytes of the disk, as if a formatting had been broken off before its
 * superblock. */
static void
wipe_start (Host *host, goffset from, gsize size, guint8 value)
{
  g_autofree char *path = file_of (host);
  g_autofree guint8 *bytes = g_malloc (size);
  int fd = open (path, O_RDWR | O_CLOEXEC);

  memset (bytes, value, size);
  g_assert_cmpint (pwrite (fd, bytes, size, from), ==, (gssize) size);
  g_assert_cmpint (fsync (fd), ==, 0);
  (void) close (fd);
}

static void
test_a_formatting_that_was_broken_off_is_done_again (void)
{
  Host *host = new_host (VOLUME_BYTES);
  g_autofree char *written = NULL, *seen = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  /* All of it but the superblock, which is written last: to nobody a file system. */
  wipe_start (host, 0, 4096, 0);
  g_assert_cmpint (open_volume (host, 0), ==, -EUCLEAN);
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  written = run_on (host, "a1", ARGS ("write", "/tmp/v/x"), MOUNT (""), AS_ROOT, 0);
  g_assert_cmpstr (written, ==, "/tmp/v/x: written\n");
  /* The host was killed before it noted that the disk is formatted. */
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  seen = run_on (host, "a2", ARGS ("look", "/tmp/v"), MOUNT (""), NULL, 0);
  g_assert_cmpstr (seen, ==, "/tmp/v 0:493 x \n");
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_what_is_damaged_is_never_formatted (void)
{
  Host *host = new_host (VOLUME_BYTES);
  g_autofree char *written = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  written = run_on (host, "a1", ARGS ("write", "/tmp/v/x"), MOUNT (""), AS_ROOT, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  /* No superblock, but bytes: also a host that takes it for new does not get it formatted. */
  wipe_start (host, 1024, 1024, 0xa5);
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, -EUCLEAN);
  g_assert_nonnull (strstr (host->reply.message, "volume 'data'"));
  g_assert_nonnull (strstr (host->reply.message, "damaged"));
  g_assert_cmpint (open_volume (host, 0), ==, -EUCLEAN);
  host_free (host);
}

static void
test_a_broken_superblock_is_an_error_that_names_the_volume (void)
{
  Host *host = new_host (VOLUME_BYTES);

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  wipe_start (host, 1024 + 0x18, 16, 0xff); /* block size and what follows; the magic stays */
  g_assert_cmpint (open_volume (host, 0), ==, -EUCLEAN);
  g_assert_nonnull (strstr (host->reply.message, "volume 'data': its file system is damaged"));
  host_free (host);
}

static void
test_a_volume_of_a_guest_that_died_is_whole (void)
{
  Host *host = new_host (VOLUME_BYTES);
  const HostContainer sleeper
      = { .id = "a2", .args = ARGS ("sleep"), .mounts = MOUNT (""), .process = AS_ROOT };
  g_autofree char *written = NULL, *seen = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  written = run_on (host, "a1", ARGS ("write", "/tmp/v/x"), MOUNT (""), AS_ROOT, 0);
  g_assert_cmpint (host_create (host, &sleeper), ==, 0);
  g_assert_cmpint (host_start (host, "a2"), ==, 0);
  sync ();
  host = die_and_come_back (host);
  /* Its journal is replayed, which a disk that cannot be written does not allow. */
  g_assert_cmpint (open_volume (host, DN_VOLUME_READONLY), ==, -EROFS);
  g_assert_nonnull (strstr (host->reply.message, "mounted writable once"));
  g_assert_cmpint (open_volume (host, 0), ==, 0);
  seen = run_on (host, "a3", ARGS ("look", "/tmp/v/x"), MOUNT (""), NULL, 0);
  g_assert_cmpstr (seen, ==, "/tmp/v/x 0:420 x");
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (open_volume (host, DN_VOLUME_READONLY), ==, 0);
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_a_filling_that_was_broken_off_leaves_nothing (void)
{
  Host *host = new_host (VOLUME_BYTES);
  const char *data = ",{\"destination\":\"/data\",\"type\":\"volume\",\"source\":\"v1\","
                     "\"options\":[\"tmpcopyup\"]}";
  g_autofree char *target = g_strdup_printf ("%s/run/volumes/v1", host->dir);
  g_autofree char *seen = NULL;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  /* What a guest leaves that dies in the middle. */
  run ("nsenter -t %d -m sh -c 'mkdir -p %s/new/deep/er; echo half > %s/new/deep/er/file'",
       (int) host->agent_pid, target, target);
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (open_volume (host, 0), ==, 0);
  run ("nsenter -t %d -m test ! -e %s/new", (int) host->agent_pid, target);
  /* ... or a container of this guest that could not be made. */
  run ("nsenter -t %d -m sh -c 'mkdir -p %s/new/deep; echo half > %s/new/deep/file'",
       (int) host->agent_pid, target, target);
  seen = run_on (host, "a1", ARGS ("look", "/data"), data, NULL, 0);
  g_assert_cmpstr (seen, ==, "/data 0:493 file top up \n");
  g_assert_cmpint (close_volume (host), ==, 0);
  host_free (host);
}

static void
test_it_gives_room_back (void)
{
  Host *host = new_host (VOLUME_BYTES);
  g_autofree char *path = file_of (host);
  g_autofree char *target = g_strdup_printf ("%s/run/volumes/v1", host->dir);
  struct stat before, full, after;

  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, 0);
  run ("sync");
  g_assert_cmpint (stat (path, &before), ==, 0);
  run ("nsenter -t %d -m sh -c 'dd if=/dev/urandom of=%s/data/x bs=1M count=8 2>/dev/null; sync'",
       (int) host->agent_pid, target);
  g_assert_cmpint (stat (path, &full), ==, 0);
  run ("nsenter -t %d -m sh -c 'rm %s/data/x; sync'", (int) host->agent_pid, target);
  g_assert_cmpint (close_volume (host), ==, 0);
  g_assert_cmpint (stat (path, &after), ==, 0);
  g_test_message ("host's blocks: %ld KiB new, %ld KiB with 8 MiB, %ld KiB after their removal",
                  (long) before.st_blocks / 2, (long) full.st_blocks / 2,
                  (long) after.st_blocks / 2);
  g_assert_cmpint (full.st_blocks - before.st_blocks, >=, 8 * MIB / 512);
  g_assert_cmpint (after.st_blocks - before.st_blocks, <, MIB / 512);
  host_free (host);
}

static void
test_what_cannot_be_is_refused (void)
{
  Host *host = new_host (4 * MIB);
  const HostContainer container = { .id = "a1", .args = ARGS ("look", "/"), .mounts = MOUNT ("") };
  const char *const mounts[] = {
    ",{\"destination\":\"/m\",\"type\":\"volume\"}",
    ",{\"destination\":\"/m\",\"type\":\"volume\",\"source\":7}",
    ",{\"destination\":\"/m\",\"type\":\"volume\",\"source\":\"v1\",\"options\":[\"size=1\"]}",
  };
  DnMsgVolumeOpen bad = { .volume = "../x", .disk = "volume", .name = "data" };
  guint8 payload[256];

  g_assert_cmpint (host_create (host, &container), ==, -EINVAL); /* it is not open */
  for (gsize i = 0; i < G_N_ELEMENTS (mounts); i++)
    {
      const HostContainer one = { .id = "b1", .args = ARGS ("look", "/"), .mounts = mounts[i] };

      g_assert_cmpint (host_create (host, &one), ==, -EINVAL);
    }
  /* Too small for a file system, and never written to. */
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK), ==, -EINVAL);
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK | DN_VOLUME_READONLY), ==, -EROFS);
  /* Without its key. */
  g_assert_cmpint (open_volume (host, DN_VOLUME_NEW_DISK | DN_VOLUME_ENCRYPTED), ==, -ENOKEY);
  bad.request = host_next_request (host);
  host_send (host, DN_MSG_VOLUME_OPEN, 0, payload,
             (gsize) dn_msg_volume_open_pack (&bad, payload, sizeof payload));
  g_assert_cmpint (host_await_reply (host, bad.request), ==, -EINVAL);
  host_free (host);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/volumes/what one run writes another reads in another range of ids",
                   test_what_one_run_writes_another_reads_in_another_range_of_ids);
  g_test_add_func ("/volumes/an empty volume gets what the image has there",
                   test_an_empty_volume_gets_what_the_image_has_there);
  g_test_add_func ("/volumes/several containers share it", test_several_containers_share_it);
  g_test_add_func ("/volumes/flags are those that were asked for",
                   test_flags_are_those_that_were_asked_for);
  g_test_add_func ("/volumes/a formatting that was broken off is done again",
                   test_a_formatting_that_was_broken_off_is_done_again);
  g_test_add_func ("/volumes/what is damaged is never formatted",
                   test_what_is_damaged_is_never_formatted);
  g_test_add_func ("/volumes/a broken superblock is an error that names the volume",
                   test_a_broken_superblock_is_an_error_that_names_the_volume);
  g_test_add_func ("/volumes/a volume of a guest that died is whole",
                   test_a_volume_of_a_guest_that_died_is_whole);
  g_test_add_func ("/volumes/a filling that was broken off leaves nothing",
                   test_a_filling_that_was_broken_off_leaves_nothing);
  g_test_add_func ("/volumes/it gives room back", test_it_gives_room_back);
  g_test_add_func ("/volumes/what cannot be is refused", test_what_cannot_be_is_refused);
  return g_test_run ();
}
