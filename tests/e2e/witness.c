/* SPDX-License-Identifier: Apache-2.0 */
/* A witness in the guest: linked into a copy of the agent that only the tests put there.  Before
 * the agent begins, it tells the console what guest root sees and what guest root can do:
 *
 *   witness: setting NAME VALUE      /proc/sys/NAME as the kernel has it
 *   witness: security NAME VALUE     /sys/kernel/security/NAME
 *   witness: pci VENDOR DEVICE CLASS one line for each device
 *   witness: mount TARGET TYPE FLAGS one line for each mount
 *   witness: root TARGET STATUS HASH what the kernel makes the root of (dm-verity)
 *   witness: try WHAT ERRNO          0 where it worked
 *   witness: end
 *
 * What is tried is harmless where it succeeds, and shall not succeed: even root of the guest can
 * change neither its kernel nor its root.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../guest-agent/mapper/verity-words.h"

static const char *const settings[] = {
  "kernel/kptr_restrict",
  "kernel/dmesg_restrict",
  "kernel/perf_event_paranoid",
  "kernel/unprivileged_bpf_disabled",
  "kernel/unprivileged_userns_clone",
  "net/core/bpf_jit_harden",
  "kernel/io_uring_disabled",
  "vm/unprivileged_userfaultfd",
  "kernel/kexec_load_disabled",
  "kernel/sysrq",
  "kernel/yama/ptrace_scope",
  "kernel/core_pattern",
  "fs/suid_dumpable",
  "kernel/randomize_va_space",
  "vm/mmap_rnd_bits",
  "vm/mmap_min_addr",
  "dev/tty/legacy_tiocsti",
  "dev/tty/ldisc_autoload",
  "fs/protected_symlinks",
  "fs/protected_hardlinks",
  "fs/protected_fifos",
  "fs/protected_regular",
  "kernel/panic_on_oops",
  "kernel/modprobe",
  "kernel/hotplug",
  "kernel/modules_disabled",
  "kernel/panic",
};

/* The first line of a file, without its end. */
static int
read_line (const char *path, char *ret_line, size_t size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read (fd, ret_line, size - 1);
  int saved_errno = errno;

  if (fd >= 0)
    (void) close (fd);
  if (n < 0)
    return -saved_errno;
  ret_line[n] = '\0';
  ret_line[strcspn (ret_line, "\n")] = '\0';
  return 0;
}

static void
tell_settings (void)
{
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
    {
      char path[128], value[256];
      int r;

      (void) snprintf (path, sizeof path, "/proc/sys/%s", settings[i]);
      r = read_line (path, value, sizeof value);
      /* A name without a file is a kernel without the feature. */
      if (r == -ENOENT)
        dprintf (2, "witness: setting %s absent\n", settings[i]);
      else
        dprintf (2, "witness: setting %s =%s\n", settings[i], r < 0 ? strerror (-r) : value);
    }
}

/* In a mount namespace of its own: the guest has no securityfs. */
static void
tell_security (void)
{
  static const char *const names[] = { "lsm", "lockdown" };

  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0
      || mount ("securityfs", "/sys/kernel/security", "securityfs", 0, NULL) < 0)
    return;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    {
      char path[64], value[256];

      (void) snprintf (path, sizeof path, "/sys/kernel/security/%s", names[i]);
      if (read_line (path, value, sizeof value) == 0)
        dprintf (2, "witness: security %s %s\n", names[i], value);
    }
}

static void
tell_devices (void)
{
  static const char *const names[] = { "vendor", "device", "class" };
  DIR *all = opendir ("/sys/bus/pci/devices");
  struct dirent *one;

  while (all != NULL && (one = readdir (all)) != NULL)
    {
      char values[3][32];

      for (size_t i = 0; i < 3 && one->d_name[0] != '.'; i++)
        {
          char path[320];

          (void) snprintf (path, sizeof path, "/sys/bus/pci/devices/%s/%s", one->d_name, names[i]);
          if (read_line (path, values[i], sizeof values[i]) < 0)
            strcpy (values[i], "?");
        }
      if (one->d_name[0] != '.')
        dprintf (2, "witness: pci %s %s %s\n", values[0], values[1], values[2]);
    }
  if (all != NULL)
    (void) closedir (all);
}

static void
tell_mounts (void)
{
  FILE *file = fopen ("/proc/self/mounts", "re");
  char target[128], type[32], flags[256];

  while (file != NULL && fscanf (file, "%*s %127s %31s %255s %*d %*d", target, type, flags) == 3)
    dprintf (2, "witness: mount %s %s %s\n", target, type, flags);
  if (file != NULL)
    (void) fclose (file);
}

static void
tell_root (void)
{
  DnMapperTable table;
  struct stat root;
  char status[64], hash[DN_VERITY_ROOT_BYTES + 1];

  if (stat ("/", &root) == 0 && dn_mapper_read (root.st_dev, &table, status, sizeof status) == 0
      && dn_verity_find_root (table.parameters, hash, sizeof hash) == 0)
    dprintf (2, "witness: root %s %s %s\n", table.target, status, hash);
}

static void
tell_try (const char *what, long result)
{
  dprintf (2, "witness: try %s %d\n", what, result < 0 ? errno : 0);
}

static void
try_open (const char *path, int flags)
{
  int fd = open (path, flags | O_CLOEXEC, 0600);

  tell_try (path, fd);
  if (fd >= 0)
    (void) close (fd);
}

static long
try_disk (const char *path)
{
  char block[512] = { 0 };
  int fd = open (path, O_RDWR | O_CLOEXEC);
  long n = fd < 0 ? -1 : pread (fd, block, sizeof block, 0);

  /* What was read goes back: nothing would change. */
  if (n > 0)
    n = pwrite (fd, block, sizeof block, 0) < 0 || fsync (fd) < 0 ? -1 : 0;
  return n;
}

static long
try_modules (void)
{
  int fd = open ("/proc/sys/kernel/modules_disabled", O_WRONLY | O_CLOEXEC);

  return fd < 0 ? -1 : write (fd, "0", 1);
}

static void
try_all (void)
{
  try_open ("/sbin/danchi-agent", O_WRONLY);
  try_open ("/sbin/new", O_WRONLY | O_CREAT);
  try_open ("/dev/mem", O_RDONLY);
  try_open ("/dev/port", O_RDWR);
  try_open ("/proc/kcore", O_RDONLY);
  tell_try ("remount-root-writable", mount (NULL, "/", NULL, MS_REMOUNT, NULL));
  tell_try ("write-the-root-disk", try_disk ("/dev/vda"));
  tell_try ("write-the-checked-root", try_disk ("/dev/dm-0"));
  tell_try ("load-a-module", syscall (SYS_init_module, "", 0, ""));
  tell_try ("load-a-kernel", syscall (SYS_kexec_load, 0, 0, NULL, KEXEC_ARCH_DEFAULT));
  tell_try ("allow-modules-again", try_modules ());
  tell_try ("io-ports", iopl (3));
  tell_try ("io-uring", syscall (SYS_io_uring_setup, 1, NULL));
}

__attribute__ ((constructor)) static void
bear_witness (void)
{
  int status;
  pid_t child = fork ();

  if (child == 0)
    {
      (void) close_range (3, ~0u, 0);
      tell_settings ();
      tell_devices ();
      tell_mounts ();
      tell_root ();
      try_all ();
      tell_security ();
      dprintf (2, "witness: end\n");
      _exit (0);
    }
  (void) waitpid (child, &status, 0);
}
