/* SPDX-License-Identifier: Apache-2.0 */
/* Links: tests/agent/agent-host.c protocol/*.c */
/* Roots of several layers, in the real agent.  No hash tree checks them here, since a machine that
 * builds Danchi need not have the device mapper; guests do (tests/e2e). */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent-host.h"

#define ARGS(...) ((const char *const[]){ "probe", __VA_ARGS__, NULL })
#define BLOCK 4096
#define LAYERS_MAX DN_DISK_LAYERS_MAX

/* What a test makes before it starts a container: trees, and the disk out of them. */
typedef struct
{
  Host *host;
  DnMsgDiskLayer layers[LAYERS_MAX + 1];
  guint count;
  guint64 blocks;
} Disk;

static char *
path_in (Disk *disk, guint layer, const char *name)
{
  g_autofree char *tree = g_strdup_printf ("%s/tree-%u", disk->host->dir, layer);

  g_assert_cmpint (g_mkdir_with_parents (tree, 0755), ==, 0);
  return g_build_filename (tree, name, NULL);
}

static void
add_file (Disk *disk, guint layer, const char *name, const char *content)
{
  g_autofree char *path = path_in (disk, layer, name);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, content, -1, NULL));
}

static void
add_whiteout (Disk *disk, guint layer, const char *name)
{
  g_autofree char *path = path_in (disk, layer, name);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_cmpint (mknod (path, S_IFCHR, makedev (0, 0)), ==, 0);
}

static void
add_opaque (Disk *disk, guint layer, const char *name)
{
  g_autofree char *path = path_in (disk, layer, name);

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
  g_assert_cmpint (setxattr (path, "trusted.overlay.opaque", "y", 1, 0), ==, 0);
}

static guint64
count_hash_blocks (guint64 blocks)
{
  guint64 count = 0;

  for (; blocks > 1; count += blocks)
    blocks = (blocks + 127) / 128;
  return count;
}

