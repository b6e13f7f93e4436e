/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
open_setting (const char *path, int flags)
{
  char full[128];

  if ((size_t) snprintf (full, sizeof full, "/proc/sys/net/%s", path) >= sizeof full)
    return -ENAMETOOLONG;
  flags = open (full, flags | O_CLOEXEC);
  return flags < 0 ? -errno : flags;
}

int
dn_sysctl_read (const char *path)
{
  char text[32];
  int fd = open_setting (path, O_RDONLY);
  ssize_t n;

  if (fd < 0)
    return fd;
  n = read (fd, text, sizeof text - 1);
  (void) close (fd);
  if (n <= 0)
    return -EIO;
  text[n] = '\0';
  return abs (atoi (text));
}

int
dn_sysctl_write (const char *path, int value)
{
  char text[16];
  int length = snprintf (text, sizeof text, "%d\n", value);
  int fd = open_setting (path, O_WRONLY);
  int r;

  if (fd < 0)
    return fd;
  r = write (fd, text, (size_t) length) == length ? 0 : -errno;
  (void) close (fd);
  return r;
}

static void
name_setting (char *path, size_t size, int family, const char *device, const char *name)
{
  (void) snprintf (path, size, "ipv%d/conf/%s/%s", family, device, name);
}

int
dn_sysctl_read_device (int family, const char *device, const char *name)
{
  char path[96];

  name_setting (path, sizeof path, family, device, name);
  return dn_sysctl_read (path);
}

int
dn_sysctl_write_device (int family, const char *device, const char *name, int value)
{
  char path[96];

  name_setting (path, sizeof path, family, device, name);
  return dn_sysctl_write (path, value);
}
