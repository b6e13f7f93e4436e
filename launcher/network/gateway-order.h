/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid may order of danchi-gateway, and what comes back: fixed fields, nothing else.
 *
 * An order is one message on a SOCK_SEQPACKET socket; its first descriptor is one end of a
 * socketpair (SOCK_SEQPACKET) on which the answer comes, one message too.  Orders are carried out
 * one at a time, in the order in which they came.  The gateway computes names and addresses itself
 * from pool and slot (network/plan.h); an order cannot name a device, an address or a rule of its
 * own making.
 *
 *   OPEN      makes or makes anew all of a guest's network: tap, addresses, routes, rules
 *   CLOSE     removes all of it; what is not there is no error
 *   MEMBERS   which ports of which containers the members of a group reach
 *   LISTEN    bound sockets, as descriptors of the answer, in the order's order
 *   PIN       a second descriptor: where a resolver tells which addresses its lists have, and gets
 *             its sockets to these servers of names (gateway-pin.h)
 *   REACH     sockets with which a program on the host (danchi-publish) reaches the guest, and
 *             nothing else, as descriptors of the answer: bound to the tap, not connected
 *   LIST      the slots of which anything is in the kernel, one a line
 *   VERIFY    as OPEN, but compares: one line "NAME PROMISED|OBSERVED" for each fact
 *   PROBE     what danchi doctor asks: one line "NAME ok" or "NAME REASON" for each
 *   POD_TAP   a pod's tap alone, down, which QEMU is to open; CLOSE removes one that was not joined
 *   POD_LOOK  what card there is in the network namespace of a pod, which is a second descriptor
 *   POD_JOIN  the pod's tap goes into that namespace and is joined with the card; the lines say
 *             what the guest is to have (gateway/pod-facts.h).  Once more does no harm
 *   POD_LEAVE undoes that; what is not there is no error
 *   POD_VERIFY  as POD_JOIN, but compares: lines as VERIFY's
 *
 * Pure: libc only.  Bytes are packed by hand (protocol/pack.h), big endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/network-rule.h"
#include "plan.h"

#define DN_GATEWAY_VERSION 1
#define DN_GATEWAY_ORDER_MAX_BYTES 65536
#define DN_GATEWAY_ANSWER_MAX_BYTES 65536
#define DN_GATEWAY_RULES_MAX 512
#define DN_GATEWAY_LISTS_MAX 16
#define DN_GATEWAY_EXPOSED_MAX 4096 /* of a group, all members together */
#define DN_GATEWAY_LISTEN_MAX 8     /* DN_FDPASS_MAX */
#define DN_GATEWAY_KBIT_MAX 100000000
#define DN_GATEWAY_CONNECTIONS_MIN 16
#define DN_GATEWAY_CONNECTIONS_MAX 1000000
#define DN_GATEWAY_CONNECTIONS_DEFAULT 1024
#define DN_GATEWAY_ERROR_MAX_BYTES 511

/* One below all identities of guests (network/plan.h): the uid and gid with which it runs. */
#define DN_GATEWAY_UID (DN_NETWORK_UID_FIRST - 1)

typedef enum
{
  DN_GATEWAY_OPEN = 1,
  DN_GATEWAY_CLOSE,
  DN_GATEWAY_MEMBERS,
  DN_GATEWAY_LISTEN,
  DN_GATEWAY_PIN,
  DN_GATEWAY_LIST,
  DN_GATEWAY_VERIFY,
  DN_GATEWAY_PROBE,
  DN_GATEWAY_REACH,
  DN_GATEWAY_POD_TAP,
  DN_GATEWAY_POD_LOOK,
  DN_GATEWAY_POD_JOIN,
  DN_GATEWAY_POD_LEAVE,
  DN_GATEWAY_POD_VERIFY,
} DnGatewayOrderType;

/* A deny wins over an allow; the order of rules does not matter.
 *
 * An allow opens a range that is not public only where all of it is special (public-address.h): who
 * allows 0.0.0.0/0 has not named 10.0.0.0/8.  Loopback, link-local, multicast, the host's own
 * addresses and the pool never open. */
typedef struct
{
  bool is_allow;
  uint8_t family;      /* 4 or 6; 0 with a list */
  uint8_t address[16]; /* 4 or 16 bytes of it */
  uint8_t bits;        /* of the range */
  uint8_t list;        /* 0: by range; 1..16: by the addresses that are pinned to this list */
  uint8_t protocol;    /* 0: any, 6: TCP, 17: UDP */
  uint16_t port_first; /* 0 and 65535: any */
  uint16_t port_last;
} DnGatewayRule;

