/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of a container as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../mapper/verity-words.h"
#include "autofd.h"
#include "container-processes.h"
#include "path.h"
#include "verify.h"

#define MOUNTS_MAX 512
/* "mount." and a path. */
#define NAME_BYTES (DN_PATH_BYTES + 16)

typedef struct
{
  char *line; /* owned */
  const char *root;
  const char *target;
  const char *options;
  const char *type;
} Mount;

/* The octal escapes of mountinfo, in place. */
static void
unescape (char *text)
{
  char *to = text;

  for (const char *at = text; *at != '\0'; at++)
    if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7'
        && at[3] >= '0' && at[3] <= '7')
      {
        *to++ = (char) ((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
        at += 3;
      }
    else
      *to++ = *at;
  *to = '\0';
}

/* "36 35 98:0 ROOT TARGET OPTIONS shared:1 - TYPE SOURCE OPTIONS"; proc(5). */
static bool
parse_mount (char *line, Mount *ret_mount)
{
  char *words[6];
  char *rest = line;
  char *word;

  for (int i = 0; i < 6; i++)
    if ((words[i] = strsep (&rest, " ")) == NULL)
      return false;
  while ((word = strsep (&rest, " ")) != NULL && strcmp (word, "-") != 0)
    ;
  if (word == NULL || (word = strsep (&rest, " ")) == NULL)
    return false;
  unescape (words[3]);
  unescape (words[4]);
  *ret_mount = (Mount){
    .line = line, .root = words[3], .target = words[4], .options = words[5], .type = word
  };
  return true;
}

static size_t
read_mounts (pid_t pid, Mount *ret_mounts)
{
  char path[64];
  char *line = NULL;
  size_t size = 0;
  size_t count = 0;
  FILE *file;

  (void) snprintf (path, sizeof path, "/proc/%d/mountinfo", (int) pid);
  file = fopen (path, "re");
  while (file != NULL && count < MOUNTS_MAX && getline (&line, &size, file) > 0)
    {
      line[strcspn (line, "\n")] = '\0';
      if (parse_mount (line, &ret_mounts[count]))
        count++;
      else
        free (line);
      line = NULL;
      size = 0;
    }
  free (line);
  if (file != NULL)
    (void) fclose (file);
  return count;
}

/* The one that is seen: of several on one place the last. */
static const Mount *
find_mount (const Mount *mounts, size_t count, const char *target)
{
  for (size_t i = count; i-- > 0;)
    if (strcmp (mounts[i].target, target) == 0)
      return &mounts[i];
  return NULL;
}

static void
add_path (DnFacts *facts, const char *path, const char *value)
{
  static char name[NAME_BYTES];

  (void) snprintf (name, sizeof name, "mount.%s", path);
  dn_facts_add (facts, 0, name, value);
}

/* Paths that should have been hidden and have no mount of their own. */
static void
add_bare_paths (DnFacts *facts, int root, const DnTexts *paths, const Mount *mounts, size_t count)
{
  for (size_t i = 0; i < paths->count; i++)
    if (find_mount (mounts, count, paths->items[i]) == NULL)
      {
        dn_autofd int fd = dn_path_open (root, paths->items[i], O_PATH | O_CLOEXEC, 0);

        add_path (facts, paths->items[i], fd < 0 ? "absent" : "bare");
      }
}

static void
add_mounts (DnFacts *facts, const DnContainer *container)
{
  const DnConfig *config = &container->config;
  static Mount mounts[MOUNTS_MAX];
  pid_t first = dn_verify_live_thread (container->processes->pid);
  size_t count = read_mounts (first, mounts);
  char path[64];
  dn_autofd int root = -1;

  for (size_t i = 0; i < count; i++)
    if (find_mount (mounts, count, mounts[i].target) == &mounts[i])
      {
        char value[DN_FACT_VALUE_BYTES + 1];

        (void) snprintf (value, sizeof value, "%s %s %s", mounts[i].type, mounts[i].root,
                         mounts[i].options);
        add_path (facts, mounts[i].target, value);
      }
  (void) snprintf (path, sizeof path, "/proc/%d/root", (int) first);
  root = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || count == 0)
    return;
  add_bare_paths (facts, root, &config->masked_paths, mounts, count);
  add_bare_paths (facts, root, &config->readonly_paths, mounts, count);
}

