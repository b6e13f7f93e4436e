/* SPDX-License-Identifier: Apache-2.0 */
#include "block-limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "autofd.h"

#define DEVICES "/sys/block"
#define DEVICES_MAX 256

static void
format_limit (char *text, size_t size, const char *name, uint64_t value)
{
  if (value == DN_LIMIT_NONE)
    (void) snprintf (text, size, " %s=max", name);
  else if (value != 0)
    (void) snprintf (text, size, " %s=%" PRIu64, name, value);
  else
    text[0] = '\0';
}

bool
dn_block_is_topmost (const char *number)
{
  char path[96];
  struct dirent *entry;
  bool is_topmost = true;
  DIR *holders;

  (void) snprintf (path, sizeof path, "/sys/dev/block/%.24s/holders", number);
  holders = opendir (path);
  if (holders == NULL)
    return true;
  while ((entry = readdir (holders)) != NULL)
    is_topmost = is_topmost && entry->d_name[0] == '.';
  (void) closedir (holders);
  return is_topmost;
}

/* "MAJOR:MINOR" of a device that has a size. */
static bool
read_number (const char *name, char *ret_number, size_t size)
{
  char path[300];
  dn_autofd int fd = -1;
  ssize_t n;

  (void) snprintf (path, sizeof path, DEVICES "/%s/dev", name);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  n = fd < 0 ? -1 : read (fd, ret_number, size - 1);
  if (n <= 0)
    return false;
  ret_number[n] = '\0';
  ret_number[strcspn (ret_number, "\n")] = '\0';
  return true;
}

static int
set_one (const DnCgroup *cgroup, const char *number, const char *words)
{
  dn_autofd int fd = openat (cgroup->fd, "io.max", O_WRONLY | O_CLOEXEC);
  char line[256];

  (void) snprintf (line, sizeof line, "%s%s", number, words);
  /* A device that went meanwhile has nothing to be limited. */
  return fd < 0 || (write (fd, line, strlen (line)) < 0 && errno != ENODEV) ? -errno : 0;
}

int
dn_block_limits_set (const DnCgroup *cgroup, const DnBlockLimits *limits, DnFault *fault)
{
  char words[200], part[40], number[32];
  struct dirent *entry;
  DIR *devices;
  int r = 0;

  words[0] = '\0';
  format_limit (part, sizeof part, "rbps", limits->read_bytes_per_s);
  strcat (words, part);
  format_limit (part, sizeof part, "wbps", limits->write_bytes_per_s);
  strcat (words, part);
  format_limit (part, sizeof part, "riops", limits->reads_per_s);
  strcat (words, part);
  format_limit (part, sizeof part, "wiops", limits->writes_per_s);
  strcat (words, part);
  if (words[0] == '\0')
    return 0;
  if (!cgroup->cgroups->has_io)
    return dn_fault_set (fault, -ENOSYS, "limit 'io.max': the guest's kernel has no such limits");
  devices = opendir (DEVICES);
  if (devices == NULL)
    return dn_fault_set_errno (fault, "list the guest's disks");
  for (int i = 0; r == 0 && i < DEVICES_MAX && (entry = readdir (devices)) != NULL; i++)
    if (entry->d_name[0] != '.' && read_number (entry->d_name, number, sizeof number)
        && dn_block_is_topmost (number))
      r = set_one (cgroup, number, words);
  (void) closedir (devices);
  return r < 0 ? dn_fault_set (fault, r, "limit 'io.max': %s", strerror (-r)) : 0;
}
