/* SPDX-License-Identifier: Apache-2.0 */
/* Settings and secrets of the kernel, by procfs and sysfs.  Files are opened and never written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#define CLOSED "EROFS EACCES EPERM ENOENT"
#define UNREADABLE "empty EACCES EPERM ENOENT"

/* Whether any address in kallsyms is not zero. */
static int
read_addresses (const DnAim *aim)
{
  char line[256];
  int seen = DN_SEEN_EMPTY;
  FILE *file = fopen (aim->path, "re");

  if (file == NULL)
    return errno;
  for (int i = 0; i < 64 && fgets (line, sizeof line, file) != NULL; i++)
    if (strspn (line, "0") < 16)
      seen = 0;
  (void) fclose (file);
  return seen;
}

/* Lowering it would make the kernel kill others first. */
static int
favour_oneself (const DnAim *aim)
{
  int fd = open (aim->path, O_WRONLY | O_CLOEXEC);

  return fd < 0 ? errno : dn_seen (write (fd, "-1000", 5));
}

#define WRITE(id, technique, file)                                                                 \
  {                                                                                                \
    "procfs." id, technique, "R2.2", CLOSED, NULL, dn_attempt_open,                                \
    {                                                                                              \
      .path = file, .a = O_WRONLY                                                                  \
    }                                                                                              \
  }
#define READ(id, technique, file)                                                                  \
  {                                                                                                \
    "procfs." id, technique, "R2.2", UNREADABLE, NULL, dn_attempt_read, { .path = file }           \
  }

static const DnProbe probes[] = {
  WRITE ("core-pattern", "a program for core dumps (CVE-2022-0811, CVE-2025-52881)",
         "/proc/sys/kernel/core_pattern"),
  WRITE ("modprobe", "the program that loads modules", "/proc/sys/kernel/modprobe"),
  WRITE ("sysrq-trigger", "sysrq: reset or crash the machine (CVE-2025-52881)",
         "/proc/sysrq-trigger"),
  WRITE ("uevent-helper", "the program for device events", "/sys/kernel/uevent_helper"),
  WRITE ("binfmt", "an interpreter for others' programs", "/proc/sys/fs/binfmt_misc/register"),
  WRITE ("panic-on-oom", "a setting that crashes the machine later", "/proc/sys/vm/panic_on_oom"),
  WRITE ("randomize", "address randomisation off", "/proc/sys/kernel/randomize_va_space"),
  WRITE ("ptrace-scope", "tracing of others on", "/proc/sys/kernel/yama/ptrace_scope"),
  WRITE ("max-user-ns", "the number of user namespaces", "/proc/sys/user/max_user_namespaces"),
  WRITE ("cpu-online", "a processor off", "/sys/devices/system/cpu/cpu1/online"),
  WRITE ("power-state", "the machine to sleep", "/sys/power/state"),
  WRITE ("pci-rescan", "the bus of the machine", "/sys/bus/pci/rescan"),
  WRITE ("ksm", "memory deduplication for side channels", "/sys/kernel/mm/ksm/run"),
  READ ("kcore", "the kernel's memory", "/proc/kcore"),
  READ ("keys", "others' keys", "/proc/keys"),
  READ ("timer-list", "addresses and others' timers", "/proc/timer_list"),
  READ ("sched-debug", "all processes of the machine", "/proc/sched_debug"),
  READ ("sched-debugfs", "all processes of the machine", "/sys/kernel/debug/sched/debug"),
  READ ("tracing", "tracing of the kernel", "/sys/kernel/tracing/trace"),
  READ ("vmcoreinfo", "where the kernel is in memory", "/sys/kernel/vmcoreinfo"),
  READ ("boot-secret", "the secret between guest and host",
        "/sys/firmware/qemu_fw_cfg/by_name/opt/org.danchi/secret/raw"),
  READ ("acpi-tables", "the machine's tables", "/sys/firmware/acpi/tables/DSDT"),
  READ ("kmsg", "the kernel's log", "/proc/kmsg"),
  READ ("slabinfo", "the state of the kernel's heap", "/proc/slabinfo"),
  READ ("pagetypeinfo", "the layout of physical memory", "/proc/pagetypeinfo"),
  READ ("kpageflags", "the flags of every page of memory", "/proc/kpageflags"),
  { "procfs.kallsyms",
    "addresses of the kernel's functions",
    "R2.2",
    UNREADABLE,
    NULL,
    read_addresses,
    { .path = "/proc/kallsyms" } },
  { "procfs.oom-score",
    "having the kernel kill others first",
    "R5.14",
    "EACCES EPERM EROFS",
    NULL,
    favour_oneself,
    { .path = "/proc/self/oom_score_adj" } },
};

DN_FAMILY (dn_procfs, probes);
