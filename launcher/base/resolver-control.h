/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver's control socket in C, out of resolver.def.
 *
 * danchid connects to it (SOCK_STREAM, at guests/ID/resolver.sock); the resolver takes one
 * connection at a time, from its own starter's uid only, and goes on without any.
 */
#pragma once

#include "../../protocol/wire.h"

#define DN_RESOLVER_ALL_SLOTS 255

/* Of one network, over all its guests. */
#define DN_RESOLVER_NAMES_MAX 4096

extern const DnWire dn_resolver_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "../launcher/base/resolver.def"
#include "../../protocol/define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE
