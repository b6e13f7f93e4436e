/* SPDX-License-Identifier: Apache-2.0 */
/* Rights: capabilities, ids, set-id programs, limits. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

#define OTHER_ID 1234
#define SUID_PROBE "/redteam-suid"
#define FILE_OF_OURS DN_SCRATCH "/redteam-owned"

/* All capabilities into the three sets of the process. */
static int
raise_all (const DnAim *aim)
{
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2];

  data[0].effective = data[0].permitted = (unsigned int) aim->a;
  data[0].inheritable = 0;
  data[1] = (struct __user_cap_data_struct){ 0 };
  return dn_seen (syscall (SYS_capset, &header, data));
}

/* Whether the bounding set has any of the bits in aim.a: from there a program could gain them. */
static int
look_at_bounds (const DnAim *aim)
{
  for (int capability = 0; capability < 63; capability++)
    if ((aim->a >> capability & 1) != 0 && prctl (PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
      return 0;
  return DN_SEEN_EMPTY;
}

static int
raise_ambient (const DnAim *aim)
{
  return dn_seen (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, aim->a, 0, 0));
}

static int
control_process (const DnAim *aim)
{
  return dn_seen (prctl ((int) aim->a, aim->b, aim->c, 0, 0));
}

/* 0 where the bit is off that no exec can give rights past. */
static int
read_no_new_privileges (const DnAim *aim)
{
  (void) aim;
  return prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? DN_SEEN_BOUNDED : 0;
}

/* aim.a: which kind of id, to one that the process has not. */
static int
change_id (const DnAim *aim)
{
  const gid_t group = OTHER_ID;

  switch (aim->a)
    {
    case 'u':
      return dn_seen (setresuid (OTHER_ID, OTHER_ID, OTHER_ID));
    case 'g':
      return dn_seen (setresgid (OTHER_ID, OTHER_ID, OTHER_ID));
    case 's':
      return dn_seen (setgroups (1, &group));
    default:
      return dn_seen (setresuid (0, 0, 0) < 0 ? -1 : 0);
    }
}

/* The image has a copy of the probe with set-id bits and an owner of its own: run by anyone, it
 * must say that it has gained nothing. */
static int
run_set_id (const DnAim *aim)
{
  struct stat file;
  uid_t before = geteuid ();
  int status = 0;
  pid_t child;

  if (stat (aim->path, &file) < 0)
    return errno == ENOENT ? DN_SEEN_ABSENT : errno;
  if ((file.st_mode & (S_ISUID | S_ISGID)) == 0)
    return DN_SEEN_ABSENT;
  child = fork ();
  if (child == 0)
    {
      char *const arguments[] = { (char *) aim->path, (char *) "privileges.euid", NULL };
      char *const environment[] = { NULL };
      int null = open ("/dev/null", O_WRONLY | O_CLOEXEC);

      (void) dup2 (null, 1);
      (void) execve (aim->path, arguments, environment);
      _exit (2);
    }
  (void) waitpid (child, &status, 0);
  (void) before;
  return WIFEXITED (status) && WEXITSTATUS (status) == 0 ? DN_SEEN_UNCHANGED : 0;
}

static int
compare_ids (const DnAim *aim)
{
  uid_t real, effective, saved;

  (void) aim;
  (void) getresuid (&real, &effective, &saved);
  return real == effective && real == saved && getgid () == getegid () ? DN_SEEN_UNCHANGED : 0;
}

static int
open_own_file (void)
{
  return open (FILE_OF_OURS, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static int
give_away (const DnAim *aim)
{
  int fd = open_own_file ();
  int seen = dn_seen (fchown (fd, (uid_t) aim->a, (gid_t) aim->a));

  (void) unlink (FILE_OF_OURS);
  return fd < 0 ? DN_SEEN_UNKNOWN : seen;
}

/* A file capability as a v2 attribute: CAP_SYS_ADMIN for whoever runs the file. */
static int
set_attribute (const DnAim *aim)
{
  static const unsigned char value[20] = { 1, 0, 0, 2, 0, 0, 0x20 };
  int fd = open_own_file ();
  int seen = dn_seen (fsetxattr (fd, aim->path, value, sizeof value, 0));

  (void) unlink (FILE_OF_OURS);
  return fd < 0 ? DN_SEEN_UNKNOWN : seen;
}

static int
raise_limit (const DnAim *aim)
{
  struct rlimit limit;

  if (getrlimit ((__rlimit_resource_t) aim->a, &limit) < 0)
    return errno;
  if (limit.rlim_max == RLIM_INFINITY)
    return 0;
  limit.rlim_max += 1;
  return dn_seen (setrlimit ((__rlimit_resource_t) aim->a, &limit));
}

/* A second filter cannot take the first one away, and mode 0 is no mode. */
static int
lift_filter (const DnAim *aim)
{
  (void) aim;
  return prctl (PR_GET_SECCOMP, 0, 0, 0, 0) == 0
             ? 0
             : dn_seen (prctl (PR_SET_SECCOMP, SECCOMP_MODE_DISABLED, 0, 0, 0));
}

/* Root in here is another id outside, or it is root of the kernel. */
static int
compare_map (const DnAim *aim)
{
  unsigned int inside = 1, outside = 0;
  FILE *file = fopen (aim->path, "re");

  if (file == NULL)
    return errno;
  if (fscanf (file, "%u %u", &inside, &outside) != 2)
    inside = outside = 0;
  (void) fclose (file);
  return outside == 0 ? 0 : DN_SEEN_BOUNDED;
}

#define NEVER                                                                                      \
  (1L << CAP_SYS_ADMIN | 1L << CAP_NET_RAW | 1L << CAP_NET_ADMIN | 1L << CAP_SYS_PTRACE            \
   | 1L << CAP_MKNOD | 1L << CAP_SYS_MODULE | 1L << CAP_SYS_RAWIO | 1L << CAP_SYS_BOOT             \
   | 1L << CAP_SYS_TIME | 1L << CAP_DAC_READ_SEARCH | 1L << CAP_SETFCAP | 1L << CAP_AUDIT_WRITE    \
   | 1L << CAP_SYS_CHROOT | 1L << CAP_BPF | 1L << CAP_PERFMON | 1L << CAP_CHECKPOINT_RESTORE)

static const DnProbe probes[] = {
  { "privileges.capset",
    "capset: all capabilities",
    "R3.5",
    "EPERM",
    NULL,
    raise_all,
    { .a = -1 } },
  { "privileges.capset-admin",
    "capset: CAP_SYS_ADMIN",
    "R3.5",
    "EPERM",
    NULL,
    raise_all,
    { .a = 1L << CAP_SYS_ADMIN } },
  { "privileges.bounds",
    "capabilities left in the bounding set",
    "R5.12",
    "empty",
    "empty ok",
    look_at_bounds,
    { .a = 0x1ffffffffffL } },
  { "privileges.bounds-never",
    "those in it that escapes begin with",
    "R5.12",
    "empty",
    NULL,
    look_at_bounds,
    { .a = NEVER } },
  { "privileges.ambient",
    "an ambient capability",
    "R3.5",
    "EPERM",
    NULL,
    raise_ambient,
    { .a = CAP_SYS_ADMIN } },
  { "privileges.securebits",
    "securebits",
    "R3.5",
    "EPERM",
    NULL,
    control_process,
    { .a = PR_SET_SECUREBITS, .b = SECBIT_KEEP_CAPS | SECBIT_NOROOT } },
  { "privileges.no-new-privs",
    "exec as a way to more rights",
    "R3.4",
    "bounded",
    NULL,
    read_no_new_privileges,
    { 0 } },
  { "privileges.new-privs",
    "no_new_privs off again",
    "R3.4",
    "EINVAL EPERM",
    NULL,
    control_process,
    { .a = PR_SET_NO_NEW_PRIVS, .b = 0 } },
  { "privileges.filter", "seccomp off again", "R3.6", "EINVAL EPERM", NULL, lift_filter, { 0 } },
  { "privileges.uid", "another's uid", "R3.5", "EPERM", "EPERM ok", change_id, { .a = 'u' } },
  { "privileges.gid", "another's gid", "R3.5", "EPERM", "EPERM ok", change_id, { .a = 'g' } },
  { "privileges.groups",
    "another's groups (CVE-2023-25173 class)",
    "R3.5",
    "EPERM",
    "EPERM ok",
    change_id,
    { .a = 's' } },
  { "privileges.uid-map",
    "root here is root of the kernel",
    "R2.4",
    "bounded",
    NULL,
    compare_map,
    { .path = "/proc/self/uid_map" } },
  { "privileges.set-id",
    "a set-id program of the image's",
    "R3.4",
    "absent unchanged",
    NULL,
    run_set_id,
    { .path = SUID_PROBE } },
  { "privileges.euid",
    "ids that differ after exec",
    "R3.4",
    "unchanged",
    NULL,
    compare_ids,
    { 0 } },
  { "privileges.chown",
    "a file given to another",
    "R3.5",
    "EPERM",
    "EPERM ok",
    give_away,
    { .a = OTHER_ID } },
  { "privileges.file-capability",
    "a capability on a file",
    "R3.4",
    "EPERM EOPNOTSUPP",
    NULL,
    set_attribute,
    { .path = "security.capability" } },
  { "privileges.trusted",
    "an attribute that overlayfs obeys",
    "R3.5",
    "EPERM EOPNOTSUPP",
    NULL,
    set_attribute,
    { .path = "trusted.overlay.opaque" } },
  { "privileges.limit-files",
    "more open files than the hard limit",
    "R5.14",
    "EPERM",
    NULL,
    raise_limit,
    { .a = RLIMIT_NOFILE } },
  { "privileges.limit-memlock",
    "more locked memory than the hard limit",
    "R5.14",
    "EPERM",
    NULL,
    raise_limit,
    { .a = RLIMIT_MEMLOCK } },
  { "privileges.limit-core",
    "core files",
    "R5.14",
    "EPERM",
    NULL,
    raise_limit,
    { .a = RLIMIT_CORE } },
  { "privileges.set-mm",
    "prctl(PR_SET_MM): another name for oneself",
    "R3.5",
    "EPERM",
    NULL,
    control_process,
    { .a = PR_SET_MM, .b = PR_SET_MM_START_CODE, .c = 4096 } },
};

DN_FAMILY (dn_privileges, probes);
