/* SPDX-License-Identifier: Apache-2.0 */
#include "lockdown.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../network/gateway-order.h"

/* Where the root is put together: any directory; nobody else sees what is mounted there. */
#define BASE "/run"
#define TUN_MAJOR 10
#define TUN_MINOR 200

/* What is kept, and which calls. */
typedef struct
{
  unsigned kept[2];
  int (*load_filter) (void);
} Role;

static const Role gateway = { { CAP_NET_ADMIN, CAP_NET_BIND_SERVICE }, dn_gateway_load_filter };
static const Role door = { { CAP_NET_ADMIN, CAP_SYS_ADMIN }, dn_door_load_filter };
static const Role *role;

/* Of /proc/self/status, opened before that path is gone. */
static int status_fd = -1;

static int
open_evidence (void)
{
  status_fd = open ("/proc/self/status", O_RDONLY | O_CLOEXEC);
  return status_fd < 0 ? -errno : 0;
}

static int
limit_resources (void)
{
  const struct rlimit none = { 0, 0 }, descriptors = { 64, 64 }, file = { 1 << 20, 1 << 20 };

  if (setrlimit (RLIMIT_CORE, &none) < 0 || setrlimit (RLIMIT_NOFILE, &descriptors) < 0
      || setrlimit (RLIMIT_FSIZE, &file) < 0)
    return -errno;
  (void) umask (0077);
  return 0;
}

/* A node of its own, where the host's may be for root alone. */
static int
make_tun (void)
{
  int made;

  if (mknod (BASE "/dev/net/tun", S_IFCHR | 0600, makedev (TUN_MAJOR, TUN_MINOR)) == 0)
    return chown (BASE "/dev/net/tun", DN_GATEWAY_UID, DN_GATEWAY_UID) < 0 ? -errno : 0;
  if (errno != EPERM)
    return -errno;
  made = open (BASE "/dev/net/tun", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0)
    return -errno;
  (void) close (made);
  /* Not there: it is told when a tap is wanted. */
  return mount ("/dev/net/tun", BASE "/dev/net/tun", NULL, MS_BIND, NULL) < 0 && errno != ENOENT
             ? -errno
             : 0;
}

static int
make_root (void)
{
  static const char *const directories[]
      = { BASE "/proc", BASE "/proc/sys", BASE "/proc/sys/net", BASE "/dev", BASE "/dev/net" };
  const unsigned long flags = MS_NOSUID | MS_NOEXEC;
  int settings, r;
  char path[64];

  settings = open ("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (settings < 0 || unshare (CLONE_NEWNS) < 0
      || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    return -errno;
  /* Of this namespace: the descriptor above is of the one before, and cannot be bound. */
  (void) close (settings);
  settings = open ("/proc/sys/net", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (settings < 0
      || mount ("danchi-gateway", BASE, "tmpfs", flags, "size=16k,nr_inodes=16,mode=0755") < 0)
    return -errno;
  for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
    if (mkdir (directories[i], 0755) < 0 || chmod (directories[i], 0755) < 0)
      return -errno;
  (void) snprintf (path, sizeof path, "/proc/self/fd/%d", settings);
  if (mount (path, BASE "/proc/sys/net", NULL, MS_BIND, NULL) < 0)
    return -errno;
  (void) close (settings);
  r = make_tun ();
  if (r < 0)
    return r;
  if (mount (NULL, BASE, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0
      || chdir (BASE) < 0 || syscall (SYS_pivot_root, ".", ".") < 0 || umount2 (".", MNT_DETACH) < 0
      || chdir ("/") < 0)
    return -errno;
  return access ("/etc", F_OK) == 0 || errno != ENOENT ? -EPERM : 0;
}

/* The bounding set while there is CAP_SETPCAP; ids and the other sets in one call. */
static int
drop_ids_and_capabilities (void)
{
  capng_clear (CAPNG_SELECT_ALL);
  for (size_t i = 0; i < sizeof role->kept / sizeof role->kept[0]; i++)
    (void) capng_update (CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
                         role->kept[i]);
  /* Private codes, not errno: capng_apply(3). */
  return capng_apply (CAPNG_SELECT_BOUNDS) < 0
                 || capng_change_id (DN_GATEWAY_UID, DN_GATEWAY_UID, CAPNG_DROP_SUPP_GRP) < 0
             ? -EPERM
             : 0;
}

static int
forbid_new_privileges (void)
{
  /* Not dumpable: nobody looks into it but root. */
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
             ? -errno
             : 0;
}

static uint64_t
read_status (const char *status, const char *name, int base)
{
  char start[32];
  const char *line;

  (void) snprintf (start, sizeof start, "\n%s:\t", name);
  line = strstr (status, start);
  return line == NULL ? UINT64_MAX : strtoull (line + strlen (start), NULL, base);
}

/* Success codes are not evidence. */
static int
verify_from_the_kernel (void)
{
  static const char *const sets[] = { "CapPrm", "CapEff", "CapBnd" };
  static const char *const empty[] = { "CapInh", "CapAmb" };
  char status[8192], ids[64];
  uint64_t bits = 0;
  ssize_t n = pread (status_fd, status, sizeof status - 1, 0);

  (void) close (status_fd);
  status_fd = -1;
  if (n <= 0)
    return -EIO;
  status[n] = '\0';
  for (size_t i = 0; i < sizeof role->kept / sizeof role->kept[0]; i++)
    bits |= UINT64_C (1) << role->kept[i];
  for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
    if (read_status (status, sets[i], 16) != bits)
      return -EPERM;
  for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
    if (read_status (status, empty[i], 16) != 0)
      return -EPERM;
  (void) snprintf (ids, sizeof ids, "\nUid:\t%1$u\t%1$u\t%1$u\t%1$u\n", DN_GATEWAY_UID);
  return strstr (status, ids) != NULL && read_status (status, "NoNewPrivs", 10) == 1
                 && read_status (status, "Seccomp", 10) == 2
                 && read_status (status, "Threads", 10) == 1
             ? 0
             : -EPERM;
}

static int
load_filter (void)
{
  return role->load_filter ();
}

/* The order is the security argument: a step may rely only on the steps above it. */
static const struct
{
  const char *name;
  int (*run) (void);
} steps[] = {
  /* Needs /proc. */
  { "open-evidence", open_evidence },
  /* Needs nothing; gives up cores, descriptors, file size. */
  { "limit-resources", limit_resources },
  /* Needs CAP_SYS_ADMIN, CAP_MKNOD; gives up every file but those it is for. */
  { "make-root", make_root },
  /* Needs CAP_SETUID, CAP_SETGID, CAP_SETPCAP; gives up root, groups and the capabilities that are
   * not for the network. */
  { "drop-ids-and-capabilities", drop_ids_and_capabilities },
  /* Needs nothing; gives up gaining rights through execve(2), and being looked into. */
  { "forbid-new-privileges", forbid_new_privileges },
  /* Needs no_new_privs; gives up every unlisted call. */
  { "load-filter", load_filter },
  { "verify-from-the-kernel", verify_from_the_kernel },
};

static int
run (const Role *wanted, const char **ret_step)
{
  role = wanted;
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    {
      int r = steps[i].run ();

      if (r < 0)
        {
          *ret_step = steps[i].name;
          return r;
        }
    }
  return 0;
}

int
dn_gateway_lockdown (const char **ret_step)
{
  return run (&gateway, ret_step);
}

int
dn_door_lockdown (const char **ret_step)
{
  return run (&door, ret_step);
}
