/* SPDX-License-Identifier: Apache-2.0 */
#include "process-facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_BYTES 8192
#define BIT(capability) (1ull << (capability))

static const uint64_t promised_capabilities = BIT (CAP_CHOWN) | BIT (CAP_DAC_OVERRIDE)
                                              | BIT (CAP_FOWNER) | BIT (CAP_SETGID)
                                              | BIT (CAP_SETUID);

static int
read_file (pid_t pid, const char *name, char ret_text[TEXT_BYTES])
{
  char path[64];
  ssize_t n;
  int fd;

  (void) snprintf (path, sizeof path, "/proc/%d/%s", (int) pid, name);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? -ESRCH : -errno;
  n = read (fd, ret_text, TEXT_BYTES - 1);
  (void) close (fd);
  if (n < 0)
    return -errno;
  ret_text[n] = '\0';
  return 0;
}

uint64_t
dn_share_process_ticks (pid_t pid)
{
  char text[TEXT_BYTES];
  const char *at;

  /* The name is in brackets and may hold any; the start is the 20th field behind it. */
  if (read_file (pid, "stat", text) < 0 || (at = strrchr (text, ')')) == NULL)
    return 0;
  for (int i = 0; i < 20 && at != NULL; i++)
    at = strchr (at + 1, ' ');
  return at != NULL ? strtoull (at + 1, NULL, 10) : 0;
}

/* What stands behind "NAME:" and white space, up to the line's end; "" where there is no such. */
static void
take_line (const char *text, const char *name, char *ret_value, size_t size)
{
  char start[32];
  const char *at;

  (void) snprintf (start, sizeof start, "\n%s:", name);
  at = strstr (text, start);
  ret_value[0] = '\0';
  if (at == NULL)
    return;
  at += strlen (start);
  at += strspn (at, "\t ");
  (void) snprintf (ret_value, size, "%.*s", (int) strcspn (at, "\n"), at);
  for (size_t length = strlen (ret_value);
       length > 0 && (ret_value[length - 1] == ' ' || ret_value[length - 1] == '\t'); length--)
    ret_value[length - 1] = '\0';
}

static bool
has_ids (const char *status, const char *name, unsigned id)
{
  char value[128], wanted[128];

  take_line (status, name, value, sizeof value);
  (void) snprintf (wanted, sizeof wanted, "%u\t%u\t%u\t%u", id, id, id, id);
  return strcmp (value, wanted) == 0;
}

static bool
has_value (const char *status, const char *name, const char *wanted)
{
  char value[128];

  take_line (status, name, value, sizeof value);
  return strcmp (value, wanted) == 0;
}

static bool
has_within (const char *status, const char *name, uint64_t most)
{
  char value[128];

  take_line (status, name, value, sizeof value);
  return value[0] != '\0' && (strtoull (value, NULL, 16) & ~most) == 0;
}

static const char *
find_wrong_status (const char *status, const DnShareProcess *process)
{
  if (!has_ids (status, "Uid", process->uid) || !has_ids (status, "Gid", process->gid))
    return "its ids";
  if (!has_value (status, "Groups", ""))
    return "its groups";
  if (!has_within (status, "CapInh", 0) || !has_within (status, "CapAmb", 0)
      || !has_within (status, "CapBnd", 0) || !has_within (status, "CapPrm", promised_capabilities)
      || !has_within (status, "CapEff", promised_capabilities))
    return "its capabilities";
  if (!has_value (status, "NoNewPrivs", "1") || !has_value (status, "Seccomp", "2"))
    return "its filter";
  return NULL;
}

/* Threads that make a file at this moment have its owner's id. */
static const char *
find_wrong_thread (pid_t pid)
{
  const uint64_t most = promised_capabilities | BIT (CAP_SETPCAP) | BIT (CAP_SYS_CHROOT);
  char path[64], status[TEXT_BYTES];
  struct dirent *entry;
  const char *wrong = NULL;
  DIR *threads;

  (void) snprintf (path, sizeof path, "/proc/%d/task", (int) pid);
  threads = opendir (path);
  while (threads != NULL && wrong == NULL && (entry = readdir (threads)) != NULL)
    {
      (void) snprintf (path, sizeof path, "task/%.20s/status", entry->d_name);
      /* One may have ended meanwhile. */
      if (entry->d_name[0] == '.' || read_file (pid, path, status) < 0)
        continue;
      if (!has_within (status, "CapPrm", most) || !has_within (status, "CapEff", most)
          || !has_within (status, "CapBnd", most) || !has_within (status, "CapInh", 0)
          || !has_within (status, "CapAmb", 0))
        wrong = "a thread's capabilities";
      else if (!has_value (status, "NoNewPrivs", "1") || !has_value (status, "Seccomp", "2"))
        wrong = "a thread's filter";
    }
  if (threads == NULL)
    return "its threads";
  (void) closedir (threads);
  return wrong;
}

static bool
has_own_namespace (pid_t pid, const char *name)
{
  char theirs[64], ours[64];
  struct stat one, other;

  (void) snprintf (theirs, sizeof theirs, "/proc/%d/ns/%s", (int) pid, name);
  (void) snprintf (ours, sizeof ours, "/proc/self/ns/%s", name);
  return stat (theirs, &one) == 0 && stat (ours, &other) == 0 && one.st_ino != other.st_ino;
}

/* The two lines of each of its maps, as id-map.c writes them; the kernel pads them. */
static bool
has_map (pid_t pid, const char *file, unsigned own, unsigned count)
{
  char text[TEXT_BYTES];
  unsigned inside[2], outside[2], counts[2];
  int end = 0;

  return read_file (pid, file, text) == 0
         && sscanf (text, "%u %u %u %u %u %u %n", &inside[0], &outside[0], &counts[0], &inside[1],
                    &outside[1], &counts[1], &end)
                == 6
         && text[end] == '\0' && inside[0] == 0 && outside[0] == own && counts[0] == 1
         && inside[1] == 1 && outside[1] == DN_SHARE_FIRST_ID + 1 && counts[1] == count;
}

static bool
has_share_as_root (pid_t pid)
{
  char path[64], link[64] = "";

  (void) snprintf (path, sizeof path, "/proc/%d/root", (int) pid);
  return readlink (path, link, sizeof link - 1) > 0 && strcmp (link, "/share") == 0;
}

int
dn_share_process_check (const DnShareProcess *process, const char **ret_what)
{
  static const char *const spaces[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup", "user" };
  const pid_t pid = process->pid;
  char status[TEXT_BYTES];

  *ret_what = "it";
  if (dn_share_process_ticks (pid) != process->ticks || read_file (pid, "status", status) < 0)
    return -ESRCH;
  if ((*ret_what = find_wrong_status (status, process)) != NULL
      || (*ret_what = find_wrong_thread (pid)) != NULL)
    return -EPERM;
  for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
    if (!has_own_namespace (pid, spaces[i]))
      {
        *ret_what = "its namespaces";
        return -EPERM;
      }
  *ret_what = "its root";
  if (!has_share_as_root (pid))
    return -EPERM;
  *ret_what = "its id maps";
  if (!has_map (pid, "uid_map", process->uid, DN_SHARE_GUEST_IDS - 1)
      || !has_map (pid, "gid_map", process->gid,
                   DN_SHARE_GUEST_IDS - 1 + DN_SHARE_FOREIGN_GROUP_COUNT))
    return -EPERM;
  return 0;
}
