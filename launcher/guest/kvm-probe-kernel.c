/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "kvm-probe-ask.h"

#define GUEST_PAGE_BYTES 4096
#define GUEST_ENTRY 0x1000
#define ANSWER 0x42
#define ANSWER_PORT 0x10

/* What the child reports: where it stopped, and errno. */
typedef struct
{
  gint32 step;
  gint32 code;
} Verdict;

typedef enum
{
  STEP_WORKS,
  STEP_OPEN,
  STEP_VERSION,
  STEP_CREATE_VM,
  STEP_MEMORY,
  STEP_CREATE_VCPU,
  STEP_REGISTERS,
  STEP_RUN,
  STEP_WRONG_EXIT,
  STEP_SLOW,
} Step;

static const char *const step_words[] = {
  [STEP_WORKS] = "works",
  [STEP_OPEN] = "/dev/kvm cannot be opened",
  [STEP_VERSION] = "/dev/kvm speaks another API version",
  [STEP_CREATE_VM] = "a virtual machine cannot be made",
  [STEP_MEMORY] = "a virtual machine cannot be given memory",
  [STEP_CREATE_VCPU] = "a virtual processor cannot be made",
  [STEP_REGISTERS] = "a virtual processor's registers cannot be set",
  [STEP_RUN] = "a virtual processor does not run",
  [STEP_WRONG_EXIT] = "a virtual processor ran and did something else than it was told",
  [STEP_SLOW]
  = "it interprets the instructions of its guests instead of running them, some thousand "
    "times too slow for a kernel's start",
};

/* A KVM without a processor's virtualisation beneath it (one for guests that know of it) interprets
 * all others, a million instructions a second.  Any processor, and a software-emulated one in which
 * KVM runs nested, does these rounds in a hundredth of the time; the clock is that of the thread's
 * own work, so that a busy host counts for nothing. */
#define ROUNDS 16
#define ROUNDS_MAX_NS G_GUINT64_CONSTANT (1000000000)

/* again: mov $0x40000, %ecx; down: dec %ecx; jnz down; mov $0x42, %al; out %al, $0x10; jmp again */
static const guint8 guest_code[] = { 0x66, 0xb9, 0x00, 0x00,   0x04, 0x00,        0x66, 0x49,
                                     0x75, 0xfc, 0xb0, ANSWER, 0xe6, ANSWER_PORT, 0xeb, 0xf0 };

static Step
set_registers (int vcpu)
{
  struct kvm_sregs special;
  struct kvm_regs registers = { .rip = GUEST_ENTRY, .rflags = 2 };

  if (ioctl (vcpu, KVM_GET_SREGS, &special) < 0)
    return STEP_REGISTERS;
  special.cs.base = 0;
  special.cs.selector = 0;
  if (ioctl (vcpu, KVM_SET_SREGS, &special) < 0 || ioctl (vcpu, KVM_SET_REGS, &registers) < 0)
    return STEP_REGISTERS;
  return STEP_WORKS;
}

