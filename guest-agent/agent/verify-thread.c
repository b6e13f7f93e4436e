/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of one thread of a container's: ids, capabilities, filters, namespaces and the
 * table of descriptors are a thread's own, whatever its process's others have. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "autofd.h"
#include "verify.h"

#define STATUS_BYTES 8192
#define MOUNTS_MAX 512
#define NAME_BYTES 96
#define UNKNOWN "unknown: it cannot be read"
/* A thread that is ending has given up its namespaces a moment before it counts as ended. */
#define ENDING_STEPS 20
#define ENDING_STEP_NS 5000000

void
dn_verify_thread_add (const DnVerifyThread *thread, const char *name, const char *value)
{
  char full[NAME_BYTES];

  (void) snprintf (full, sizeof full, "%s%s", thread->prefix, name);
  dn_facts_add (thread->facts, thread->tid, full, value);
}

/* Returns: bytes, or -1: it is gone. */
static ssize_t
read_status (const DnVerifyThread *thread, char ret_text[STATUS_BYTES])
{
  dn_autofd int fd = openat (thread->proc, "status", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read (fd, ret_text, STATUS_BYTES - 1);

  if (n <= 0)
    return -1;
  ret_text[n] = '\0';
  return n;
}

/* A main thread that has ended stays as a zombie as long as others live. */
static bool
has_ended (const char *status)
{
  const char *state = strstr (status, "\nState:\t");

  return state != NULL && (state[8] == 'Z' || state[8] == 'X');
}

bool
dn_verify_thread_lives (const DnVerifyThread *thread)
{
  char status[STATUS_BYTES];

  return read_status (thread, status) > 0 && !has_ended (status);
}

/* Something of it could not be read: because it was ending, or what else? */
static bool
lives_on (const DnVerifyThread *thread)
{
  const struct timespec step = { .tv_nsec = ENDING_STEP_NS };

  for (int i = 0; i < ENDING_STEPS; i++)
    {
      if (!dn_verify_thread_lives (thread))
        return false;
      (void) nanosleep (&step, NULL);
    }
  return true;
}

static void
add_status (const DnVerifyThread *thread, char *status)
{
  static const char *const lines[][2] = {
    { "Uid:", "uid" },
    { "Gid:", "gid" },
    { "Groups:", "groups" },
    { "CapInh:", "cap.inheritable" },
    { "CapPrm:", "cap.permitted" },
    { "CapEff:", "cap.effective" },
    { "CapBnd:", "cap.bounding" },
    { "CapAmb:", "cap.ambient" },
    { "NoNewPrivs:", "no_new_privs" },
    { "Seccomp:", "seccomp.mode" },
    { "Seccomp_filters:", "seccomp.filters" },
  };
  char *line;

  while ((line = strsep (&status, "\n")) != NULL)
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
      {
        size_t bytes = strlen (lines[i][0]);

        if (strncmp (line, lines[i][0], bytes) != 0)
          continue;
        line += bytes;
        for (char *at = line; *at != '\0'; at++)
          if (*at == '\t')
            *at = ' ';
        while (*line == ' ')
          line++;
        bytes = strlen (line);
        while (bytes > 0 && line[bytes - 1] == ' ')
          line[--bytes] = '\0';
        dn_verify_thread_add (thread, lines[i][1], line);
        break;
      }
}

static bool
is_same (const struct stat *a, const struct stat *b)
{
  return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* A namespace counts as the container's when it is that of its first process and not the agent's.
 * NULL: the thread was ending. */
static const char *
compare_namespace (const DnVerifyThread *thread, const char *kind, pid_t first,
                   const struct stat *agents)
{
  char path[64];
  struct stat own;
  struct stat firsts;

  (void) snprintf (path, sizeof path, "ns/%s", kind);
  if (fstatat (thread->proc, path, &own, 0) < 0)
    return lives_on (thread) ? UNKNOWN : NULL;
  if (is_same (&own, agents))
    return "the guest's";
  (void) snprintf (path, sizeof path, "/proc/%d/ns/%s", (int) first, kind);
  if (stat (path, &firsts) < 0)
    return "unknown: the first process's cannot be read";
  return is_same (&own, &firsts) ? "own" : "another";
}

static void
add_namespaces (const DnVerifyThread *thread, pid_t first)
{
  static const char *const kinds[] = { "user", "mnt", "pid", "ipc", "uts", "net", "cgroup" };

  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    {
      char name[NAME_BYTES];
      char path[64];
      struct stat agents;
      const char *value;

      (void) snprintf (path, sizeof path, "/proc/self/ns/%s", kinds[i]);
      if (stat (path, &agents) < 0)
        continue; /* this kernel has no such namespaces */
      value = compare_namespace (thread, kinds[i], first, &agents);
      if (value == NULL)
        return;
      (void) snprintf (name, sizeof name, "namespace.%s", kinds[i]);
      dn_verify_thread_add (thread, name, value);
    }
}

/* The ids of the mounts it sees.  Returns how many, or -1. */
static int
read_mount_ids (int proc, int ret_ids[MOUNTS_MAX])
{
  int fd = openat (proc, "mountinfo", O_RDONLY | O_CLOEXEC);
  FILE *file = fd < 0 ? NULL : fdopen (fd, "re");
  char *line = NULL;
  size_t size = 0;
  int count = 0;

  if (file == NULL)
    {
      dn_fd_clear (&fd);
      return -1;
    }
  while (count < MOUNTS_MAX && getline (&line, &size, file) > 0)
    ret_ids[count++] = atoi (line);
  free (line);
  (void) fclose (file);
  return count;
}

static bool
is_among (int id, const int *ids, int count)
{
  for (int i = 0; i < count; i++)
    if (ids[i] == id)
      return true;
  return false;
}

/* Whether descriptor @name leads to a file or directory on a mount that the thread does not see:
 * something it was handed from outside.  Pipes and sockets have no path; /dev/null harms nobody. */
static bool
leads_out (int proc, const char *name, const int *mounts, int count)
{
  char path[64];
  char target[256];
  char info[512];
  const char *at;
  struct stat status;
  ssize_t n;

  (void) snprintf (path, sizeof path, "fd/%.16s", name);
  n = readlinkat (proc, path, target, sizeof target - 1);
  if (n <= 0 || target[0] != '/')
    return false;
  target[n] = '\0';
  /* Files made of memory have a name, and no mount that anybody sees. */
  if (strncmp (target, "/memfd:", 7) == 0 || strncmp (target, "/SYSV", 5) == 0
      || fstatat (proc, path, &status, 0) < 0
      || (S_ISCHR (status.st_mode) && status.st_rdev == makedev (1, 3)))
    return false;
  (void) snprintf (path, sizeof path, "fdinfo/%.16s", name);
  if (dn_facts_read_file (proc, path, info, sizeof info) < 0)
    return false;
  at = strstr (info, "mnt_id: ");
  return at != NULL && !is_among (atoi (at + strlen ("mnt_id: ")), mounts, count);
}

static void
add_descriptors (const DnVerifyThread *thread)
{
  static int mounts[MOUNTS_MAX];
  static size_t seen; /* in all: a verifier looks once and ends */
  int count = read_mount_ids (thread->proc, mounts);
  int fd = count < 0 ? -1 : openat (thread->proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir (fd);
  struct dirent *entry;
  char found[64] = "";

  if (directory == NULL)
    {
      dn_fd_clear (&fd);
      if (lives_on (thread))
        dn_verify_thread_add (thread, "descriptors", UNKNOWN);
      return;
    }
  while (found[0] == '\0' && seen < DN_VERIFY_DESCRIPTORS_MAX
         && (entry = readdir (directory)) != NULL)
    if (entry->d_name[0] != '.')
      {
        seen++;
        if (leads_out (thread->proc, entry->d_name, mounts, count))
          (void) snprintf (found, sizeof found, "%.16s leads out of the container", entry->d_name);
      }
  (void) closedir (directory);
  if (seen >= DN_VERIFY_DESCRIPTORS_MAX)
    thread->facts->is_full = true;
  dn_verify_thread_add (thread, "descriptors", found[0] != '\0' ? found : "clean");
}

bool
dn_verify_thread (const DnVerifyThread *thread, pid_t first, bool has_own_descriptors)
{
  char status[STATUS_BYTES];
  ssize_t n = read_status (thread, status);

  if (n < 0 || has_ended (status))
    return false;
  /* A long list of groups must not hide what comes after it. */
  if (n == STATUS_BYTES - 1)
    thread->facts->is_full = true;
  add_status (thread, status);
  add_namespaces (thread, first);
  if (has_own_descriptors)
    add_descriptors (thread);
  return true;
}
