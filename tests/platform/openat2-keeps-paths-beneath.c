/* SPDX-License-Identifier: Apache-2.0 */
/* openat2() with RESOLVE_BENEATH and friends refuses what leaves a directory, each with an errno of
 * its own: what every path of the host's and the guest's own files rests on. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "assume.h"

static int
errno_of_open (int directory, const char *path, unsigned long long resolve)
{
  const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = resolve };
  long fd = syscall (SYS_openat2, directory, path, &how, sizeof how);

  if (fd < 0)
    return errno;
  (void) close ((int) fd);
  return 0;
}

int
main (void)
{
  char top[] = "/tmp/danchi-openat2-XXXXXX";
  int directory;

  ASSUME (mkdtemp (top) != NULL, "a directory can be made");
  directory = open (top, O_DIRECTORY | O_CLOEXEC);
  ASSUME (directory >= 0, "it can be opened");
  ASSUME (symlinkat ("/etc/passwd", directory, "absolute") == 0, "a link can be made");
  ASSUME (symlinkat ("../x", directory, "above") == 0, "a link can be made");
  ASSUME (symlinkat (".", directory, "itself") == 0, "a link can be made");
  ASSUME (errno_of_open (directory, "..", RESOLVE_BENEATH) == EXDEV, "'..' is EXDEV");
  ASSUME (errno_of_open (directory, "/", RESOLVE_BENEATH) == EXDEV, "'/' is EXDEV");
  ASSUME (errno_of_open (directory, "absolute", RESOLVE_BENEATH) == EXDEV,
          "an absolute link is EXDEV");
  ASSUME (errno_of_open (directory, "above", RESOLVE_BENEATH) == EXDEV, "a link above is EXDEV");
  ASSUME (errno_of_open (directory, "itself", RESOLVE_NO_SYMLINKS) == ELOOP, "a link is ELOOP");
  ASSUME (errno_of_open (directory, "absolute", RESOLVE_IN_ROOT) == ENOENT,
          "in a root of its own an absolute link leads nowhere");
  ASSUME (errno_of_open (AT_FDCWD, "/proc/self/exe", RESOLVE_NO_MAGICLINKS) == ELOOP,
          "a magic link is ELOOP");
  (void) unlinkat (directory, "absolute", 0);
  (void) unlinkat (directory, "above", 0);
  (void) unlinkat (directory, "itself", 0);
  (void) close (directory);
  (void) rmdir (top);
  return 0;
}
