/* SPDX-License-Identifier: Apache-2.0 */
/* How the host reaches the agent: vsock, or a virtio-serial port, or in tests a socket that was
 * handed over.
 *
 * On vsock the agent listens on DN_AGENT_VSOCK_PORT and takes connections from the host's CID only:
 * a container cannot connect even if its filter let it, and a neighbouring guest has no way here.
 * A few connections may be in their hello at a time; the one that says it first wins, and replaces
 * an older link.
 *
 * On virtio-serial the driver reports EPOLLHUP for as long as no host is connected, so then the
 * port is not watched; SIGIO (O_ASYNC) and a slow timer tell when to look again.
 * Source: vsock(7); the kernel's drivers/char/virtio_console.c.
 */
#pragma once

#include "fault.h"
#include "loop.h"

#define DN_TRANSPORT_PENDING_MAX 4
#define DN_TRANSPORT_LOOK_MS 200

typedef struct DnAgent DnAgent;
typedef struct DnChannel DnChannel;

typedef struct
{
  DnAgent *agent;
  DnWatch listener;
  DnWatch signals; /* SIGIO */
  DnTimer look_timer;
  DnChannel *serial;
  DnChannel *pending[DN_TRANSPORT_PENDING_MAX]; /* accepted; the linked one may be among them */
} DnTransport;

int dn_transport_open (DnTransport *transport, DnAgent *agent, DnFault *fault);

/* A channel is being freed. */
void dn_transport_forget (DnTransport *transport, DnChannel *channel);

/* The serial port's host end was closed: restarts @channel when it is there again. */
void dn_transport_host_gone (DnTransport *transport, DnChannel *channel);