/* What one device is limited to stands for all, which have the same: "rbps=.. wbps=.." without its
 * number, or "none"; where two differ, "different". */
static void
add_block_limits (DnFacts *facts, const DnCgroup *cgroup)
{
  char text[4096], first[128] = "none";
  char *rest = text, *line;
  dn_autofd int fd = dn_cgroup_open_file (cgroup, "io.max");
  ssize_t n = fd < 0 ? -1 : read (fd, text, sizeof text - 1);

  text[n > 0 ? n : 0] = '\0';
  for (bool is_first = true; (line = strsep (&rest, "\n")) != NULL;)
    {
      const char *words = strchr (line, ' ');

      if (words == NULL)
        continue;
      if (is_first)
        (void) snprintf (first, sizeof first, "%s", words + 1);
      else if (strcmp (first, words + 1) != 0)
        (void) snprintf (first, sizeof first, "different");
      is_first = false;
    }
  dn_facts_add (facts, 0, "cgroup.io.max", fd < 0 ? "absent" : first);
}

static void
add_cgroup (DnFacts *facts, const DnCgroup *cgroup)
{
  static const char *const files[]
      = { "memory.max", "memory.high", "memory.low", "memory.swap.max", "memory.oom.group",
          "pids.max",   "cpu.max",     "cpu.weight", "cpuset.cpus" };

  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    {
      char name[64];
      char value[128];

      (void) snprintf (name, sizeof name, "cgroup.%s", files[i]);
      if (dn_facts_read_file (cgroup->fd, files[i], value, sizeof value) < 0)
        (void) snprintf (value, sizeof value, "absent");
      dn_facts_add (facts, 0, name, value);
    }
  add_block_limits (facts, cgroup);
}

/* By what the kernel checks a layer's blocks, from the device itself; or why it does not. */
static void
add_layer (DnFacts *facts, const DnDiskMount *layer, unsigned number)
{
  DnMapperTable table;
  char name[32], status[64], hash[DN_VERITY_ROOT_BYTES + 1];
  int r = layer->device == 0 ? -ENODEV
                             : dn_mapper_read (layer->device, &table, status, sizeof status);

  (void) snprintf (name, sizeof name, "root.layer.%u", number);
  if (r < 0)
    dn_facts_addf (facts, 0, name, "none: %s", strerror (-r));
  else if (strcmp (table.target, DN_VERITY_TARGET) != 0
           || dn_verity_find_root (table.parameters, hash, sizeof hash) < 0)
    dn_facts_addf (facts, 0, name, "none: a target '%s'", table.target);
  else
    dn_facts_addf (facts, 0, name, "%s %" PRIu64 " blocks%s", hash,
                   table.sectors / (DN_VERITY_BLOCK_BYTES / 512),
                   strcmp (status, "V") == 0 ? "" : ", and a block did not have it");
}

static void
add_layers (DnFacts *facts, const DnDisk *disk)
{
  dn_facts_addf (facts, 0, "root.layers", "%u", disk->layers.count);
  for (unsigned i = 0; i < disk->layers.count; i++)
    add_layer (facts, &disk->mounts[i], i);
}

void
dn_verify_container (DnFacts *facts, const DnContainer *container)
{
  static int pids[DN_VERIFY_PROCESSES_MAX];
  size_t count = dn_cgroup_pids (&container->cgroup, pids, DN_VERIFY_PROCESSES_MAX);
  size_t threads = 0;
  char whose[DN_FACT_VALUE_BYTES + 1];

  if (count == DN_VERIFY_PROCESSES_MAX)
    facts->is_full = true;
  for (size_t i = 0; i < count; i++)
    threads += dn_verify_process (facts, "", pids[i], container);
  dn_facts_addf (facts, 0, "processes", "%zu", count);
  dn_facts_addf (facts, 0, "threads", "%zu", threads);
  dn_container_processes_tell (container, container->processes->pid, whose, sizeof whose);
  dn_facts_add (facts, 0, "namespace.pid.whose", whose);
  add_mounts (facts, container);
  if (container->disk != NULL)
    add_layers (facts, container->disk);
  add_cgroup (facts, &container->cgroup);
}