/* Appends a layer's tree as an EROFS image, with room for a hash tree. */
static void
add_layer (Disk *disk)
{
  g_autofree char *command
      = g_strdup_printf ("sh -c 'cd %s && { [ -d tree-%u ] || mkdir tree-%u; } && rm -f one.img && "
                         "mkfs.erofs -T0 --quiet one.img tree-%u >/dev/null && cp one.img "
                         "layer.img && truncate -s %%%d layer.img'",
                         disk->host->dir, disk->count, disk->count, disk->count, BLOCK);
  g_autofree char *layer = g_build_filename (disk->host->dir, "layer.img", NULL);
  g_autofree char *append = NULL;
  gint status = -1;
  struct stat file;
  DnMsgDiskLayer *message = &disk->layers[disk->count];

  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (stat (layer, &file), ==, 0);
  *message = (DnMsgDiskLayer){ .start_block = disk->blocks,
                               .data_blocks = (guint64) file.st_size / BLOCK };
  message->hash_blocks = count_hash_blocks (message->data_blocks);
  disk->blocks += message->data_blocks + message->hash_blocks;
  append = g_strdup_printf (
      "sh -c 'cd %s && cat layer.img >> layers.img && truncate -s %" G_GUINT64_FORMAT
      " layers.img'",
      disk->host->dir, disk->blocks * BLOCK);
  g_assert_true (g_spawn_command_line_sync (append, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  disk->count++;
}

/* The lowest layer: the probe and what a container mounts on. */
static Disk *
new_disk (void)
{
  Disk *disk = g_new0 (Disk, 1);
  g_autofree char *command = NULL;
  const char *build = g_getenv ("DN_TEST_BUILD");
  gint status = -1;

  disk->host = host_new ();
  command = g_strdup_printf ("sh -c 'd=%s/tree-0; mkdir $d && (cd $d && mkdir bin etc proc dev sys "
                             "tmp) && cp %s/tests/agent/probe $d/bin/probe'",
                             disk->host->dir, build != NULL ? build : "build");
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  return disk;
}

static void
free_disk (Disk *disk)
{
  host_free (disk->host);
  g_free (disk);
}

static HostContainer
container_on (const Disk *disk, const char *id, const char *const *args)
{
  return (
      HostContainer){ .id = id, .args = args, .layers = disk->layers, .layer_count = disk->count };
}

static char *
run_on (Disk *disk, const char *id, const char *root, const char *const *args)
{
  HostContainer container = container_on (disk, id, args);
  char *output = NULL;

  container.root = root;
  container.process = ",\"user\":{\"uid\":0}";
  g_assert_cmpuint (host_run (disk->host, &container, &output), ==, 0);
  return output;
}

static void
test_the_upper_layer_hides_and_replaces (void)
{
  Disk *disk = new_disk ();
  g_autofree char *output = NULL;
  g_autofree char *written = NULL;

  add_file (disk, 0, "data/below", "below\n");
  add_file (disk, 0, "data/replaced", "old\n");
  add_file (disk, 0, "data/gone", "gone\n");
  add_file (disk, 0, "closed/old", "old\n");
  add_layer (disk);
  add_file (disk, 1, "data/replaced", "new\n");
  add_file (disk, 1, "data/middle", "middle\n");
  add_whiteout (disk, 1, "data/gone");
  add_opaque (disk, 1, "closed");
  add_file (disk, 1, "closed/new", "new\n");
  add_layer (disk);
  add_file (disk, 2, "data/gone", "back\n");
  add_whiteout (disk, 2, "data/middle");
  add_file (disk, 2, "top", "top\n");
  add_layer (disk);

  output = run_on (disk, "a1", NULL,
                   ARGS ("look", "/data", "/data/below", "/data/replaced", "/data/gone",
                         "/data/middle", "/closed", "/closed/old", "/top"));
  g_assert_cmpstr (output, ==,
                   "/data 0:493 below gone replaced \n"
                   "/data/below 0:420 below\n"
                   "/data/replaced 0:420 new\n"
                   "/data/gone 0:420 back\n"
                   "/data/middle: No such file or directory\n"
                   "/closed 0:493 new \n"
                   "/closed/old: No such file or directory\n"
                   "/top 0:420 top\n");
  written = run_on (disk, "a2", NULL, ARGS ("write", "/data/file"));
  g_assert_cmpstr (written, ==, "/data/file: Read-only file system\n");
  free_disk (disk);
}

static void
test_a_writable_root_of_layers_is_forgotten (void)
{
  Disk *disk = new_disk ();
  g_autofree char *written = NULL;
  g_autofree char *again = NULL;

  add_file (disk, 0, "data/file", "image\n");
  add_layer (disk);
  add_whiteout (disk, 1, "data/file");
  add_layer (disk);
  written = run_on (disk, "a1", "{\"readonly\":false}", ARGS ("write", "/data/file"));
  g_assert_cmpstr (written, ==, "/data/file: written\n");
  again = run_on (disk, "a2", "{\"readonly\":false}", ARGS ("look", "/data"));
  g_assert_cmpstr (again, ==, "/data 0:493 \n");
  free_disk (disk);
}

static void
test_mount_points_are_made_over_layers (void)
{
  Disk *disk = new_disk ();
  g_autofree char *output = NULL;
  HostContainer container;

  add_layer (disk);
  add_whiteout (disk, 1, "sys");
  add_layer (disk);
  container = container_on (disk, "a1", ARGS ("write", "/etc/file"));
  container.process = ",\"user\":{\"uid\":0}";
  g_assert_cmpuint (host_run (disk->host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==, "/etc/file: Read-only file system\n");
  free_disk (disk);
}

static void
test_as_many_layers_as_a_disk_may_have (void)
{
  Disk *disk = new_disk ();
  g_autofree char *output = NULL;
  g_autofree char *written = NULL;

  add_layer (disk);
  /* One image often: what is in it does not matter here. */
  add_file (disk, 1, "all/1", "1\n");
  add_layer (disk);
  while (disk->count < LAYERS_MAX)
    {
      disk->layers[disk->count] = disk->layers[1];
      disk->layers[disk->count].start_block = disk->blocks;
      disk->blocks += disk->layers[1].data_blocks + disk->layers[1].hash_blocks;
      disk->count++;
    }
  {
    g_autofree char *command = g_strdup_printf (
        "sh -c 'cd %s && truncate -s %%%d layer.img && for i in $(seq %d); do dd if=layers.img "
        "bs=%d skip=%" G_GUINT64_FORMAT " count=%" G_GUINT64_FORMAT " status=none >> more.img; "
        "done; cat more.img >> layers.img'",
        disk->host->dir, BLOCK, LAYERS_MAX - 2, BLOCK, disk->layers[1].start_block,
        disk->layers[1].data_blocks + disk->layers[1].hash_blocks);
    gint status = -1;

    g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, &status, NULL));
    g_assert_cmpint (status, ==, 0);
  }
  output = run_on (disk, "a1", NULL, ARGS ("look", "/all/1"));
  g_assert_cmpstr (output, ==, "/all/1 0:420 1\n");
  written = run_on (disk, "a2", "{\"readonly\":false}", ARGS ("write", "/all/2"));
  g_assert_cmpstr (written, ==, "/all/2: written\n");
  free_disk (disk);
}

static void
assert_refused (Disk *disk, gint32 status, const char *words)
{
  HostContainer container = container_on (disk, "b1", ARGS ("look", "/"));

  g_assert_cmpint (host_create (disk->host, &container), ==, status);
  g_assert_nonnull (strstr (disk->host->reply.message, words));
}

static void
test_layers_that_do_not_fit_are_refused (void)
{
  Disk *disk = new_disk ();
  g_autofree char *output = NULL;
  HostContainer sleeper;

  add_layer (disk);
  add_layer (disk);
  disk->layers[1].start_block += 1;
  assert_refused (disk, -EINVAL, "go beyond its end");
  disk->layers[1].start_block -= 1;
  /* Shared by containers that say the same of it. */
  sleeper = container_on (disk, "a1", ARGS ("sleep"));
  g_assert_cmpint (host_create (disk->host, &sleeper), ==, 0);
  output = run_on (disk, "a2", NULL, ARGS ("look", "/etc"));
  g_assert_cmpstr (output, ==, "/etc 0:493 \n");
  disk->layers[1].root_hash[0] ^= 1;
  assert_refused (disk, -EINVAL, "other layers");
  disk->count = 1;
  assert_refused (disk, -EINVAL, "other layers");
  g_assert_cmpint (host_simple (disk->host, DN_MSG_DELETE, "a1"), ==, 0);
  free_disk (disk);
}

/* A disk that is mounted beside the root: all layers, and nothing can be changed or run. */
static void
test_a_disk_is_mounted_beside_the_root (void)
{
  Disk *disk = new_disk ();
  g_autoptr (GString) layers = g_string_new (NULL);
  g_autofree char *mounts = NULL;
  g_autofree char *seen = NULL;
  g_autofree char *written = NULL;
  HostContainer container = { .id = "a1", .process = ",\"user\":{\"uid\":0}" };

  add_file (disk, 0, "data/below", "below\n");
  add_file (disk, 0, "data/gone", "gone\n");
  add_layer (disk);
  add_whiteout (disk, 1, "data/gone");
  add_layer (disk);
  for (guint i = 0; i < disk->count; i++)
    {
      g_string_append_printf (
          layers, "%s\"%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " ",
          i > 0 ? "," : "", disk->layers[i].start_block, disk->layers[i].data_blocks,
          disk->layers[i].hash_blocks);
      for (guint k = 0; k < DN_DISK_HASH_BYTES; k++)
        g_string_append_printf (layers, "%02x", disk->layers[i].root_hash[k]);
      g_string_append_c (layers, '"');
    }
  mounts = g_strdup_printf (",{\"destination\":\"/beside\",\"type\":\"disk\",\"source\":\"layers\","
                            "\"options\":[\"rw\",\"noexec\"],\"layers\":[%s]}",
                            layers->str);
  container.mounts = mounts;
  container.args = ARGS ("look", "/beside/data", "/beside/data/below");
  g_assert_cmpuint (host_run (disk->host, &container, &seen), ==, 0);
  g_assert_cmpstr (seen, ==, "/beside/data 0:493 below \n/beside/data/below 0:420 below\n");
  container.id = "a2";
  container.args = ARGS ("write", "/beside/data/x");
  g_assert_cmpuint (host_run (disk->host, &container, &written), ==, 0);
  g_assert_cmpstr (written, ==, "/beside/data/x: Read-only file system\n");
  free_disk (disk);
}

static void
test_disks_that_cannot_be_mounted_are_refused (void)
{
  static const char *const mounts[] = {
    ",{\"destination\":\"/m\",\"type\":\"disk\"}",
    ",{\"destination\":\"/m\",\"type\":\"disk\",\"source\":\"../dev/vda\"}",
    ",{\"destination\":\"/m\",\"type\":\"disk\",\"source\":\"disk\",\"layers\":[\"1 2\"]}",
    ",{\"destination\":\"/m\",\"type\":\"disk\",\"source\":\"disk\",\"layers\":[\"0 2 1 ab\"]}",
    ",{\"destination\":\"/m\",\"type\":\"disk\",\"source\":\"disk\",\"layers\":[7]}",
    ",{\"destination\":\"/m\",\"type\":\"tmpfs\",\"options\":[\"source=disk\"]}",
  };
  Disk *disk = new_disk ();

  for (gsize i = 0; i < G_N_ELEMENTS (mounts); i++)
    {
      const HostContainer container
          = { .id = "b1", .args = ARGS ("look", "/"), .mounts = mounts[i] };

      g_assert_cmpint (host_create (disk->host, &container), ==, -EINVAL);
    }
  free_disk (disk);
}

static void
assert_violates (const DnMsgDiskLayer *layers, guint count)
{
  Disk *disk = new_disk ();
  guint8 payload[128];

  for (guint i = 0; i < count; i++)
    host_send (disk->host, DN_MSG_DISK_LAYER, 0, payload,
               (gsize) dn_msg_disk_layer_pack (&layers[i], payload, sizeof payload));
  while (host_pump (disk->host, HOST_WAIT_MS))
    ;
  g_assert_true (host_link (disk->host, disk->host->secret));
  free_disk (disk);
}

static void
test_impossible_layers_end_the_link (void)
{
  static DnMsgDiskLayer many[LAYERS_MAX + 1];
  static const DnMsgDiskLayer overlapping[]
      = { { .request = 9, .data_blocks = 2, .hash_blocks = 1 },
          { .request = 9, .start_block = 2, .data_blocks = 2, .hash_blocks = 1 } };
  static const DnMsgDiskLayer wrong_tree = { .request = 9, .data_blocks = 2, .hash_blocks = 2 };

  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i] = (DnMsgDiskLayer){
      .request = 9, .start_block = 3 * i, .data_blocks = 2, .hash_blocks = 1
    };
  assert_violates (many, G_N_ELEMENTS (many));
  assert_violates (overlapping, 2);
  assert_violates (&wrong_tree, 1);
}

