/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-check.h"

#include <asm/ioctls.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../common/error.h"
#include "seccomp-filter.h"

#define DIRTY 0xdeadbeef00000000ull

typedef struct
{
  int number;
  const char *name;
  guint64 args[3];
  gboolean is_permitted;
  gboolean is_for_all; /* also where there is no filter but the head */
} Case;

#define REFUSED(call, ...)                                                                         \
  {                                                                                                \
    __NR_##call, #call, { __VA_ARGS__ }, FALSE, FALSE                                              \
  }
#define NEVER(call, ...)                                                                           \
  {                                                                                                \
    __NR_##call, #call, { __VA_ARGS__ }, FALSE, TRUE                                               \
  }
#define PERMITTED(call)                                                                            \
  {                                                                                                \
    __NR_##call, #call, { 0 }, TRUE, TRUE                                                          \
  }

static const Case cases[] = {
  /* The guest's way to the host, the kernel's crypto parsers, raw packets. */
  REFUSED (socket, AF_VSOCK),
  REFUSED (socket, DIRTY | AF_VSOCK),
  REFUSED (socket, AF_ALG),
  REFUSED (socket, DIRTY | AF_ALG),
  REFUSED (socket, AF_PACKET),
  /* Typing into a terminal for others. */
  NEVER (ioctl, 0, TIOCSTI),
  NEVER (ioctl, 0, DIRTY | TIOCSTI),
  NEVER (ioctl, 0, TIOCLINUX),
  NEVER (ioctl, 0, DIRTY | TIOCLINUX),
  /* New namespaces hand out capabilities in them. */
  REFUSED (unshare, CLONE_NEWUSER),
  REFUSED (setns, 0),
  REFUSED (clone, CLONE_NEWUSER),
  REFUSED (clone, DIRTY | CLONE_NEWUSER),
  REFUSED (clone3, 0),
  /* Keyrings are not of the container alone. */
  REFUSED (keyctl, 0),
  REFUSED (add_key, 0),
  REFUSED (request_key, 0),
  /* Interpreters and asynchronous executors in the kernel. */
  REFUSED (bpf, 0),
  REFUSED (io_uring_setup, 0),
  REFUSED (io_uring_enter, 0),
  REFUSED (io_uring_register, 0),
  REFUSED (perf_event_open, 0),
  REFUSED (userfaultfd, 0),
  /* Other processes, other mounts, the machine. */
  REFUSED (ptrace, 0),
  REFUSED (process_vm_readv, 0),
  REFUSED (process_vm_writev, 0),
  REFUSED (open_by_handle_at, 0),
  REFUSED (mount, 0),
  REFUSED (umount2, 0),
  REFUSED (pivot_root, 0),
  REFUSED (fsopen, 0),
  REFUSED (open_tree, 0),
  REFUSED (move_mount, 0),
  REFUSED (init_module, 0),
  REFUSED (finit_module, 0),
  REFUSED (delete_module, 0),
  REFUSED (kexec_load, 0),
  REFUSED (kexec_file_load, 0),
  REFUSED (reboot, 0),
  REFUSED (settimeofday, 0),
  /* What the agent does between loading the filter and the program's first instruction. */
  PERMITTED (read),
  PERMITTED (write),
  PERMITTED (close),
  PERMITTED (execve),
  PERMITTED (exit_group),
};

gboolean
dn_seccomp_check (GBytes *filter, DnSeccompBase base, const char *what, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      struct seccomp_data call = { .nr = cases[i].number, .arch = seccomp_arch_native () };
      guint32 action = 0;
      gboolean is_permitted;

      if (base == DN_SECCOMP_UNCONFINED && !cases[i].is_for_all)
        continue;
      for (guint j = 0; j < G_N_ELEMENTS (cases[i].args); j++)
        call.args[j] = cases[i].args[j];
      if (!dn_seccomp_filter_run (filter, &call, &action))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: the filter is damaged", what);
      is_permitted = action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
      if (is_permitted != cases[i].is_permitted)
        return dn_throw (error, DN_ERROR_CONFIG,
                         is_permitted ? "%s: permits %s, which no container may do\n"
                                        "see docs/hardening.md, \"System calls\""
                                      : "%s: refuses %s, without which no program starts\n"
                                        "add it to the profile's permitted calls",
                         what, cases[i].name);
    }
  return TRUE;
}
