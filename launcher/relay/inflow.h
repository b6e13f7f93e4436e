/* SPDX-License-Identifier: Apache-2.0 */
/* One stream of bytes from the guest: its window, and what someone has still to take.
 *
 * Bytes are counted from the stream's beginning.  Of those positions an inflow keeps
 *
 *     credited <= at <= ...      what this link has brought, and was given back to the guest
 *     kept     <= received       what lies in the backlog: [kept, received)
 *
 * On one link `at` and `received` move together.  When a link breaks, what was not credited comes
 * again on the next: the agent goes on from the last credit it saw, so `at` goes back to `credited`
 * and what is known already is skipped.  Credits that were lost with the link make the agent begin
 * earlier than that, and then some bytes are seen twice: at least once is what a stream promises
 * across links; within one link it is exactly once.
 *
 * Pure but for memory.
 */
#pragma once

#include <stdbool.h>

#include "backlog.h"

typedef struct DnInflow
{
  uint32_t stream;
  DnBacklog backlog;
  uint64_t received;
  uint64_t at;
  uint64_t credited;
  uint64_t consumed;            /* up to here every reader has it */
  bool has_link_eof;            /* the guest ended it on this link: no DATA may follow */
  bool is_ended;                /* it ended on some link: nothing is added any more */
  struct DnInflow *next_credit; /* in the router's list of those that have credit to give */
  bool is_in_credit_list;
} DnInflow;

void dn_inflow_init (DnInflow *inflow, uint32_t stream);
void dn_inflow_clear (DnInflow *inflow);

/* The position of the first byte in the backlog. */
static inline uint64_t
dn_inflow_kept (const DnInflow *inflow)
{
  return inflow->received - dn_backlog_length (&inflow->backlog);
}

/**
 * dn_inflow_take:
 * @ret_known: (out): how many bytes at the front of the payload were received before
 *
 * Counts a DATA payload of @size bytes.  What is new in it is for the caller to hand to the
 * readers; what they leave must go into the backlog before the next call.
 *
 * Returns: 0; -EPROTO when it is over the window or comes after the end
 */
int dn_inflow_take (DnInflow *inflow, size_t size, size_t *ret_known);

/* The guest ended the stream.  -EPROTO when it had done so already on this link. */
int dn_inflow_end (DnInflow *inflow);

/* Every reader has everything up to @position: frees that of the backlog. */
void dn_inflow_consumed (DnInflow *inflow, uint64_t position);

/* What can be given back to the guest now, in bytes: at most the window. */
uint32_t dn_inflow_owed (const DnInflow *inflow);
/* Likewise, and counts it as given. */
uint32_t dn_inflow_take_credit (DnInflow *inflow);

/* A new link stands: the guest begins anew where it was credited. */
void dn_inflow_relink (DnInflow *inflow);
