/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp-filter.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "../common/error.h"

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT: the same AUDIT_ARCH, other structures */
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture: name its AUDIT_ARCH here"
#endif

#define AT(member) ((guint32) offsetof (struct seccomp_data, member))
/* The lower half of an argument, where an int is. */
#define AT_LOW(argument) (AT (args) + 8 * (argument) + (G_BYTE_ORDER == G_BIG_ENDIAN ? 4 : 0))

#define LOAD(offset) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, (offset))
#define JUMP(test, value, yes, no) BPF_JUMP (BPF_JMP | (test) | BPF_K, (value), (yes), (no))
#define RETURN(action) BPF_STMT (BPF_RET | BPF_K, (action))

GBytes *
dn_seccomp_filter_head (guint32 largest)
{
  const struct sock_filter head[] = {
    LOAD (AT (arch)),
    JUMP (BPF_JEQ, NATIVE_ARCHITECTURE, 1, 0),
    RETURN (SECCOMP_RET_KILL_PROCESS),
    LOAD (AT (nr)),
#ifdef X32_BIT
    /* -1 has the bit too, and is what a tracer leaves behind: only a number that is not there. */
    JUMP (BPF_JEQ, 0xffffffffu, 3, 0),
    JUMP (BPF_JGE, X32_BIT, 0, 1),
    RETURN (SECCOMP_RET_KILL_PROCESS),
#endif
    JUMP (BPF_JGT, largest, 0, 1),
    RETURN (SECCOMP_RET_ERRNO | ENOSYS),
    JUMP (BPF_JEQ, __NR_ioctl, 0, 4),
    LOAD (AT_LOW (1)),
    JUMP (BPF_JEQ, TIOCSTI, 1, 0),
    JUMP (BPF_JEQ, TIOCLINUX, 0, 1),
    RETURN (SECCOMP_RET_ERRNO | EPERM),
    RETURN (SECCOMP_RET_ALLOW),
  };

  return g_bytes_new (head, sizeof head);
}

GBytes *
dn_seccomp_filter_chain (GBytes *first, GBytes *second, GError **error)
{
  const guint first_count = (guint) (g_bytes_get_size (first) / sizeof (struct sock_filter));
  const guint second_count = (guint) (g_bytes_get_size (second) / sizeof (struct sock_filter));
  const guint count = first_count + second_count;
  g_autofree struct sock_filter *chain = NULL;

  if (count > BPF_MAXINSNS)
    {
      dn_throw (error, DN_ERROR_CONFIG,
                "seccomp filter: %u instructions, the kernel takes at most %d\n"
                "name fewer system calls with arguments",
                count, BPF_MAXINSNS);
      return NULL;
    }
  chain = g_new (struct sock_filter, count);
  memcpy (chain, g_bytes_get_data (first, NULL), first_count * sizeof *chain);
  memcpy (chain + first_count, g_bytes_get_data (second, NULL), second_count * sizeof *chain);
  /* In place and with a 32-bit offset, so that no other jump changes. */
  for (guint i = 0; i < first_count; i++)
    if (chain[i].code == (BPF_RET | BPF_K) && chain[i].k == SECCOMP_RET_ALLOW)
      chain[i] = (struct sock_filter) BPF_STMT (BPF_JMP | BPF_JA, first_count - i - 1);
  return g_bytes_new_take (g_steal_pointer (&chain), count * sizeof *chain);
}

/* Where a jump at @at leads, by the rules of the kernel's checker. */
static guint64
jump_target (const struct sock_filter *instruction, guint at, guint32 accumulator)
{
  const guint32 k = instruction->k;
  gboolean is_true;

  switch (BPF_OP (instruction->code))
    {
    case BPF_JA:
      return (guint64) at + 1 + k;
    case BPF_JEQ:
      is_true = accumulator == k;
      break;
    case BPF_JGT:
      is_true = accumulator > k;
      break;
    case BPF_JGE:
      is_true = accumulator >= k;
      break;
    case BPF_JSET:
      is_true = (accumulator & k) != 0;
      break;
    default:
      return G_MAXUINT64;
    }
  return (guint64) at + 1 + (is_true ? instruction->jt : instruction->jf);
}

gboolean
dn_seccomp_filter_run (GBytes *filter, const struct seccomp_data *call, guint32 *ret_action)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (filter, &size);
  const guint count = (guint) (size / sizeof (struct sock_filter));
  guint32 accumulator = 0;

  if (size % sizeof (struct sock_filter) != 0 || count > BPF_MAXINSNS)
    return FALSE;
  /* Jumps lead forward only, so this ends. */
  for (guint at = 0; at < count;)
    {
      struct sock_filter instruction;
      guint64 target;

      memcpy (&instruction, bytes + at * sizeof instruction, sizeof instruction);
      switch (instruction.code)
        {
        case BPF_LD | BPF_W | BPF_ABS:
          if (instruction.k > sizeof *call - sizeof accumulator || instruction.k % 4 != 0)
            return FALSE;
          memcpy (&accumulator, (const guint8 *) call + instruction.k, sizeof accumulator);
          at++;
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          accumulator &= instruction.k;
          at++;
          break;
        case BPF_RET | BPF_K:
          *ret_action = instruction.k;
          return TRUE;
        default:
          if (BPF_CLASS (instruction.code) != BPF_JMP || BPF_SRC (instruction.code) != BPF_K)
            return FALSE;
          target = jump_target (&instruction, at, accumulator);
          if (target >= count)
            return FALSE;
          at = (guint) target;
        }
    }
  return FALSE;
}
