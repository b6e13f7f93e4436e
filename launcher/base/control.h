/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's control socket in C, out of control.def.
 *
 * danchid connects to it (SOCK_STREAM, at guests/ID/relay.sock); the relay takes one connection at
 * a time, from its own starter's uid only, and goes on without any.  A frame's type tells the wire:
 * from 1000 on it is dn_control_wire, below that dn_guest_wire.
 *
 * Source: docs/protocol.md, "On the host".
 */
#pragma once

#include "../../protocol/link.h"
#include "../../protocol/protocol.h"

#define DN_CONTROL_TYPE_FIRST 1000

/* SESSION flags. */
#define DN_SESSION_STDIN (1u << 0)
#define DN_SESSION_STDOUT (1u << 1)
#define DN_SESSION_STDERR (1u << 2)

/* Descriptors that travel with a frame, at most. */
#define DN_CONTROL_FDS_MAX 4

extern const DnWire dn_control_wire;

/* dn_guest_wire's control messages and dn_control_wire's together: what a reader of the control
 * socket decodes with. */
extern const DnWire dn_control_all_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "../launcher/base/control.def"
#include "../../protocol/define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE
