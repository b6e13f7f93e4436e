/* SPDX-License-Identifier: Apache-2.0 */
/* What cards the guest and its containers have, and who listens behind them. */
#include "container.h"
#include "listeners.h"
#include "request-handlers.h"

int
dn_handle_network (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  int r;

  DN_UNPACK (Network, network);
  r = dn_network_apply (&agent->network, &message, &fault);
  dn_agent_reply_result (agent, &request, r, &fault);
  return 0;
}

int
dn_handle_pod_network (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  int r;

  DN_UNPACK (PodNetwork, pod_network);
  r = dn_pod_card_set (&agent->pod_card, &message, &fault);
  dn_agent_reply_result (agent, &request, r, &fault);
  return 0;
}

/* The card of that container, or what waits for it; NULL with @fault without memory, or for a
 * container that was made without one. */
static DnCard *
find_card (DnAgent *agent, const char *id, DnFault *fault)
{
  DnContainer *container = dn_container_find (agent, id);
  DnCard *card = container != NULL ? container->card : dn_cards_wait (&agent->cards, id);

  if (card == NULL)
    (void) dn_fault_set (fault, -ENODEV, "the container has no card");
  return card;
}

int
dn_handle_card (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  int r;
  DnCard *card;

  DN_UNPACK (Card, card);
  card = find_card (agent, message.container, &fault);
  r = card == NULL ? -ENODEV : dn_card_set (card, &message, &fault);
  dn_agent_reply_result (agent, &request, r, &fault);
  return 0;
}

int
dn_handle_card_file (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  int r;
  DnCard *card;

  DN_UNPACK (CardFile, card_file);
  card = find_card (agent, message.container, &fault);
  r = card == NULL ? -ENODEV : dn_card_set_file (card, &message, &fault);
  dn_agent_reply_result (agent, &request, r, &fault);
  return 0;
}

int
dn_handle_listeners (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Listeners, listeners);
  DnContainer *container = dn_container_find (agent, message.container);

  if (container == NULL && message.container[0] != '\0')
    return dn_handle_unknown (agent, &request, message.container);
  dn_listeners_start (agent, request, container);
  return 0;
}
