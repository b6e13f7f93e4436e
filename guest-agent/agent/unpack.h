/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking an image, in a guest made for that: /sbin/danchi-unpack does it, the agent starts it
 * and passes on what it says.
 *
 * The unpacker parses the tenant's archive, so it is not believed: its output is frames of the
 * guest's wire with request number 0, of which the agent lets four types through, unpacks and packs
 * them anew with the host's request number, and ends the unpacker at anything else.  REPLY 0 needs
 * both UNPACK_DONE and exit status 0.
 */
#pragma once

#include "agent.h"

#define DN_UNPACK_PROGRAM "/sbin/danchi-unpack"

void dn_unpack_start (DnAgent *agent, DnRequest request, const DnMsgUnpack *message);