/* The loop device that is mounted as a layer of the test's disk. */
static dev_t
find_device (Disk *disk, guint layer)
{
  g_autofree char *mounts = NULL;
  g_autofree char *target = g_strdup_printf ("%s/run/disks/layers:%u ", disk->host->dir, layer);
  g_autofree char *path = g_strdup_printf ("/proc/%d/mounts", (int) disk->host->agent_pid);
  struct stat status;

  g_assert_true (g_file_get_contents (path, &mounts, NULL, NULL));
  {
    g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
      if (strstr (*line, target) != NULL)
        {
          *strchr (*line, ' ') = '\0';
          g_assert_cmpint (stat (*line, &status), ==, 0);
          return status.st_rdev;
        }
  }
  g_error ("layer %u is not mounted", layer);
}

static void
send_event (Disk *disk, dev_t device, guint64 block)
{
  char bytes[512];
  int n = g_snprintf (bytes, sizeof bytes,
                      "change@/devices/virtual/block/x%cACTION=change%cSUBSYSTEM=block%c"
                      "DM_VERITY_ERR_BLOCK_NR=0,%" G_GUINT64_FORMAT "%cMAJOR=%u%cMINOR=%u",
                      0, 0, 0, block, 0, major (device), 0, minor (device));

  g_assert_cmpint (send (disk->host->events_fd, bytes, (size_t) n + 1, 0), ==, n + 1);
}

