/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../base/share-order.h"
#include "../confined/allowlist.h"

#define SET_ID_BITS (S_ISUID | S_ISGID)
#define SPACES                                                                                     \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID      \
   | CLONE_NEWNET)
/* O_TMPFILE without O_DIRECTORY, which it includes. */
#define TEMPORARY_BIT (O_TMPFILE & ~O_DIRECTORY)
/* The upper half of a register is nothing to the kernel where an id is 32 bits wide. */
#define ID_BITS 0xffffffffu
#define FOREIGN_BITS (ID_BITS & ~(DN_SHARE_GUEST_IDS - 1))

/* Without the bits at argument @index. */
#define DN_ALLOW_WITHOUT(call, index, bits) DN_ALLOW_ONLY (call, index, SCMP_CMP_MASKED_EQ, bits, 0)
/* A guest's own id at argument @index, or -1: none. */
#define DN_ALLOW_OWN_ID(call, index)                                                               \
  DN_ALLOW_ONLY (call, index, SCMP_CMP_MASKED_EQ, FOREIGN_BITS, 0),                                \
      DN_ALLOW_ONLY (call, index, SCMP_CMP_MASKED_EQ, ID_BITS, ID_BITS)

static const DnAllowed allowed[] = {
  /* Bytes. */
  DN_ALLOW (read),
  DN_ALLOW (readv),
  DN_ALLOW (pread64),
  DN_ALLOW (preadv),
  DN_ALLOW (write),
  DN_ALLOW (writev),
  DN_ALLOW (pwrite64),
  DN_ALLOW (pwritev),
  DN_ALLOW (lseek),
  DN_ALLOW (copy_file_range),
  /* Files by name; what is made is made plain. */
  DN_ALLOW_WITHOUT (open, 1, O_CREAT | TEMPORARY_BIT),
  DN_ALLOW_WITHOUT (openat, 2, O_CREAT | TEMPORARY_BIT),
  DN_ALLOW_WITHOUT (openat, 3, SET_ID_BITS),
  DN_ALLOW_WITHOUT (mkdirat, 2, SET_ID_BITS),
  DN_ALLOW (access),
  DN_ALLOW (stat),
  DN_ALLOW (lstat),
  DN_ALLOW (newfstatat),
  DN_ALLOW (statx),
  DN_ALLOW (readlink),
  DN_ALLOW (readlinkat),
  DN_ALLOW (getcwd),
  DN_ALLOW (chdir),
  DN_ALLOW (fchdir),
  DN_ALLOW (chroot), /* once, by itself; its own filter forbids it */
  DN_ALLOW (linkat),
  DN_ALLOW (unlinkat),
  DN_ALLOW (renameat),
  DN_ALLOW (renameat2),
  DN_ALLOW (symlinkat),
  DN_ALLOW (utimensat),
  DN_ALLOW (umask),
  /* The owner's id is bounded by the map of the user namespace. */
  DN_ALLOW_OWN_ID (fchownat, 3),
  /* Open files. */
  DN_ALLOW (close),
  DN_ALLOW (close_range),
  DN_ALLOW (dup),
  DN_ALLOW (dup2),
  DN_ALLOW (dup3),
  DN_ALLOW (fcntl),
  DN_ALLOW (flock),
  DN_ALLOW (fstat),
  DN_ALLOW (fstatfs),
  DN_ALLOW (statfs),
  DN_ALLOW (fallocate),
  DN_ALLOW (fdatasync),
  DN_ALLOW (fsync),
  DN_ALLOW (ftruncate),
  DN_ALLOW (getdents),
  DN_ALLOW (getdents64),
  DN_ALLOW (ioctl), /* isatty(3) at the start */
  DN_ALLOW (pipe2),
  DN_ALLOW (eventfd2),
  DN_ALLOW (poll),
  DN_ALLOW (ppoll),
  /* The one socket that it was given. */
  DN_ALLOW (accept),
  DN_ALLOW (accept4),
  DN_ALLOW (recvmsg),
  DN_ALLOW (sendmsg),
  DN_ALLOW (getsockname),
  DN_ALLOW (getsockopt),
  /* Memory, never writable and executable at once. */
  DN_ALLOW (brk),
  DN_ALLOW (munmap),
  DN_ALLOW (mremap),
  DN_ALLOW (madvise),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, 0),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_WRITE),
  DN_ALLOW_ONLY (mmap, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC),
  DN_ALLOW_ONLY (mprotect, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, 0),
  DN_ALLOW_ONLY (mprotect, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_WRITE),
  DN_ALLOW_ONLY (mprotect, 2, SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC),
  /* Threads, without namespaces; each lets go of the others' umask and directory. */
  DN_ALLOW_WITHOUT (clone, 0, SPACES),
  DN_ALLOW_ONLY (unshare, 0, SCMP_CMP_EQ, CLONE_FS, 0),
  DN_ALLOW (execve), /* itself; its own filter forbids it */
  DN_ALLOW (exit),
  DN_ALLOW (exit_group),
  DN_ALLOW (tgkill),
  DN_ALLOW (rt_sigaction),
  DN_ALLOW (rt_sigprocmask),
  DN_ALLOW (rt_sigreturn),
  DN_ALLOW (restart_syscall),
  DN_ALLOW (sigaltstack),
  DN_ALLOW (futex),
  DN_ALLOW (set_robust_list),
  DN_ALLOW (set_tid_address),
  DN_ALLOW (rseq),
  DN_ALLOW (arch_prctl),
  DN_ALLOW (prctl),
  DN_ALLOW (sched_getaffinity),
  DN_ALLOW (sched_getattr),
  DN_ALLOW (sched_setattr),
  DN_ALLOW (sched_yield),
  DN_ALLOW (getpid),
  DN_ALLOW (getppid),
  DN_ALLOW (gettid),
  DN_ALLOW (getrlimit),
  DN_ALLOW (setrlimit),
  DN_ALLOW (prlimit64),
  DN_ALLOW (sysinfo),
  DN_ALLOW (uname),
  DN_ALLOW (clock_gettime),
  DN_ALLOW (clock_nanosleep),
  DN_ALLOW (gettimeofday),
  DN_ALLOW (time),
  DN_ALLOW (getrandom),
  /* Ids: whose a file becomes while it is made. */
  DN_ALLOW (getuid),
  DN_ALLOW (geteuid),
  DN_ALLOW (getgid),
  DN_ALLOW (getegid),
  DN_ALLOW (getgroups),
  DN_ALLOW (setresuid),
  DN_ALLOW_OWN_ID (setresgid, 1),
  DN_ALLOW (capget),
  DN_ALLOW (capset),
  DN_ALLOW (seccomp),
};

