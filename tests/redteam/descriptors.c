/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, handles and links in /proc that lead out of the root. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* In a child of the probe nothing but 0, 1 and 2 is open that the runtime did not leave. */
static int
find_leaked (const DnAim *aim)
{
  (void) aim;
  for (int fd = 3; fd < 1024; fd++)
    if (fcntl (fd, F_GETFD) >= 0)
      return 0;
  return DN_SEEN_ABSENT;
}

/* A working directory outside the root has no name in it. */
static int
stand_outside (const DnAim *aim)
{
  char here[PATH_MAX];

  (void) aim;
  if (syscall (SYS_getcwd, here, sizeof here) < 0)
    return 0;
  return here[0] == '/' ? DN_SEEN_ABSENT : 0;
}

static int
walk_through_descriptors (const DnAim *aim)
{
  for (int fd = 0; fd < 64; fd++)
    {
      char path[64];
      struct stat there;

      (void) snprintf (path, sizeof path, "/proc/self/fd/%d/%s", fd, aim->path);
      if (stat (path, &there) == 0)
        return 0;
    }
  return DN_SEEN_ABSENT;
}

/* aim.path: a link; it must be the root that the probe has, whatever comes after it. */
static int
compare_root (const DnAim *aim)
{
  struct stat here, there;

  if (stat (aim->path, &there) < 0)
    return errno;
  if (stat ("/", &here) < 0)
    return DN_SEEN_UNKNOWN;
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino ? DN_SEEN_UNCHANGED : 0;
}

typedef struct
{
  struct file_handle handle;
  unsigned char bytes[128];
} Handle;

static int
name_handle (const DnAim *aim)
{
  Handle handle = { .handle.handle_bytes = sizeof handle.bytes };
  int mount = 0;

  return dn_seen (syscall (SYS_name_to_handle_at, AT_FDCWD, aim->path, &handle, &mount, 0));
}

/* Inode 2 by the kinds of handle that most file systems know: their root, wherever ours begins. */
static int
open_handle (const DnAim *aim)
{
  Handle handle = { .handle = { .handle_bytes = 8, .handle_type = (int) aim->a }, .bytes = { 2 } };
  int fd = open (aim->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int opened = (int) syscall (SYS_open_by_handle_at, fd, &handle, O_RDONLY);

  return dn_seen (opened);
}

/* A descriptor made into a name: needs CAP_DAC_READ_SEARCH. */
static int
link_descriptor (const DnAim *aim)
{
  int fd = open (aim->path, O_RDONLY | O_CLOEXEC);
  int seen = dn_seen (linkat (fd, "", AT_FDCWD, DN_SCRATCH "/redteam-linked", AT_EMPTY_PATH));

  (void) unlink (DN_SCRATCH "/redteam-linked");
  return fd < 0 ? DN_SEEN_UNKNOWN : seen;
}

#define LINK_WRITE "ETXTBSY EACCES EROFS EPERM"

static const DnProbe probes[] = {
  { "descriptors.leaked",
    "a descriptor that the runtime left open (CVE-2024-21626)",
    "R2.2",
    "absent",
    NULL,
    find_leaked,
    { 0 } },
  { "descriptors.directory",
    "a working directory outside the root (CVE-2024-21626)",
    "R2.2",
    "absent",
    NULL,
    stand_outside,
    { 0 } },
  { "descriptors.walk",
    "/proc/self/fd/N/../../etc (CVE-2024-21626)",
    "R2.2",
    "absent",
    NULL,
    walk_through_descriptors,
    { .path = "../../etc/passwd" } },
  { "descriptors.exe",
    "writing to the program by /proc/self/exe (CVE-2019-5736)",
    "R2.2",
    LINK_WRITE,
    NULL,
    dn_attempt_open,
    { .path = "/proc/self/exe", .a = O_WRONLY } },
  { "descriptors.first-exe",
    "the same of pid 1, once the runtime itself (CVE-2019-5736)",
    "R2.2",
    LINK_WRITE,
    NULL,
    dn_attempt_open,
    { .path = "/proc/1/exe", .a = O_WRONLY } },
  { "descriptors.root-link",
    "/proc/1/root/../..",
    "R2.2",
    "unchanged EACCES EPERM",
    NULL,
    compare_root,
    { .path = "/proc/1/root/../.." } },
  { "descriptors.self-root",
    "/proc/self/root/../../..",
    "R2.2",
    "unchanged EACCES",
    NULL,
    compare_root,
    { .path = "/proc/self/root/../../.." } },
  { "descriptors.dots",
    "more .. than the root is deep",
    "R2.2",
    "unchanged",
    NULL,
    compare_root,
    { .path = "/../../../../../../../.." } },
  { "descriptors.name-handle",
    "name_to_handle_at",
    "R3.6",
    "EPERM",
    NULL,
    name_handle,
    { .path = "/" } },
  { "descriptors.open-handle",
    "open_by_handle_at: shocker",
    "R3.6",
    "EPERM",
    NULL,
    open_handle,
    { .path = "/", .a = 1 } },
  { "descriptors.open-handle-tmp",
    "open_by_handle_at within /tmp",
    "R3.6",
    "EPERM",
    NULL,
    open_handle,
    { .path = DN_SCRATCH, .a = 1 } },
  { "descriptors.link-descriptor",
    "linkat(AT_EMPTY_PATH) of the program",
    "R3.5",
    "ENOENT EXDEV EPERM EROFS",
    NULL,
    link_descriptor,
    { .path = "/proc/self/exe" } },
};

DN_FAMILY (dn_descriptors, probes);
