/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's process must not be able to do, tried: each attempt is harmless if it should
 * succeed, and all end with this process.  After the filter is loaded: plain system calls only. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/if_alg.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "verify.h"

static int
try_new_user (void)
{
  return unshare (CLONE_NEWUSER);
}

static int
try_new_net (void)
{
  return unshare (CLONE_NEWNET);
}

static int
try_new_mount (void)
{
  return unshare (CLONE_NEWNS);
}

static int
try_setns (void)
{
  int fd = open ("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

  return fd < 0 ? -1 : setns (fd, CLONE_NEWNET);
}

/* Changes nothing: all mounts of a container are private already. */
static int
try_mount (void)
{
  return mount (NULL, "/", NULL, MS_PRIVATE, NULL);
}

static int
try_open_tree (void)
{
  return (int) syscall (SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int
try_chroot (void)
{
  return chroot ("/");
}

static int
try_keyctl (void)
{
  return (int) syscall (SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

/* On a keyring that ends with this process. */
static int
try_add_key (void)
{
  return (int) syscall (SYS_add_key, "user", "danchi-verify", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}

static int
try_bpf (void)
{
  union bpf_attr attr;

  memset (&attr, 0, sizeof attr);
  attr.map_type = BPF_MAP_TYPE_ARRAY;
  attr.key_size = attr.value_size = 4;
  attr.max_entries = 1;
  return (int) syscall (SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static int
try_io_uring (void)
{
  struct io_uring_params params;

  memset (&params, 0, sizeof params);
  return (int) syscall (SYS_io_uring_setup, 1, &params);
}

static int
try_userfaultfd (void)
{
  return (int) syscall (SYS_userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
}

static int
try_perf (void)
{
  struct perf_event_attr attr;

  memset (&attr, 0, sizeof attr);
  attr.type = PERF_TYPE_SOFTWARE;
  attr.size = sizeof attr;
  attr.config = PERF_COUNT_SW_TASK_CLOCK;
  attr.exclude_kernel = attr.exclude_hv = 1;
  return (int) syscall (SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int
try_vsock (void)
{
  return socket (AF_VSOCK, SOCK_STREAM, 0);
}

static int
try_packet (void)
{
  return socket (AF_PACKET, SOCK_RAW, 0);
}

static int
try_alg (void)
{
  return socket (AF_ALG, SOCK_SEQPACKET, 0);
}

static int
try_raw (void)
{
  return socket (AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

/* By its parent, the verifier, which does not trace: see dn_verify_attempt_is_last().  Whoever is
 * traced stops at a signal even if he ignores it, and nobody would let him go on: a neighbour's
 * signal must not come between this and the answer.  One that a filter forces comes all the same.
 */
static int
try_trace (void)
{
  sigset_t all, before;
  int r;

  (void) sigfillset (&all);
  (void) sigprocmask (SIG_BLOCK, &all, &before);
  r = (int) ptrace (PTRACE_TRACEME, 0, NULL, NULL);
  if (r < 0)
    {
      int code = errno;

      (void) sigprocmask (SIG_SETMASK, &before, NULL);
      errno = code;
    }
  return r;
}

static int
try_read_memory (void)
{
  char byte;
  struct iovec local = { &byte, 1 };
  struct iovec remote = { (void *) 0x1000, 1 };
  long n = syscall (SYS_process_vm_readv, 1, &local, 1, &remote, 1, 0);

  /* EFAULT: it was allowed, there is just nothing at that address. */
  return n < 0 && errno == EFAULT ? 0 : (int) n;
}

static int
try_core_pattern (void)
{
  return open ("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
}

static int
try_sysrq (void)
{
  return open ("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
}

static int
try_kcore (void)
{
  char byte;
  int fd = open ("/proc/kcore", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return -1;
  if (read (fd, &byte, 1) > 0)
    return 0;
  errno = ENODATA; /* masked: it opens, and there is nothing in it */
  return -1;
}

/* A container's own file or pipe of such a name is no device, and must not hold us up. */
static int
open_device (const char *path)
{
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);

  if (fd < 0 || fstat (fd, &status) < 0 || S_ISCHR (status.st_mode) || S_ISBLK (status.st_mode))
    return fd;
  errno = ENODEV;
  return -1;
}

static int
try_dev_mem (void)
{
  return open_device ("/dev/mem");
}

static int
try_disk (void)
{
  return open_device ("/dev/vda");
}

static int
try_mknod (void)
{
  /* A name that nobody can have taken: EEXIST would come before the refusal. */
  char path[64];
  uint64_t chance = 0;
  int r;

  (void) !getrandom (&chance, sizeof chance, 0);
  (void) snprintf (path, sizeof path, "/dev/shm/.danchi-%016" PRIx64, chance);
  r = mknod (path, S_IFCHR | 0600, makedev (1, 1));
  if (r == 0)
    (void) unlink (path);
  return r;
}

/* Without the filter's rule the kernel would say that this is no terminal. */
static int
try_tiocsti (void)
{
  char byte = 'x';
  int r = ioctl (0, TIOCSTI, &byte);

  return r < 0 && errno == ENOTTY ? 0 : r;
}

static int
try_setuid (void)
{
  return getuid () == 0 ? DN_VERIFY_NOT_TRIED : setresuid (0, 0, 0);
}

static int
try_raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return -1;
  limit.rlim_max++;
  return setrlimit (RLIMIT_NOFILE, &limit);
}

static int
try_module (void)
{
  int r = (int) syscall (SYS_init_module, NULL, 0, "");

  /* No module at all: but the kernel was ready to take one. */
  return r < 0 && errno == ENOEXEC ? 0 : r;
}

static int
try_kexec (void)
{
  return (int) syscall (SYS_kexec_load, 0, 0, NULL, 0);
}

static int
try_handle (void)
{
  struct
  {
    struct file_handle handle;
    char bytes[8];
  } file = { .handle = { .handle_bytes = 8, .handle_type = 1 } };
  int root = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int r = root < 0 ? -1 : open_by_handle_at (root, &file.handle, O_RDONLY);

  /* The right to try is what counts, not whether such a file is there. */
  return r < 0 && (errno == ESTALE || errno == EOPNOTSUPP) ? 0 : r;
}

static int
try_kernel_log (void)
{
  char text[16];

  return (int) syscall (SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof text);
}

/* To what it is: a guest's clock may be off by that much. */
static int
try_set_clock (void)
{
  struct timespec now;

  if (clock_gettime (CLOCK_REALTIME, &now) < 0)
    return -1;
  return (int) syscall (SYS_clock_settime, CLOCK_REALTIME, &now);
}

static const struct
{
  const char *name;
  int (*attempt) (void);
} attempts[] = {
  /* In the order of verify.def. */
  { "new-user-namespace", try_new_user },
  { "new-net-namespace", try_new_net },
  { "new-mount-namespace", try_new_mount },
  { "join-a-namespace", try_setns },
  { "mount", try_mount },
  { "open-tree", try_open_tree },
  { "chroot", try_chroot },
  { "keyctl", try_keyctl },
  { "add-key", try_add_key },
  { "bpf", try_bpf },
  { "io-uring", try_io_uring },
  { "userfaultfd", try_userfaultfd },
  { "perf-event-open", try_perf },
  { "vsock-socket", try_vsock },
  { "packet-socket", try_packet },
  { "alg-socket", try_alg },
  { "raw-socket", try_raw },
  { "ptrace", try_trace },
  { "read-memory-of-process-1", try_read_memory },
  { "write-core-pattern", try_core_pattern },
  { "write-sysrq-trigger", try_sysrq },
  { "read-kcore", try_kcore },
  { "open-dev-mem", try_dev_mem },
  { "open-the-guests-disk", try_disk },
  { "make-a-device-file", try_mknod },
  { "push-terminal-input", try_tiocsti },
  { "become-id-0", try_setuid },
  { "raise-a-limit", try_raise_limit },
  { "load-a-module", try_module },
  { "kexec", try_kexec },
  { "open-by-file-handle", try_handle },
  { "read-the-kernels-log", try_kernel_log },
  { "set-the-clock", try_set_clock },
};

/* One name for each: a new one in verify.def has to be made here. */
enum
{
#define DN_ATTEMPT(id, name, demand, capability) ATTEMPT_##id,
#include "../../protocol/verify.def"
  ATTEMPTS,
};
_Static_assert(sizeof attempts / sizeof attempts[0] == ATTEMPTS, "an attempt is not made");

const char *
dn_verify_attempt_name (size_t i)
{
  return i < ATTEMPTS ? attempts[i].name : NULL;
}

int
dn_verify_attempt_make (size_t i)
{
  return attempts[i].attempt ();
}

bool
dn_verify_attempt_is_last (size_t i)
{
  return attempts[i].attempt == try_trace;
}
