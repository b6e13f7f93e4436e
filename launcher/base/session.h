/* SPDX-License-Identifier: Apache-2.0 */
/* A client's session on a process in a guest.
 *
 * danchid makes four socket pairs (SOCK_STREAM), passes one end of each to the client and the
 * others to the relay, and is out of the data path:
 *
 *   control   frames of session.def
 *   stdin     raw bytes, client to relay; shutdown(SHUT_WR) is end of file
 *   stdout    raw bytes, relay to client; closed after the last byte
 *   stderr    likewise; with a terminal it stays empty
 *
 * Three streams of their own, not one multiplexed: so the kernel keeps a reader that stops from
 * holding up anything but its own stream.  A client that closes control is gone (detached): its
 * process goes on.
 *
 * Source: docs/protocol.md, "On the host".
 */
#pragma once

#include "../../protocol/protocol.h"

extern const DnWire dn_session_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "../launcher/base/session.def"
#include "../../protocol/define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE
