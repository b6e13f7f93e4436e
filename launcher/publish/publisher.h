/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-publish: the published ports of one guest's containers.
 *
 *     client ── listening socket ─┐                     ┌─ dial socket ── tap ── container
 *              (on the host,      └── stream: two ──────┘ (bound to the guest's tap)
 *               made elsewhere)       pipes at most
 *
 * It looks at no byte that it carries.  It makes no socket: those that listen come with their port,
 * those that reach containers are taken from a stock (dial.h) that danchid fills up; all were made
 * by the program that has the network, and those of the stock are bound to the guest's tap.  So
 * what takes this process over can reach this one guest, and clients that came by themselves.
 *
 * Whatever a client or a container does costs its own connection: nothing waits but for readiness,
 * each direction of a connection holds at most one pipe's bytes, and only while its reader does not
 * take them.  Connections and flows have limits for each port and in sum; beyond those a client
 * waits in the listening socket's queue, as for a busy server, and a datagram is dropped.
 *
 * Single-threaded; lives without danchid.
 */
#pragma once

#include "../base/publish.h"
#include "../confined/loop.h"
#include "control.h"
#include "dial.h"
#include "pipe-stock.h"
#include "port.h"

#define DN_PUBLISHER_TICK_NS 1000000000ull

typedef struct
{
  uint32_t connections_max;
  uint32_t port_connections_max;
  uint32_t flows_max;
  uint32_t port_flows_max;
  uint32_t idle_s;        /* a connection without a byte for so long is over */
  uint32_t half_closed_s; /* likewise, when one side has said all it has to say */
  uint32_t connect_s;     /* how long a container may take to answer */
  uint32_t flow_s;        /* a UDP flow that was answered */
  uint32_t flow_new_s;    /* one that was not yet */
} DnPublisherLimits;

typedef struct DnPublisher
{
  DnLoop loop;
  DnTimer tick;
  DnPublisherLimits limits;
  DnPublishControl control;
  DnDialStock dials[DN_DIAL_KINDS];
  DnPipeStock pipes;
  DnPort *ports; /* owned, a list */
  uint32_t port_count;
  uint32_t connection_count; /* of all ports together */
  uint32_t flow_count;
  bool is_ending;
} DnPublisher;

/* Takes ownership of @control_fd, a listening SEQPACKET socket. Returns 0 or -errno. */
int dn_publisher_init (DnPublisher *publisher, const DnPublisherLimits *limits, int control_fd,
                       uid_t owner_uid);
void dn_publisher_clear (DnPublisher *publisher);

/* Waits for something to happen and deals with it.  Returns 0 or -errno. */
int dn_publisher_turn (DnPublisher *publisher);

/* Descriptors that all of @limits can come to. */
uint32_t dn_publisher_fds_max (const DnPublisherLimits *limits);
