/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <string.h>

void
dn_requests_init (DnRequests *requests, uint32_t first_number)
{
  *requests = (DnRequests){ .last_number = first_number };
}

uint32_t
dn_requests_number (DnRequests *requests, uint64_t asker, uint32_t asked)
{
  DnRequest *free_slot = NULL;

  for (size_t i = 0; i < DN_REQUESTS_MAX; i++)
    {
      DnRequest *slot = &requests->slots[i];

      if (slot->number == 0)
        free_slot = free_slot != NULL ? free_slot : slot;
      else if (asker != 0 && slot->asker == asker && slot->asked == asked)
        return slot->number;
    }
  if (free_slot == NULL)
    return 0;

  /* After 2^32 requests the numbers begin anew; one that is still under way is left out, and 0. */
  do
    requests->last_number++;
  while (requests->last_number == 0 || dn_requests_find (requests, requests->last_number) != NULL);
  *free_slot = (DnRequest){ .number = requests->last_number, .asked = asked, .asker = asker };
  requests->count++;
  return free_slot->number;
}

const DnRequest *
dn_requests_find (const DnRequests *requests, uint32_t number)
{
  for (size_t i = 0; number != 0 && requests->count > 0 && i < DN_REQUESTS_MAX; i++)
    if (requests->slots[i].number == number)
      return &requests->slots[i];
  return NULL;
}

void
dn_requests_forget (DnRequests *requests, uint32_t number)
{
  DnRequest *slot = (DnRequest *) dn_requests_find (requests, number);

  if (slot == NULL)
    return;
  *slot = (DnRequest){ 0 };
  requests->count--;
}

void
dn_requests_clear (DnRequests *requests)
{
  memset (requests->slots, 0, sizeof requests->slots);
  requests->count = 0;
}
