/* SPDX-License-Identifier: Apache-2.0 */
/* A resolver's control socket in C, out of resolver.def.
 *
 * danchid connects to it (SOCK_STREAM, at guests/ID/resolver.sock); the resolver takes one
 * connection at a time, from its own starter's uid only, and goes on without any.
 */
#pragma once

#include "../../protocol/wire.h"

/* The descriptors with which danchid starts it, each at its place for good: the filter of system
 * calls goes by these numbers.  Where there is no IPv6, something that is no socket lies there. */
enum
{
  DN_RESOLVER_FD_CONTROL = 3,    /* listening */
  DN_RESOLVER_FD_LOCK = 4,       /* only held */
  DN_RESOLVER_FD_DATAGRAMS4 = 5, /* UDP, bound */
  DN_RESOLVER_FD_DATAGRAMS6 = 6,
  DN_RESOLVER_FD_CONNECTIONS4 = 7, /* TCP, listening */
  DN_RESOLVER_FD_CONNECTIONS6 = 8,
  DN_RESOLVER_FD_LAST = DN_RESOLVER_FD_CONNECTIONS6,
};

#define DN_RESOLVER_ALL_SLOTS 255

/* Of one network, over all its guests. */
#define DN_RESOLVER_NAMES_MAX 4096

extern const DnWire dn_resolver_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "../launcher/base/resolver.def"
#include "../../protocol/define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE
