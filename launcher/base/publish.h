/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of danchi-publish in C, out of publish.def.
 *
 * danchid connects to it (SOCK_SEQPACKET, at guests/ID/publish.sock); danchi-publish takes one
 * connection at a time, from its starter's uid only, the newest, and serves its ports without any.
 * A packet is a frame (../../protocol/wire.h) and what descriptors belong to it.
 *
 * Source: unix(7); docs/network.md, "Publishing".
 */
#pragma once

#include "../../protocol/protocol.h"
#include "fdpass.h"

/* Of a frame, its header counted. */
#define DN_PUBLISH_PACKET_BYTES 256

/* Of one guest, all its containers together. */
#define DN_PUBLISH_PORTS_MAX 512
#define DN_PUBLISH_CONNECTIONS_MAX 4096
#define DN_PUBLISH_FLOWS_MAX 2048
/* Of one port: no port can take what all have. */
#define DN_PUBLISH_PORT_CONNECTIONS_MAX 3072
#define DN_PUBLISH_PORT_FLOWS_MAX 1024
/* Ports in the answer to one LIST. */
#define DN_PUBLISH_LIST_STEP 64
/* Sockets to reach containers with that one WANT asks for, at most. */
#define DN_PUBLISH_DIALS_STEP 64

extern const DnWire dn_publish_wire;

#define DN_DEFINE_TYPES
#define DN_DEFINE_FILE "../launcher/base/publish.def"
#include "../../protocol/define.h"
#undef DN_DEFINE_TYPES
#undef DN_DEFINE_FILE

/**
 * dn_publish_send:
 * @payload: what a dn_msg_publish_*_pack() made; @size: what it returned, an error as it is
 * @fds: stay the caller's, may be NULL
 *
 * One frame.  Does not wait where @socket does not.  Returns: 0 or -errno
 */
int dn_publish_send (int socket, uint16_t type, const uint8_t *payload, int size,
                     const DnFdList *fds);

/**
 * dn_publish_receive:
 * @from: the other end
 * @bytes: %DN_PUBLISH_PACKET_BYTES of the caller's; the payload is in it, behind the header
 * @fds: empty; gets what came along
 *
 * One frame.  Returns: 1, 0 at the end, or -errno (-EAGAIN; -EPROTO, after which nothing more is to
 * be read here)
 */
int dn_publish_receive (int socket, DnSender from, uint8_t *bytes, DnFrameHeader *ret_header,
                        DnFdList *fds);
