/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with a frame that came from the guest: checked for its meaning, then to danchid, a
 * process or a transfer.  The guest is hostile; see channel.h for what is a violation.
 */
#pragma once

#include "../../protocol/wire.h"

typedef struct DnRouter DnRouter;

/**
 * dn_guest_frame_handle:
 * @header: as dn_frame_reader_next() passed it: type, sender and length are right
 * @payload: in the channel's reader; a request's number in it is overwritten
 * @ret_why: (out): on failure, what was wrong: words of ours
 *
 * Returns: 0; -EPROTO: the guest broke the protocol; -ENOMEM
 */
int dn_guest_frame_handle (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                           const char **ret_why);
