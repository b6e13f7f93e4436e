/* SPDX-License-Identifier: Apache-2.0 */
/* DNS messages: a guest's query, the query for a server, a server's answer, the answer for the
 * guest.  All parsing and building is libldns's; what is decided of it is here.
 *
 * The answer for the guest is always a new message, of the records that a query of its type and
 * name may bring: the chain of CNAMEs from the name on, and at its end records of the type asked
 * for.  What else a server sends (authority, additional records, names that nobody asked for) goes
 * no further.
 *
 * Types are a closed list, each for a use that programs have: addresses and names of services, mail
 * and its policies, certificates.
 *
 *   A AAAA CNAME PTR MX NS SOA SRV TXT CAA NAPTR SSHFP TLSA   asked, and handed on
 *   HTTPS SVCB      there is none: they carry addresses that no firewall rule would be made for;
 *                   programs go on with A and AAAA
 *   AXFR IXFR       REFUSED: zones are not a guest's business
 *   all others      NOTIMP: ANY, which is for amplifying, and DNSSEC's, which prove nothing of an
 *                   answer that was filtered
 *
 * Classes but IN are REFUSED, opcodes but QUERY are NOTIMP.
 *
 * Names as text are lower case, without a dot at the end; bytes that no name of a host has are '?',
 * so that no rule is for them.
 *
 * Pure.  Source: RFC 1034, 1035, 2308, 6891, 8482, 8914, 9460.
 */
#pragma once

#include <ldns/ldns.h>

#include "table.h"

#define DN_DNS_HEADER_BYTES 12
#define DN_DNS_UDP_LEAST_BYTES 512
#define DN_DNS_UDP_MOST_BYTES 1232 /* goes through every network in one piece */
#define DN_DNS_QUERY_MAX_BYTES 1232
#define DN_DNS_ANSWER_MAX_BYTES 16384 /* of a server's, over TCP */
#define DN_DNS_RECORDS_MAX 128        /* of a server's, in all sections */
#define DN_DNS_KEPT_MAX 48            /* of those, in the answer for the guest */
#define DN_DNS_CHAIN_MAX 12           /* CNAMEs, one behind the other */

/* A pin ends at gateway-pin.h's limit: what is told to the guest ends a minute before. */
#define DN_DNS_TTL_MOST_S 3540
#define DN_DNS_NEGATIVE_TTL_S 30
#define DN_DNS_NEGATIVE_TTL_MOST_S 300
#define DN_DNS_CONTAINER_TTL_S 5

/* EXTENDED DNS ERROR codes (RFC 8914); DN_EDE_NONE: nothing to say. */
#define DN_EDE_NONE 0xffffu
#define DN_EDE_FILTERED 17u
#define DN_EDE_PROHIBITED 18u
#define DN_EDE_NO_SERVER 22u

typedef struct
{
  uint16_t id;
  uint16_t type;
  bool wants_recursion;
  bool has_edns;
  uint16_t udp_bytes;                 /* that the sender takes in a datagram */
  char name[DN_DOMAIN_MAX_BYTES + 1]; /* for rules */
  uint8_t wire[LDNS_MAX_DOMAINLEN];   /* as it was written */
  uint8_t wire_bytes;
} DnQuery;

typedef struct
{
  uint8_t family;
  uint8_t address[DN_ADDRESS_BYTES];
} DnAnswerAddress;

typedef struct
{
  uint8_t rcode;
  uint16_t ede;
  uint32_t ttl_s;                              /* how long it may be kept */
  ldns_rr_list *answer;                        /* owned; or NULL */
  ldns_rr *soa;                                /* owned; of what is not there; or NULL */
  DnAnswerAddress addresses[DN_ADDRESSES_MAX]; /* of A and AAAA in the answer */
  size_t address_count;
  unsigned rebound; /* addresses that were dropped */
} DnReply;

#define DN_REPLY_INIT                                                                              \
  {                                                                                                \
    .ede = DN_EDE_NONE                                                                             \
  }

void dn_reply_clear (DnReply *reply);

/**
 * dn_query_parse:
 * @ret_query: (out): set as far as it was read, from the id on, where an answer is due
 *
 * Returns: LDNS_RCODE_NOERROR, or the code to answer with; -EPROTO where nothing is to be answered:
 * too short for an id, or no query at all
 */
int dn_query_parse (const uint8_t *bytes, size_t size, DnQuery *ret_query);

/* What is asked of a server, with another id. Returns: the size, or -ENOMEM */
int dn_query_pack (const DnQuery *query, uint16_t id, bool has_edns,
                   uint8_t ret_bytes[DN_DNS_QUERY_MAX_BYTES]);

typedef enum
{
  DN_ANSWER_GOOD,    /* @ret_reply is set */
  DN_ANSWER_FOREIGN, /* no answer to this query: another id, another question; go on waiting */
  DN_ANSWER_CUT,     /* ask again over TCP */
  DN_ANSWER_OLD,     /* the server does not know EDNS: ask again without */
  DN_ANSWER_FAILED,  /* ask another server */
} DnAnswerKind;

/* @id, @query: what was asked; @ret_reply: (out): taken for empty */
DnAnswerKind dn_answer_read (const DnTable *table, const DnQuery *query, uint16_t id,
                             const uint8_t *bytes, size_t size, DnReply *ret_reply);

/* What needs no server: containers, loopback, names that there are not, types likewise.
 * Returns: false: a server is to be asked, and the addresses to be pinned to @ret_lists */
bool dn_reply_make (const DnTable *table, const DnQuery *query, DnReply *ret_reply,
                    DnLists *ret_lists);

/**
 * dn_reply_pack:
 * @age_s: since it was read: times to live are less by that
 * @limit: for a datagram of the guest's; an answer over it is cut (TC)
 *
 * Returns: the size, or -ENOMEM or -EMSGSIZE
 */
int dn_reply_pack (const DnQuery *query, const DnReply *reply, uint32_t age_s, size_t limit,
                   uint8_t *ret_bytes);
