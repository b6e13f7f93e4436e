/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-resolver: answers the names that one guest asks for.
 *
 *     guest ── UDP, TCP ──▶ server ──▶ table: containers, rules ──▶ answer
 *                             │                                      ▲
 *                             ├──▶ cache ────────────────────────────┤
 *                             └──▶ ask ──▶ a server of names ──▶ pin ┘
 *                                   └───── danchi-gateway: sockets, pins
 *
 * What a guest can make it use is bounded by the numbers here; what is over them is dropped without
 * an answer, and costs that guest's names alone.  One process, one thread, one table, all of it
 * static but for messages while they are read and what the cache keeps.
 *
 * It holds no right (filter.h): its sockets to servers come from the gateway, connected, and the
 * guest's are bound to the guest's tap.
 */
#pragma once

#include <netinet/in.h>

#include "../../protocol/frame-reader.h"
#include "../base/fdpass.h"
#include "../base/gateway-pin.h"
#include "../confined/bucket.h"
#include "../confined/loop.h"
#include "message.h"

#define DN_RESOLVER_QUERIES_PER_S 500
#define DN_RESOLVER_QUERIES_BURST 1000
#define DN_RESOLVER_ASKS_PER_S 100
#define DN_RESOLVER_ASKS_BURST 200
#define DN_RESOLVER_ASKS_MAX 128   /* of servers, at a time */
#define DN_RESOLVER_CLIENTS_MAX 16 /* TCP connections of the guest's */
#define DN_RESOLVER_CACHE_MAX 256  /* answers */
#define DN_RESOLVER_CACHE_ANSWER_BYTES 4096
#define DN_RESOLVER_ORDERS_MAX 1024 /* to the gateway, waiting or under way */

/* One try at a server; all tries of a query: less than most programs wait. */
#define DN_RESOLVER_TRY_NS (1500 * 1000000ull)
#define DN_RESOLVER_QUERY_NS (4500 * 1000000ull)
#define DN_RESOLVER_CLIENT_IDLE_NS (10 * 1000000000ull)
#define DN_RESOLVER_TRIES_MAX 8

typedef struct DnResolver DnResolver;

/* Where an answer goes. */
typedef struct
{
  int listener;    /* of the datagram; -1: a connection */
  unsigned client; /* of the connection; `serial` is that client's */
  uint64_t serial;
  struct sockaddr_in6 peer; /* of the datagram; large enough for either family */
  socklen_t peer_size;
} DnOrigin;

typedef enum
{
  DN_ASK_FREE,
  DN_ASK_DIALING, /* the gateway makes the socket */
  DN_ASK_SENDING, /* TCP: connecting, or not all is sent */
  DN_ASK_WAITING, /* for the server */
  DN_ASK_PINNING, /* the gateway opens the addresses */
} DnAskState;

typedef struct
{
  DnAskState state;
  DnResolver *resolver;
  uint64_t serial; /* of this use of the struct: what comes for an older one is not its */
  DnQuery query;
  DnLists lists;
  DnOrigin origin;
  uint16_t id; /* with the server */
  bool is_tcp;
  bool is_old; /* without EDNS */
  uint8_t server;
  uint8_t tries;
  DnSource socket;
  DnTimer timer;
  uint64_t deadline_ns;
  uint8_t *buffer; /* owned; TCP: length and message, first the query's, then the answer's */
  size_t wanted;
  size_t have;
  DnReply reply;
  unsigned pins; /* messages of pins that are not answered */
  bool has_failed;
} DnAsk;

/* A connection of the guest's.  One query at a time. */
typedef struct
{
  DnResolver *resolver;
  uint64_t serial;
  DnSource socket; /* fd -1: free */
  DnTimer idle;
  bool is_busy; /* with a query */
  uint8_t in[2 + DN_DNS_QUERY_MAX_BYTES];
  size_t in_bytes;
  uint8_t *out; /* owned */
  size_t out_bytes;
  size_t out_sent;
} DnClient;

typedef struct
{
  bool is_dial;
  unsigned ask;
  uint64_t serial;
  size_t first_pin;
} DnGatewayWish;

typedef struct
{
  DnSource socket; /* fd -1: there is none */
  /* A ring: the first `under_way` of `count` were sent. */
  DnGatewayWish wishes[DN_RESOLVER_ORDERS_MAX];
  size_t first;
  size_t count;
  size_t under_way;
} DnGatewayLink;

typedef struct
{
  DnQuery query; /* name and type are what is looked for */
  DnReply reply;
  uint64_t stored_ns;
  uint64_t ends_ns; /* 0: free */
} DnCached;

typedef struct
{
  DnSource listener;
  DnSource connection; /* fd -1: danchid is not there */
  uid_t owner_uid;
  DnFrameReader reader;
  DnFdList fds;    /* owned: came along and await their frame */
  bool is_telling; /* between BEGIN and COMMIT */
} DnControl;

typedef struct
{
  uint64_t queries;
  uint64_t refused; /* by the policy */
  uint64_t dropped; /* over a limit */
  uint64_t asked;   /* of servers */
  uint64_t failed;  /* no server answered, or the gateway did not */
  uint64_t rebound; /* addresses that no public answer may have */
  uint64_t pinned;  /* addresses */
} DnResolverCounts;

struct DnResolver
{
  DnLoop loop;
  bool is_ending;
  DnControl control;
  DnSource datagrams[2];   /* listeners; fd -1: there is none */
  DnSource connections[2]; /* likewise */
  DnClient clients[DN_RESOLVER_CLIENTS_MAX];
  DnAsk asks[DN_RESOLVER_ASKS_MAX];
  DnGatewayLink gateway;
  DnCached cache[DN_RESOLVER_CACHE_MAX];
  size_t cache_next;
  DnBucket queries;
  DnBucket asked;
  uint64_t serials; /* of all uses of clients and asks */
  uint32_t tables;  /* told in whole */
  DnResolverCounts counts;
  DnTable *table; /* one of the two; what is told goes into the other */
  DnTable tables_of[2];
};

typedef struct
{
  uid_t owner_uid;
  int control_fd; /* listening, as all of these; -1: there is none */
  int datagram_fds[2];
  int connection_fds[2];
  int gateway_fd; /* or -1 */
} DnResolverOptions;

/* Of a descriptor that comes from elsewhere, whatever it is there: everything here goes on when
 * there is nothing. */
void dn_resolver_unblock (int fd);

/* Takes ownership of the descriptors. Returns 0 or -errno. */
int dn_resolver_init (DnResolver *resolver, const DnResolverOptions *options);
void dn_resolver_clear (DnResolver *resolver);

/* Waits at most @timeout_ms (-1: for ever) and handles what there is. Returns 0 or -errno. */
int dn_resolver_turn (DnResolver *resolver, int timeout_ms);
