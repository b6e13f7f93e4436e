/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/spec/seccomp-filter.c launcher/common/error.c */
/* Packages: libseccomp */
/* What libseccomp makes of rules that overlap: why profiles with contradictions are refused, and
 * why the two terminal requests are refused ahead of the profile and not in it. */
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "../../launcher/spec/seccomp-filter.h"
#include "assume.h"

static GBytes *
export_filter (scmp_filter_ctx context)
{
  int fd = memfd_create ("filter", MFD_CLOEXEC);
  guint8 *bytes;
  off_t size;

  ASSUME (fd >= 0 && seccomp_export_bpf (context, fd) == 0, "the filter is exported");
  size = lseek (fd, 0, SEEK_END);
  bytes = g_malloc ((gsize) size);
  ASSUME (pread (fd, bytes, (size_t) size, 0) == size, "the filter is read");
  (void) close (fd);
  return g_bytes_new_take (bytes, (gsize) size);
}

/* What becomes of ioctl (-1, TIOCSTI) where it is refused by one rule, with EACCES, and ioctl is
 * permitted by another, in both orders. */
static guint32
ask_overlap (gboolean is_refusal_first)
{
  scmp_filter_ctx context = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  const struct seccomp_data call
      = { .nr = __NR_ioctl, .arch = seccomp_arch_native (), .args = { 0, TIOCSTI } };
  g_autoptr (GBytes) filter = NULL;
  guint32 action = 0;

  for (int step = 0; step < 2; step++)
    {
      int code = is_refusal_first == (step == 0)
                     ? seccomp_rule_add (context, SCMP_ACT_ERRNO (EACCES), SCMP_SYS (ioctl), 1,
                                         SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI))
                     : seccomp_rule_add (context, SCMP_ACT_ALLOW, SCMP_SYS (ioctl), 0);

      ASSUME (code == 0, "contradicting rules are added without a word");
    }
  filter = export_filter (context);
  seccomp_release (context);
  ASSUME (dn_seccomp_filter_run (filter, &call, &action), "the filter can be asked");
  return action;
}

int
main (void)
{
  scmp_filter_ctx context = seccomp_init (SCMP_ACT_ERRNO (EPERM));

  ASSUME (ask_overlap (TRUE) == SECCOMP_RET_ALLOW, "the unconditional rule wins when second");
  ASSUME (ask_overlap (FALSE) == SECCOMP_RET_ALLOW, "the unconditional rule wins when first");
  ASSUME (seccomp_rule_add (context, SCMP_ACT_ERRNO (EPERM), SCMP_SYS (bpf), 0) == -EACCES,
          "a rule with the default action is -EACCES");
  ASSUME (seccomp_rule_add (context, SCMP_ACT_ALLOW, SCMP_SYS (read), 2, SCMP_A0 (SCMP_CMP_GE, 1),
                            SCMP_A0 (SCMP_CMP_LE, 2))
              == -EINVAL,
          "two comparisons of one argument are -EINVAL");
  ASSUME (seccomp_syscall_resolve_name ("no_such_call") == __NR_SCMP_ERROR,
          "an unknown name is __NR_SCMP_ERROR");
  ASSUME (seccomp_syscall_resolve_name ("s390_runtime_instr") < __NR_SCMP_ERROR,
          "another architecture's name is below __NR_SCMP_ERROR");
  seccomp_release (context);
  return 0;
}
