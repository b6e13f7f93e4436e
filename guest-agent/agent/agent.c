/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <stdio.h>
#include <string.h>

#include "console.h"

DnRequest
dn_agent_request (const DnAgent *agent, uint32_t number)
{
  return (DnRequest){ .number = number, .epoch = agent->epoch, .is_pending = true };
}

bool
dn_request_is_current (const DnAgent *agent, const DnRequest *request)
{
  return request->is_pending && agent->channel != NULL && request->epoch == agent->epoch;
}

void
dn_agent_send (DnAgent *agent, uint16_t type, const uint8_t *payload, int size)
{
  DnChannel *channel = agent->channel;

  if (channel == NULL || size < 0)
    return;
  if (dn_channel_put (channel, type, 0, payload, (size_t) size) == 0)
    return;
  /* A host that asks and does not listen.  Not freed here: the caller may be its reader; without a
   * link nothing more is queued, and its end is noticed there. */
  dn_console_log ("the host does not read its answers");
  agent->channel = NULL;
  channel->is_linked = false;
  channel->control_start = channel->control_end = 0;
  if (!channel->is_serial)
    dn_timer_set (&channel->hello_timer, 0);
}

void
dn_agent_reply (DnAgent *agent, DnRequest *request, int status, const char *message)
{
  DnMsgReply reply = { .request = request->number, .status = status };
  bool is_current = dn_request_is_current (agent, request);

  request->is_pending = false;
  if (!is_current)
    return;
  (void) snprintf (reply.message, sizeof reply.message, "%s", message);
  DN_AGENT_SEND (agent, REPLY, reply, &reply);
}

void
dn_agent_reply_fault (DnAgent *agent, DnRequest *request, const DnFault *fault)
{
  dn_agent_reply (agent, request, fault->status, fault->message);
}

void
dn_agent_reply_result (DnAgent *agent, DnRequest *request, int result, const DnFault *fault)
{
  if (result < 0)
    dn_agent_reply_fault (agent, request, fault);
  else
    dn_agent_reply (agent, request, 0, "");
}
