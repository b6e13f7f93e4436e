/* SPDX-License-Identifier: Apache-2.0 */
/* Large or seldom used parts of the kernel that exploits have begun with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* What a call that went through has opened goes with the child. */
static int
make_map (const DnAim *aim)
{
  union bpf_attr attributes = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4 };

  (void) aim;
  attributes.max_entries = 1;
  return dn_seen (syscall (SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

/* return 0; as a socket filter: what the kernel gives to users where it gives any. */
static int
load_program (const DnAim *aim)
{
  const struct bpf_insn program[] = { { .code = 0xb7, .dst_reg = 0, .imm = 0 }, { .code = 0x95 } };
  union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2 };

  (void) aim;
  attributes.insns = (unsigned long) program;
  attributes.license = (unsigned long) "none";
  return dn_seen (syscall (SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}

static int
open_counter (const DnAim *aim)
{
  struct perf_event_attr attributes = { .type = (unsigned int) aim->a, .size = sizeof attributes };

  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  return dn_seen (syscall (SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int
set_up_ring (const DnAim *aim)
{
  struct io_uring_params parameters = { 0 };

  (void) aim;
  return dn_seen (syscall (SYS_io_uring_setup, 1, &parameters));
}

static int
set_up_aio (const DnAim *aim)
{
  unsigned long context = 0;

  (void) aim;
  return dn_seen (syscall (SYS_io_setup, 1, &context));
}

static int
set_personality (const DnAim *aim)
{
  return dn_seen (personality ((unsigned long) aim->a));
}

static int
splice_memory (const DnAim *aim)
{
  static char page[4096] __attribute__ ((aligned (4096)));
  struct
  {
    void *base;
    size_t size;
  } vector = { page, sizeof page };
  int ends[2];

  (void) aim;
  return pipe (ends) < 0 ? DN_SEEN_UNKNOWN
                         : dn_seen (syscall (SYS_vmsplice, ends[1], &vector, 1, 0));
}

static int
be_real_time (const DnAim *aim)
{
  const struct sched_param parameters = { .sched_priority = 1 };

  (void) aim;
  return dn_seen (sched_setscheduler (0, SCHED_FIFO, &parameters));
}

static int
be_first (const DnAim *aim)
{
  return dn_seen (setpriority (PRIO_PROCESS, 0, (int) aim->a));
}

/* More than any profile's RLIMIT_MEMLOCK. */
static int
lock_memory (const DnAim *aim)
{
  void *bytes = mmap (NULL, (size_t) aim->a, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return bytes == MAP_FAILED ? DN_SEEN_UNKNOWN : dn_seen (mlock (bytes, (size_t) aim->a));
}

/* Address 0: what a NULL pointer of the kernel's would reach. */
static int
map_zero (const DnAim *aim)
{
  void *bytes
      = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

  (void) aim;
  return bytes == MAP_FAILED ? errno : 0;
}

#define CALL(id, technique, number, argument, answers)                                             \
  {                                                                                                \
    "surfaces." id, technique, "R3.6", answers, NULL, dn_attempt_call,                             \
    {                                                                                              \
      .a = number, .b = argument                                                                   \
    }                                                                                              \
  }

static const DnProbe probes[] = {
  { "surfaces.bpf-map", "bpf: a map", "R3.6", "EPERM", NULL, make_map, { 0 } },
  { "surfaces.bpf-program",
    "bpf: a program for the verifier (CVE-2021-3490 class)",
    "R3.6",
    "EPERM",
    NULL,
    load_program,
    { 0 } },
  { "surfaces.perf-software",
    "perf_event_open (CVE-2013-2094 class)",
    "R3.6",
    "EPERM",
    NULL,
    open_counter,
    { .a = PERF_TYPE_SOFTWARE } },
  { "surfaces.perf-hardware",
    "perf_event_open: the processor's counters",
    "R3.6",
    "EPERM",
    NULL,
    open_counter,
    { .a = PERF_TYPE_HARDWARE } },
  { "surfaces.io-uring",
    "io_uring: operations that no filter sees (CVE-2023-2598 class)",
    "R3.6",
    "EPERM",
    NULL,
    set_up_ring,
    { 0 } },
  CALL ("io-uring-enter", "io_uring_enter", SYS_io_uring_enter, -1, "EPERM"),
  CALL ("io-uring-register", "io_uring_register", SYS_io_uring_register, -1, "EPERM"),
  CALL ("userfaultfd", "userfaultfd: stopping the kernel where one likes", SYS_userfaultfd, 0,
        "EPERM"),
  CALL ("fanotify", "fanotify: seeing others' files", SYS_fanotify_init, 0, "EPERM"),
  CALL ("fanotify-mark", "fanotify_mark", SYS_fanotify_mark, -1, "EPERM"),
  CALL ("memfd-secret", "memory that the kernel does not see", SYS_memfd_secret, 0, "EPERM"),
  CALL ("modify-ldt", "modify_ldt: segments (CVE-2015-5157 class)", SYS_modify_ldt, 0, "EPERM"),
  CALL ("kcmp", "kcmp: comparing the kernel's pointers", SYS_kcmp, 0, "EPERM"),
  CALL ("move-pages", "move_pages: where others' memory is", SYS_move_pages, 0, "EPERM"),
  CALL ("migrate-pages", "migrate_pages", SYS_migrate_pages, 0, "EPERM"),
  CALL ("mbind", "mbind", SYS_mbind, 0, "EPERM"),
  CALL ("remap-file-pages", "remap_file_pages", SYS_remap_file_pages, 0, "EPERM"),
  CALL ("lookup-dcookie", "lookup_dcookie", SYS_lookup_dcookie, 0, "EPERM ENOSYS"),
  CALL ("nfsservctl", "a call that was removed", SYS_nfsservctl, 0, "ENOSYS EPERM"),
  CALL ("quotactl-fd", "quotactl_fd", 443, -1, "EPERM"),
  CALL ("process-madvise", "process_madvise: others' memory", SYS_process_madvise, -1, "EPERM"),
  { "surfaces.vmsplice",
    "vmsplice: pages given to the kernel (CVE-2008-0600 class)",
    "R3.6",
    "EPERM",
    NULL,
    splice_memory,
    { 0 } },
  { "surfaces.aio", "kernel AIO", "R3.6", "EPERM", NULL, set_up_aio, { 0 } },
  { "surfaces.personality",
    "personality: no address randomisation",
    "R3.6",
    "EPERM",
    NULL,
    set_personality,
    { .a = ADDR_NO_RANDOMIZE } },
  { "surfaces.read-implies-exec",
    "personality: data as code",
    "R3.6",
    "EPERM",
    NULL,
    set_personality,
    { .a = READ_IMPLIES_EXEC } },
  { "surfaces.mmap-zero",
    "memory at address 0 (CVE-2009-2692 class)",
    "R3.6",
    "EPERM EACCES",
    NULL,
    map_zero,
    { 0 } },
  { "surfaces.real-time",
    "real-time priority: starving the agent",
    "R5.14",
    "EPERM",
    NULL,
    be_real_time,
    { 0 } },
  { "surfaces.nice",
    "priority over all others",
    "R5.14",
    "EACCES EPERM",
    NULL,
    be_first,
    { .a = -20 } },
  { "surfaces.mlock",
    "memory that cannot be reclaimed",
    "R5.14",
    "ENOMEM EPERM EAGAIN",
    NULL,
    lock_memory,
    { .a = 256L << 20 } },
};

DN_FAMILY (dn_surfaces, probes);