static const DnMsgDiskDamage *
await_damage (Disk *disk, guint number)
{
  while (disk->host->damage->len <= number)
    g_assert_true (host_pump (disk->host, HOST_WAIT_MS));
  return &g_array_index (disk->host->damage, DnMsgDiskDamage, number);
}

static void
test_tells_of_damage (void)
{
  Disk *disk = new_disk ();
  HostContainer sleeper;
  const DnMsgDiskDamage *damage;
  gint64 start_us;

  add_layer (disk);
  add_layer (disk);
  sleeper = container_on (disk, "a1", ARGS ("sleep"));
  g_assert_cmpint (host_create (disk->host, &sleeper), ==, 0);
  send_event (disk, makedev (1, 99), 5); /* nobody's */
  start_us = g_get_monotonic_time ();
  send_event (disk, find_device (disk, 1), 7);
  damage = await_damage (disk, 0);
  g_assert_cmpstr (damage->disk, ==, "layers");
  g_assert_cmpuint (damage->layer, ==, 1);
  g_assert_cmpuint (damage->block, ==, 7);
  g_assert_cmpuint (damage->count, ==, 1);
  /* More of it comes in one word, a second later. */
  for (guint i = 0; i < 5; i++)
    send_event (disk, find_device (disk, 0), 20 + i);
  damage = await_damage (disk, 1);
  g_assert_cmpint (g_get_monotonic_time () - start_us, >=, G_USEC_PER_SEC * 9 / 10);
  g_assert_cmpuint (damage->layer, ==, 0);
  g_assert_cmpuint (damage->block, ==, 24);
  g_assert_cmpuint (damage->count, ==, 6);
  /* What is left when the disk goes is told before. */
  send_event (disk, find_device (disk, 0), 3);
  g_assert_cmpint (host_simple (disk->host, DN_MSG_DELETE, "a1"), ==, 0);
  damage = await_damage (disk, 2);
  g_assert_cmpuint (damage->count, ==, 7);
  free_disk (disk);
}

