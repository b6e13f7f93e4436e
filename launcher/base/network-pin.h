/* SPDX-License-Identifier: Apache-2.0 */
/* What a danchi-resolver and danchi-gateway say to each other, over a SOCK_SEQPACKET socketpair of
 * the two, one for each guest: fixed structs, one a message.
 *
 *     PIN    the resolver is about to answer a name of the policy's `allow` with this address: let
 *            the guest reach it, as rule number `rule` says.  It holds for `ttl_s` from now; again
 *            for an address that is there already: the longer time counts.  The answer comes when
 *            the kernel has it: what is answered then can be reached.  Public addresses alone: a
 *            private one is open by an address rule, or not at all.
 *     DIAL   a socket connected to server `server` of the policy, not blocking (for TCP: perhaps
 *            still connecting).  The answer carries it.
 *
 * So a resolver has no right to make a socket, and one that a guest has taken over reaches the
 * policy's name servers with them and nothing else.
 *
 * To the gateway the resolver is in the guest's hands.  Rules and servers go by their number in the
 * policy that danchid told the gateway (the rule's ports are that one's), every address is checked
 * against special-ranges.h there again, and %DN_PIN_* are its limits, which it keeps whatever
 * comes.  An order that is malformed or beyond the policy is answered with -EPERM; orders over the
 * limits with -ENOSPC (pins) or -EAGAIN (rate), and the resolver answers the guest SERVFAIL.
 *
 * Each order has one answer, in the order in which they came; at most %DN_PIN_OUTSTANDING_MAX wait.
 * The end of the socket is the end of all pins of the guest.
 */
#pragma once

#include "network-rule.h"

/* Descriptors, if any, come with SCM_RIGHTS: fdpass.h. */
#define DN_PIN_OUTSTANDING_MAX 64

/* Of one guest: addresses pinned at a time, and orders a second (with as much at once). */
#define DN_PIN_ADDRESSES_MAX 1024
#define DN_PIN_ORDERS_PER_S 256

/* A name's own time, kept within these: a connection can be made for a while after an answer that
 * says 0, and no answer opens an address for days.  What is told to the guest is the name's own
 * time, at most the most. */
#define DN_PIN_TTL_LEAST_S 60
#define DN_PIN_TTL_MOST_S 3600

typedef enum
{
  DN_PIN_ADDRESS = 1,
  DN_PIN_DIAL = 2,
} DnPinKind;

typedef struct
{
  uint32_t kind;                     /* DnPinKind */
  uint32_t number;                   /* of the order: any; the answer has it again */
  uint16_t rule;                     /* PIN: which of the policy's `allow`, from 0; a domain */
  uint8_t family;                    /* PIN: 4 or 6 */
  uint8_t is_tcp;                    /* DIAL: 0: UDP */
  uint32_t ttl_s;                    /* PIN: within the limits above */
  uint32_t server;                   /* DIAL: which of the policy's, from 0 */
  uint8_t address[DN_ADDRESS_BYTES]; /* PIN */
} DnPinOrder;

typedef struct
{
  uint32_t kind;
  uint32_t number;
  int32_t result; /* 0, or -errno; DIAL's comes with one descriptor where it is 0 */
} DnPinAnswer;

_Static_assert(sizeof (DnPinOrder) == 36, "no holes");
_Static_assert(sizeof (DnPinAnswer) == 12, "no holes");