static guint64
work_ns (void)
{
  struct timespec now = { 0 };

  (void) clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

static Step
run_guest (int vcpu, const struct kvm_run *run)
{
  guint64 begin_ns = work_ns ();
  guint rounds = 0;

  /* A signal or a spurious exit may come between. */
  for (int i = 0; i < 4 * ROUNDS && rounds < ROUNDS; i++)
    {
      int status = ioctl (vcpu, KVM_RUN, 0);

      if (status < 0 && errno != EINTR)
        return STEP_RUN;
      if (work_ns () - begin_ns > ROUNDS_MAX_NS)
        break;
      if (status < 0)
        continue;
      if (run->exit_reason != KVM_EXIT_IO || run->io.port != ANSWER_PORT
          || ((const guint8 *) run)[run->io.data_offset] != ANSWER)
        {
          errno = 0;
          return STEP_WRONG_EXIT;
        }
      rounds++;
    }
  errno = 0;
  return rounds == ROUNDS ? STEP_WORKS : STEP_SLOW;
}

/* In the child of a process with threads: system calls only, no allocation.  Descriptors are left
 * to the child's end. */
static Step
probe (void)
{
  struct kvm_userspace_memory_region region
      = { .guest_phys_addr = GUEST_ENTRY, .memory_size = GUEST_PAGE_BYTES };
  int kvm = open ("/dev/kvm", O_RDWR | O_CLOEXEC);
  int machine, vcpu, size;
  Step step;
  void *page, *run;

  if (kvm < 0)
    return STEP_OPEN;
  if (ioctl (kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
    return STEP_VERSION;
  if ((machine = ioctl (kvm, KVM_CREATE_VM, 0)) < 0)
    return STEP_CREATE_VM;
  page = mmap (NULL, GUEST_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return STEP_MEMORY;
  memcpy (page, guest_code, sizeof guest_code);
  region.userspace_addr = (guint64) (gsize) page;
  if (ioctl (machine, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return STEP_MEMORY;
  if ((vcpu = ioctl (machine, KVM_CREATE_VCPU, 0)) < 0
      || (size = ioctl (kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) < (int) sizeof (struct kvm_run))
    return STEP_CREATE_VCPU;
  run = mmap (NULL, (gsize) size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
  if (run == MAP_FAILED)
    return STEP_CREATE_VCPU;
  step = set_registers (vcpu);
  return step == STEP_WORKS ? run_guest (vcpu, run) : step;
}

/* In the child, which runs no other program: nothing closes what it shares with its parent.  One
 * that hangs must hold none of it, danchid's lock above all: for a danchid that is long gone it
 * would keep the next one from starting.  With its parent it ends, too. */
static gboolean
be_alone (int writer, pid_t parent)
{
  return close_range (STDERR_FILENO + 1, (unsigned) writer - 1, 0) == 0
         && close_range ((unsigned) writer + 1, ~0U, 0) == 0
         && prctl (PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid () == parent;
}

/* Waits for the child's verdict; a child that hangs is killed. */
static gboolean
collect (pid_t child, int from_child, Verdict *ret_verdict)
{
  struct pollfd waiting = { .fd = from_child, .events = POLLIN };
  gint64 end_us = g_get_monotonic_time () + DN_KVM_PROBE_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND;
  gboolean has_answer = FALSE;
  gint64 left_us;

  while ((left_us = end_us - g_get_monotonic_time ()) > 0)
    {
      int n = poll (&waiting, 1, (int) (left_us / 1000 + 1));

      if (n < 0 && errno == EINTR)
        continue;
      has_answer
          = n > 0
            && read (from_child, ret_verdict, sizeof *ret_verdict) == (ssize_t) sizeof *ret_verdict;
      break;
    }
  (void) kill (child, SIGKILL);
  /* A child that hangs inside the kernel cannot even be killed: it is left to end when it can, and
   * nobody waits for it here. */
  if (waitpid (child, NULL, has_answer ? 0 : WNOHANG) < 0 && errno == EINTR)
    (void) waitpid (child, NULL, WNOHANG);
  return has_answer;
}

DnKvmOutcome
dn_kvm_probe_no_answer (char **ret_reason, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  *ret_reason = g_strdup_vprintf (format, args);
  va_end (args);
  return DN_KVM_NO_ANSWER;
}

DnKvmOutcome
dn_kvm_probe_kernel (char **ret_reason)
{
  int fds[2];
  dn_autofd int reader = -1;
  dn_autofd int writer = -1;
  Verdict verdict = { 0 };
  pid_t parent = getpid (), child;

  if (pipe2 (fds, O_CLOEXEC) < 0)
    return dn_kvm_probe_no_answer (ret_reason, "no pipe: %s", g_strerror (errno));
  reader = fds[0];
  writer = fds[1];
  child = fork ();
  if (child < 0)
    return dn_kvm_probe_no_answer (ret_reason, "no process: %s", g_strerror (errno));
  if (child == 0)
    {
      if (!be_alone (writer, parent))
        _exit (1);
      errno = 0;
      verdict.step = (gint32) probe ();
      verdict.code = errno;
      (void) !write (writer, &verdict, sizeof verdict);
      _exit (0);
    }
  dn_fd_clear (&writer);
  if (!collect (child, reader, &verdict))
    return dn_kvm_probe_no_answer (ret_reason, "a trivial KVM guest gave no answer within %d ms",
                                   DN_KVM_PROBE_TIMEOUT_MS);
  if (verdict.step == STEP_WORKS)
    return DN_KVM_WORKS;
  if (verdict.step < 0 || verdict.step >= (gint32) G_N_ELEMENTS (step_words))
    return dn_kvm_probe_no_answer (ret_reason, "the probe broke off");
  *ret_reason = g_strdup_printf ("%s%s%s", step_words[verdict.step], verdict.code != 0 ? ": " : "",
                                 verdict.code != 0 ? g_strerror (verdict.code) : "");
  return DN_KVM_CANNOT;
}
