/* SPDX-License-Identifier: Apache-2.0 */
/* One published port: the socket on the host, the container behind it, and what is open on it.
 *
 * A TCP port that may take no more, or finds no socket to reach the container with, is not watched
 * until that has changed (dn_port_retry()).
 */
#pragma once

#include <netinet/in.h>

#include "../base/publish.h"
#include "../confined/loop.h"
#include "dial.h"

typedef struct DnPublisher DnPublisher;
typedef struct DnStream DnStream;
typedef struct DnFlow DnFlow;

typedef union
{
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} DnAddress;

/* Of a flow table; a power of two. */
#define DN_PORT_BUCKETS 256

typedef struct DnPort
{
  DnPublisher *publisher;
  DnSource source; /* the socket on the host, owned */
  char container[DN_ID_BYTES + 1];
  DnDialKind kind;
  DnAddress to;
  socklen_t to_bytes;
  DnStream *streams; /* owned lists */
  DnFlow **flows;    /* owned, of UDP: DN_PORT_BUCKETS lists, by client */
  uint32_t now;
  uint64_t total;
  uint64_t refused; /* connections that the container did not take; datagrams without a place */
  uint64_t bytes_in;
  uint64_t bytes_out;
  struct DnPort *next;
} DnPort;

/* @fd is taken, also on failure.  Returns 0 or -errno: -EINVAL where it is no such socket. */
int dn_port_add (DnPublisher *publisher, const DnMsgPublishAdd *order, int fd);
/* All of a container's, or of all containers (NULL). */
void dn_port_remove (DnPublisher *publisher, const char *container);
/* Takes clients again that were left waiting. */
void dn_port_retry (DnPublisher *publisher);
/* What it is, for danchid. */
void dn_port_describe (DnPort *port, DnMsgPublishPort *ret_message);
/* Sets the events it is watched for. */
void dn_port_adjust (DnPort *port);
