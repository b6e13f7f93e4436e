/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking an image, in guests made for that: /sbin/danchi-unpack does it, the agent starts it and
 * passes on what it says.
 *
 *   UNPACK_READ    one guest: what an archive says, and where in it the layers are
 *   UNPACK_LAYER   another guest, one layer after the other, each a process of its own; the layers
 *                  below are the store's (a base disk, taken with the first) and those unpacked
 *                  since, which lie on the scratch disk
 *
 * The unpacker parses the tenant's bytes, so it is not believed: its output is frames of the
 * guest's wire with request number 0, of which the agent lets through those that belong to what was
 * asked, unpacks and packs them anew with the host's request number, and ends the unpacker at
 * anything else. REPLY 0 needs both the last of these messages and exit status 0.  A layer that
 * failed may have left anything on the scratch disk: after it this guest unpacks none any more.
 */
#pragma once

#include "agent.h"

#define DN_UNPACK_PROGRAM "/sbin/danchi-unpack"

void dn_unpack_read (DnAgent *agent, DnRequest request, const DnMsgUnpackRead *message);

/* @layers: the DISK_LAYERs that came for this request. */
void dn_unpack_layer (DnAgent *agent, DnRequest request, const DnMsgUnpackLayer *message,
                      const DnDiskLayers *layers);
