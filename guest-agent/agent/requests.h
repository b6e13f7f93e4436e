/* SPDX-License-Identifier: Apache-2.0 */
/* The host's messages: which handler is whose (request-handlers.h), and what comes on streams. */
#pragma once

#include "../../protocol/protocol.h"

typedef struct DnAgent DnAgent;

/* A frame from the host.  Returns 0, or -EPROTO: the link must be dropped. */
int dn_requests_receive (DnAgent *agent, const DnFrameHeader *header, const uint8_t *payload);

/* A link stands: sends READY. */
void dn_requests_link_up (DnAgent *agent);

/* The link is gone: what was waiting for its request is forgotten. */
void dn_requests_forget_parts (DnAgent *agent);
