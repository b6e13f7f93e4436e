/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "poweroff.h"

typedef struct
{
  const char *name; /* below /proc/sys */
  const char *value;
} Setting;

static const Setting settings[] = {
  /* Addresses and the log of the kernel: an exploit's map. */
  { "kernel/kptr_restrict", "2" },
  { "kernel/dmesg_restrict", "1" },
  /* Large, seldom needed surfaces; bpf's cannot be undone. */
  { "kernel/perf_event_paranoid", "3" },
  { "kernel/unprivileged_bpf_disabled", "1" },
  /* Debian's own switch: user namespaces are made by the agent, as root, and by nobody else. */
  { "kernel/unprivileged_userns_clone", "0" },
  { "net/core/bpf_jit_harden", "2" },
  { "kernel/io_uring_disabled", "2" },
  { "vm/unprivileged_userfaultfd", "0" },
  { "kernel/kexec_load_disabled", "1" },
  { "kernel/sysrq", "0" },
  /* A process reads another's memory with CAP_SYS_PTRACE only. */
  { "kernel/yama/ptrace_scope", "2" },
  /* No core file and no helper: with RLIMIT_CORE 0 "core" never names a file, and it names no
   * program either, which is what makes this setting an escape elsewhere. */
  { "kernel/core_pattern", "core" },
  { "fs/suid_dumpable", "0" },
  { "kernel/randomize_va_space", "2" },
  /* As much chance as the processor has room for, and nothing near address 0. */
  { "vm/mmap_rnd_bits", "32" },
  { "vm/mmap_min_addr", "65536" },
  /* Pushing characters into another's terminal; loading line disciplines by opening one. */
  { "dev/tty/legacy_tiocsti", "0" },
  { "dev/tty/ldisc_autoload", "0" },
  /* Races through names in directories that others can write. */
  { "fs/protected_symlinks", "1" },
  { "fs/protected_hardlinks", "1" },
  { "fs/protected_fifos", "2" },
  { "fs/protected_regular", "2" },
  /* An oops may leave locks held and a half-made exploit alive: end the guest instead. */
  { "kernel/panic_on_oops", "1" },
  /* The kernel runs no program on its own behalf: the root has none, and this makes it sure. */
  { "kernel/modprobe", "" },
  { "kernel/hotplug", "" },
};

static void
write_setting (const Setting *setting)
{
  char path[96];
  char what[128];
  size_t size = strlen (setting->value);
  ssize_t written;
  int fd;

  (void) snprintf (path, sizeof path, "/proc/sys/%s", setting->name);
  fd = open (path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    return;
  (void) snprintf (what, sizeof what, "set '%s'", setting->name);
  if (fd < 0)
    dn_poweroff_failed (what, errno);
  /* An empty text is written as its end of line: a write of no bytes changes nothing. */
  written = size > 0 ? write (fd, setting->value, size) : write (fd, "\n", 1);
  if (written < 0)
    dn_poweroff_failed (what, errno);
  (void) close (fd);
}

static void
bring_up_loopback (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0 || ioctl (fd, SIOCSIFFLAGS, &request) < 0)
    dn_poweroff_failed ("bring up 'lo'", errno);
  (void) close (fd);
}

void
dn_settings_apply (void)
{
  const struct rlimit none = { 0, 0 };

  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
    write_setting (&settings[i]);

  /* Inherited by everything in the guest. */
  if (setrlimit (RLIMIT_CORE, &none) < 0)
    dn_poweroff_failed ("forbid core files", errno);
  /* Until the host says otherwise (CONFIGURE). */
  if (sethostname ("danchi", 6) < 0)
    dn_poweroff_failed ("set the host name", errno);
  bring_up_loopback ();
}

void
dn_settings_seal (void)
{
  static const Setting seal = { "kernel/modules_disabled", "1" };

  write_setting (&seal);
}
