/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <unistd.h>

#include "inquiry.h"

/* In a process of its own. */
static void
run (DnAgent *agent, DnContainer *container, uint32_t request, int fd)
{
  DnFacts facts;

  if (dn_facts_init (&facts) < 0)
    _exit (1);
  if (container == NULL)
    dn_verify_guest (&facts, agent);
  else
    {
      dn_verify_container (&facts, container);
      dn_verify_network (&facts, container);
      dn_verify_inside (&facts, container);
    }
  if (dn_facts_send (&facts, request, fd) < 0)
    _exit (1);
}

void
dn_verify_start (DnAgent *agent, DnRequest request, DnContainer *container)
{
  static const DnInquiryKind kind = { .name = "verify",
                                      .answer = DN_MSG_FACT,
                                      .deadline_ms = DN_VERIFY_DEADLINE_MS,
                                      .has_descriptors = true,
                                      .run = run };

  dn_inquiry_start (agent, request, container, &kind);
}