/* Newer ways, on which libraries fall back to what is above; the first has its flags in memory,
 * where no filter sees them. */
static const int unknown[] = {
  SCMP_SYS (clone3),     SCMP_SYS (openat2),     SCMP_SYS (faccessat2),
  SCMP_SYS (membarrier), SCMP_SYS (userfaultfd), SCMP_SYS (io_uring_setup),
};

/* mknodat(2) of a FIFO or a socket, or of a plain file, which that of type 0 is too. */
static int
allow_plain_nodes (scmp_filter_ctx filter)
{
  static const scmp_datum_t types[] = { 0, S_IFREG, S_IFIFO, S_IFSOCK };
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof types / sizeof types[0]; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (mknodat), 1,
                          SCMP_A2 (SCMP_CMP_MASKED_EQ, S_IFMT | SET_ID_BITS, types[i]));
  return r;
}

/* What a pod's share can be told that others' cannot: a directory's set-group-ID bit.  The filter
 * does not see what a descriptor is of. */
static int
allow_modes (scmp_filter_ctx filter, bool is_pods)
{
  const scmp_datum_t bits = is_pods ? S_ISUID : SET_ID_BITS;
  int r = seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (fchmod), 1,
                            SCMP_A1 (SCMP_CMP_MASKED_EQ, bits, 0));

  return r < 0 ? r
               : seccomp_rule_add (filter, SCMP_ACT_ALLOW, SCMP_SYS (fchmodat), 1,
                                   SCMP_A2 (SCMP_CMP_MASKED_EQ, bits, 0));
}

int
dn_share_filter_load (bool is_pods)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  int r = filter == NULL ? -ENOMEM : 0;

  /* Other architectures' calls would be a second list to get right. */
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (r == 0)
    r = seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (size_t i = 0; r == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
    r = seccomp_rule_add_array (filter, SCMP_ACT_ALLOW, allowed[i].call, allowed[i].condition_count,
                                allowed[i].conditions);
  for (size_t i = 0; r == 0 && i < sizeof unknown / sizeof unknown[0]; i++)
    r = seccomp_rule_add (filter, SCMP_ACT_ERRNO (ENOSYS), unknown[i], 0);
  if (r == 0)
    r = allow_plain_nodes (filter);
  if (r == 0)
    r = allow_modes (filter, is_pods);
  if (r == 0)
    r = seccomp_load (filter);
  seccomp_release (filter);
  return r;
}
