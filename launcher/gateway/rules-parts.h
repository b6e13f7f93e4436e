/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules (rules.h) are made of; for these files alone.
 *
 *     rules-base.c      what is there once: tables, sets, hooks
 *     rules-frames.c    in-TAP, out-TAP: what is no frame of the guest's, or for it
 *     rules-reach.c     from-TAP: where the guest may go
 *     rules.c           a guest's chains put together, and taken away
 *     rules-changes.c   what changes while the guest runs
 */
#pragma once

#include <arpa/inet.h>

#include "rules.h"

/* Where types differ, cppcheck takes the first %N$ for the first argument in the text: suppressed.
 */
typedef struct
{
  char text[INET6_ADDRSTRLEN];
} DnRulesAddress;

static inline DnRulesAddress
dn_rules_address (uint8_t family, const void *address)
{
  DnRulesAddress to;

  (void) inet_ntop (family == 4 ? AF_INET : AF_INET6, address, to.text, sizeof to.text);
  return to;
}

#define TEXT4(address) (dn_rules_address (4, &(address)).text)
#define TEXT6(address) (dn_rules_address (6, &(address)).text)

/* @in, @out: "netdev TABLE CHAIN" */
void dn_rules_write_frames_in (FILE *text, const char *in, const DnGatewayGuest *guest,
                               const DnNetworkPlan *plan);
void dn_rules_write_frames_out (FILE *text, const char *out, const DnGatewayGuest *guest,
                                const DnNetworkPlan *plan);

/* The sets of addresses that names stand for, and the chain in which they are asked. */
void dn_rules_write_lists (FILE *text, const char *table, const DnGatewayGuest *guest,
                           const char *tap);
void dn_rules_write_from (FILE *text, const char *table, const DnGatewayGuest *guest,
                          const char *tap);
