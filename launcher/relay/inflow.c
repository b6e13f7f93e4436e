/* SPDX-License-Identifier: Apache-2.0 */
#include "inflow.h"

#include <errno.h>

#include "../../protocol/protocol.h"

void
dn_inflow_init (DnInflow *inflow, uint32_t stream)
{
  *inflow = (DnInflow){ .stream = stream, .backlog = DN_BACKLOG_INIT (DN_STREAM_WINDOW_BYTES) };
}

void
dn_inflow_clear (DnInflow *inflow)
{
  dn_backlog_clear (&inflow->backlog);
}

int
dn_inflow_take (DnInflow *inflow, size_t size, size_t *ret_known)
{
  uint64_t known = inflow->at < inflow->received ? inflow->received - inflow->at : 0;

  if (inflow->has_link_eof || inflow->at + size - inflow->credited > DN_STREAM_WINDOW_BYTES)
    return -EPROTO;
  /* Past the end there is nothing new: these are bytes whose credit was lost with a link. */
  if (inflow->is_ended || known > size)
    known = size;
  inflow->at += size;
  if (!inflow->is_ended && inflow->at > inflow->received)
    inflow->received = inflow->at;
  *ret_known = (size_t) known;
  return 0;
}

int
dn_inflow_end (DnInflow *inflow)
{
  if (inflow->has_link_eof)
    return -EPROTO;
  inflow->has_link_eof = true;
  inflow->is_ended = true;
  return 0;
}

void
dn_inflow_consumed (DnInflow *inflow, uint64_t position)
{
  uint64_t kept = dn_inflow_kept (inflow);

  if (position > inflow->consumed)
    inflow->consumed = position;
  if (position > kept)
    dn_backlog_drop (&inflow->backlog, (size_t) (position - kept));
}

uint32_t
dn_inflow_owed (const DnInflow *inflow)
{
  uint64_t upto = inflow->consumed < inflow->at ? inflow->consumed : inflow->at;

  return upto > inflow->credited ? (uint32_t) (upto - inflow->credited) : 0;
}

uint32_t
dn_inflow_take_credit (DnInflow *inflow)
{
  uint32_t bytes = dn_inflow_owed (inflow);

  inflow->credited += bytes;
  return bytes;
}

void
dn_inflow_relink (DnInflow *inflow)
{
  inflow->at = inflow->credited;
  inflow->has_link_eof = false;
}