typedef struct
{
  DnNetworkPool pool;
  uint32_t slot;
  bool has_resolver;     /* port 53 of the gateway's address answers */
  bool has_internet;     /* public addresses that no rule names are reached */
  uint32_t group;        /* a tenant network's number, or 0; equal ones are the same network */
  uint32_t egress_kbit;  /* from the guest, 0: no limit */
  uint32_t ingress_kbit; /* to the guest, likewise */
  uint32_t connections;  /* tracked at a time, from %DN_GATEWAY_CONNECTIONS_MIN */
  uint32_t rule_count;
  DnGatewayRule rules[DN_GATEWAY_RULES_MAX];
} DnGatewayGuest;

typedef struct
{
  uint32_t slot;
  uint8_t container_slot;
  uint8_t protocol; /* 6 or 17 */
  uint16_t port_first;
  uint16_t port_last;
} DnGatewayExposed;

typedef struct
{
  DnNetworkPool pool;
  uint32_t group;
  uint32_t count;
  DnGatewayExposed exposed[DN_GATEWAY_EXPOSED_MAX];
} DnGatewayMembers;

typedef struct
{
  bool is_on_tap;      /* on the gateway's address of `slot`, bound to its tap; address is unused */
  uint8_t family;      /* 4 or 6 */
  uint8_t address[16]; /* any address, or one of the host's */
  uint8_t protocol;    /* 6 or 17 */
  uint16_t port;       /* 0: any */
} DnGatewaySocket;

typedef struct
{
  DnNetworkPool pool; /* for sockets on a tap */
  uint32_t slot;
  uint32_t count;
  DnGatewaySocket sockets[DN_GATEWAY_LISTEN_MAX];
} DnGatewayListen;

typedef struct
{
  uint32_t slot; /* the first, so that it is `slot` below, too */
  uint32_t server_count;
  DnNetworkEnd servers[DN_NETWORK_SERVERS_MAX];
} DnGatewayResolver;

typedef struct
{
  uint32_t slot; /* as above */
  uint8_t family;
  uint8_t protocol; /* 6 or 17 */
  uint32_t count;   /* 1..%DN_GATEWAY_LISTEN_MAX */
} DnGatewayReach;

typedef struct
{
  DnGatewayOrderType type;
  union
  {
    DnGatewayGuest guest;       /* OPEN, VERIFY */
    uint32_t slot;              /* CLOSE, POD_TAP, POD_JOIN, _LEAVE, _VERIFY */
    DnGatewayResolver resolver; /* PIN */
    DnGatewayMembers members;   /* MEMBERS */
    DnGatewayListen listen;     /* LISTEN */
    DnNetworkPool pool;         /* PROBE */
    DnGatewayReach reach;       /* REACH */
  };
} DnGatewayOrder;

typedef struct
{
  int32_t status;                             /* 0 or a negative errno */
  char error[DN_GATEWAY_ERROR_MAX_BYTES + 1]; /* "what: why" or with "\nremedy", for people */
  uint32_t text_size;                         /* of LIST, PROBE, VERIFY, POD_* */
  char text[DN_GATEWAY_ANSWER_MAX_BYTES - DN_GATEWAY_ERROR_MAX_BYTES - 64];
} DnGatewayAnswer;

/* Whether it is carried out in the network namespace that comes with it (gateway/door.h). */
bool dn_gateway_order_is_elsewhere (DnGatewayOrderType type);

/* Into @bytes of %DN_GATEWAY_ORDER_MAX_BYTES. Returns: the size, or -EMSGSIZE */
int dn_gateway_order_pack (const DnGatewayOrder *order, uint8_t *bytes);

/* Checks every field. Returns: 0; -EPROTONOSUPPORT for another version's, -EPROTO for one that is
 * malformed or over a limit */
int dn_gateway_order_unpack (const uint8_t *bytes, size_t size, DnGatewayOrder *ret_order);

int dn_gateway_answer_pack (const DnGatewayAnswer *answer, uint8_t *bytes);
int dn_gateway_answer_unpack (const uint8_t *bytes, size_t size, DnGatewayAnswer *ret_answer);
