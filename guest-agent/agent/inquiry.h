/* SPDX-License-Identifier: Apache-2.0 */
/* A request whose answer takes a look at many processes: VERIFY, LISTENERS.
 *
 * The agent forks a child, which holds nothing of the agent's but what it looks at; it collects and
 * sends answers over a socket pair, one record each, and ends; the agent passes them on.  So
 * neither a container with many processes nor one that hangs holds the agent up.  A child that is
 * late is killed, and then, as when it ends early, the request fails.
 */
#pragma once

#include "container.h"

#define DN_INQUIRY_MOST 8 /* at a time */

typedef struct
{
  const char *name;     /* for the texts of failures: "verify" */
  uint16_t answer;      /* the message that each record is */
  unsigned deadline_ms; /* for the child */
  bool has_descriptors; /* the child needs the container's own: see below */
  /* The child's work; ends by returning, or by _exit(1) where not all could be said; @container as
   * given to the start.  Writes payloads of `answer`, each a record, on @fd.  All other descriptors
   * of the agent's are closed, but with `has_descriptors` those of @container: cgroup, first
   * process, mount namespace. */
  void (*run) (DnAgent *agent, DnContainer *container, uint32_t request, int fd);
  /* May be NULL: what has to be done while all of the agent's descriptors are open yet. */
  void (*prepare) (DnAgent *agent, DnContainer *container);
} DnInquiryKind;

/* Ends @request by a REPLY, later.  @container: NULL for none of them. */
void dn_inquiry_start (DnAgent *agent, DnRequest request, DnContainer *container,
                       const DnInquiryKind *kind);

/* The container goes: nothing of it may be held any more. */
void dn_inquiry_forget_container (const DnContainer *container);
