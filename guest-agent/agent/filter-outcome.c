/* SPDX-License-Identifier: Apache-2.0 */
#include "filter-outcome.h"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>

/* What is known when control reaches an instruction. */
typedef struct
{
  bool is_reached;
  bool is_known; /* the accumulator */
  uint32_t value;
} State;

typedef struct
{
  State states[BPF_MAXINSNS];
  size_t count;
  uint32_t arch;
  uint32_t call;
  bool has_error;
  bool is_ambiguous;
  uint32_t error;
} Walk;

static void
reach (Walk *walk, size_t at, const State *from)
{
  State *state;

  if (at >= walk->count)
    return;
  state = &walk->states[at];
  if (!state->is_reached)
    *state = *from;
  else if (!from->is_known || from->value != state->value)
    state->is_known = false;
}

static void
load (const Walk *walk, const struct sock_filter *op, State *state)
{
  bool is_data = BPF_MODE (op->code) == BPF_ABS && BPF_SIZE (op->code) == BPF_W;

  state->is_known = true;
  if (is_data && op->k == offsetof (struct seccomp_data, nr))
    state->value = walk->call;
  else if (is_data && op->k == offsetof (struct seccomp_data, arch))
    state->value = walk->arch;
  else if (BPF_MODE (op->code) == BPF_IMM)
    state->value = op->k;
  else
    state->is_known = false;
}

static void
jump (Walk *walk, size_t at, const struct sock_filter *op, const State *state)
{
  size_t yes = at + 1 + op->jt, no = at + 1 + op->jf;
  bool is_true = false;

  if (BPF_OP (op->code) == BPF_JA)
    {
      /* k is 32 bits: a sum cannot wrap in 64. */
      reach (walk, at + 1 + op->k, state);
      return;
    }
  if (!state->is_known || BPF_SRC (op->code) == BPF_X)
    {
      reach (walk, yes, state);
      reach (walk, no, state);
      return;
    }
  switch (BPF_OP (op->code))
    {
    case BPF_JEQ:
      is_true = state->value == op->k;
      break;
    case BPF_JGT:
      is_true = state->value > op->k;
      break;
    case BPF_JGE:
      is_true = state->value >= op->k;
      break;
    case BPF_JSET:
      is_true = (state->value & op->k) != 0;
      break;
    default:
      break;
    }
  reach (walk, is_true ? yes : no, state);
}

static void
answer (Walk *walk, const struct sock_filter *op)
{
  uint32_t error = op->k & SECCOMP_RET_DATA;

  if (BPF_RVAL (op->code) != BPF_K)
    walk->is_ambiguous = true;
  else if ((op->k & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
    return;
  else if (walk->has_error && walk->error != error)
    walk->is_ambiguous = true;
  walk->has_error = true;
  walk->error = error;
}

static void
step (Walk *walk, size_t at, const struct sock_filter *op)
{
  State state = walk->states[at];

  switch (BPF_CLASS (op->code))
    {
    case BPF_LD:
      load (walk, op, &state);
      break;
    case BPF_ALU:
      if (op->code == (BPF_ALU | BPF_AND | BPF_K))
        state.value &= op->k;
      else
        state.is_known = false;
      break;
    case BPF_MISC:
      state.is_known = false;
      break;
    case BPF_JMP:
      jump (walk, at, op, &state);
      return;
    case BPF_RET:
      answer (walk, op);
      return;
    default: /* BPF_LDX, BPF_ST, BPF_STX leave the accumulator alone */
      break;
    }
  reach (walk, at + 1, &state);
}

uint32_t
dn_filter_errno (const struct sock_filter *filter, size_t count, uint32_t arch, uint32_t call)
{
  static Walk walk; /* the agent has one thread, and 50 KiB are much for a stack */
  const State start = { .is_reached = true };

  memset (&walk, 0, sizeof walk);
  walk.count = count < BPF_MAXINSNS ? count : BPF_MAXINSNS;
  walk.arch = arch;
  walk.call = call;
  reach (&walk, 0, &start);
  for (size_t at = 0; at < walk.count; at++)
    if (walk.states[at].is_reached)
      step (&walk, at, &filter[at]);
  return walk.has_error && !walk.is_ambiguous ? walk.error : 0;
}