static void
test_a_volume_begins_with_what_the_image_has (void)
{
  Disk *disk = new_disk ();
  g_autofree char *output = NULL;
  g_autofree char *written = NULL;
  g_autofree char *path = path_in (disk, 1, "data/link");
  HostContainer container;

  add_file (disk, 0, "data/old", "old\n");
  add_layer (disk);
  add_file (disk, 1, "data/in/deep/new", "new\n");
  g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
  g_free (path);
  path = path_in (disk, 1, "data/in");
  g_assert_cmpint (chown (path, 1000, 1001), ==, 0);
  g_assert_cmpint (chmod (path, 0775), ==, 0);
  g_free (path);
  path = path_in (disk, 1, "data");
  g_assert_cmpint (chown (path, 1000, 7), ==, 0);
  g_assert_cmpint (chmod (path, 0757), ==, 0);
  add_file (disk, 1, "data/foreign", "of an id that the container has not");
  g_free (path);
  path = path_in (disk, 1, "data/foreign");
  g_assert_cmpint (chown (path, 999999, 7), ==, 0);
  g_assert_cmpint (chmod (path, 0600), ==, 0);
  add_layer (disk);
  container = container_on (
      disk, "a1",
      ARGS ("look", "/data", "/data/old", "/data/in", "/data/in/deep/new", "/data/link"));
  container.mounts = ",{\"destination\":\"/data\",\"type\":\"tmpfs\",\"options\":[\"size=64k\","
                     "\"tmpcopyup\"]},{\"destination\":\"/none\",\"type\":\"tmpfs\",\"options\":["
                     "\"tmpcopyup\"]}";
  container.process = ",\"user\":{\"uid\":0}";
  g_assert_cmpuint (host_run (disk->host, &container, &output), ==, 0);
  g_assert_cmpstr (output, ==,
                   "/data 1000:495 in link old \n"
                   "/data/old 0:420 old\n"
                   "/data/in 1000:509 deep \n"
                   "/data/in/deep/new 0:420 new\n"
                   "/data/link 0:511 /data/link: No such file or directory\n");
  container.id = "a2";
  container.args = ARGS ("write", "/data/file");
  g_assert_cmpuint (host_run (disk->host, &container, &written), ==, 0);
  g_assert_cmpstr (written, ==, "/data/file: written\n");
  free_disk (disk);
}

static void
test_a_volume_larger_than_its_memory_says_so (void)
{
  Disk *disk = new_disk ();
  HostContainer container;
  g_autofree char *path = NULL;

  add_file (disk, 0, "data/large", "");
  path = path_in (disk, 0, "data/large");
  g_assert_cmpint (truncate (path, 1 << 20), ==, 0);
  add_layer (disk);
  container = container_on (disk, "a1", ARGS ("look", "/data"));
  container.mounts = ",{\"destination\":\"/data\",\"type\":\"tmpfs\",\"options\":[\"size=64k\","
                     "\"tmpcopyup\"]}";
  g_assert_cmpint (host_create (disk->host, &container), ==, -ENOSPC);
  g_assert_nonnull (strstr (disk->host->reply.message, "volume '/data'"));
  g_assert_nonnull (strstr (disk->host->reply.message, "--writable=disk"));
  g_free (run_on (disk, "a2", NULL, ARGS ("look", "/etc")));
  g_usleep (100000);
  free_disk (disk);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (getuid () != 0)
    return 77;
#define TEST(name) g_test_add_func ("/layers/" #name, test_##name)
  TEST (the_upper_layer_hides_and_replaces);
  TEST (a_writable_root_of_layers_is_forgotten);
  TEST (mount_points_are_made_over_layers);
  TEST (as_many_layers_as_a_disk_may_have);
  TEST (layers_that_do_not_fit_are_refused);
  TEST (impossible_layers_end_the_link);
  TEST (tells_of_damage);
  TEST (a_volume_begins_with_what_the_image_has);
  TEST (a_volume_larger_than_its_memory_says_so);
  g_test_add_func ("/layers/a disk is mounted beside the root",
                   test_a_disk_is_mounted_beside_the_root);
  g_test_add_func ("/layers/disks that cannot be mounted are refused",
                   test_disks_that_cannot_be_mounted_are_refused);
  return g_test_run ();
}
