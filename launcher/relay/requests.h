/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the guest that were not answered yet, and who asked.
 *
 * The relay gives each request a number of its own and puts the asker's back into the answers.  So
 * a danchid that was started anew never takes the answer to its predecessor's request 5 for one to
 * its own, and the relay's own requests (a session's signals) need no range set apart.  A number is
 * not used again by this relay, and the first is random: answers to a relay before it match none.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Requests under way at a time: danchid's threads wait for each. */
#define DN_REQUESTS_MAX 512

typedef struct
{
  uint32_t number; /* towards the guest; 0: free */
  uint32_t asked;  /* danchid's number for it */
  uint64_t asker;  /* the control connection's serial number; 0: the relay itself */
} DnRequest;

typedef struct
{
  DnRequest slots[DN_REQUESTS_MAX];
  size_t count;
  uint32_t last_number;
} DnRequests;

void dn_requests_init (DnRequests *requests, uint32_t first_number);

/* The guest's number for @asker's request @asked: the one it has already (a PART came before), or
 * a new one.  0 when %DN_REQUESTS_MAX are under way. */
uint32_t dn_requests_number (DnRequests *requests, uint64_t asker, uint32_t asked);

/* The request that an answer belongs to, or NULL: nobody asked, or it was forgotten. */
const DnRequest *dn_requests_find (const DnRequests *requests, uint32_t number);

/* REPLY came. */
void dn_requests_forget (DnRequests *requests, uint32_t number);

/* The link is gone: nothing under way will be answered. */
void dn_requests_clear (DnRequests *requests);
