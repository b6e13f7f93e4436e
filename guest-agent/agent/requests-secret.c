/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets, and keys of encrypted volumes. */
#include "container.h"
#include "request-handlers.h"
#include "secret-intake.h"

int
dn_handle_secret (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Secret, secret);
  dn_secret_take (agent, request, container, &message);
  return 0;
}

/* Its container need not be there any more, as in the next two. */
int
dn_handle_secret_keep (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (SecretKeep, secret_keep);
  dn_secret_keep (agent, request, &message);
  return 0;
}

int
dn_handle_secret_list (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (SecretList, secret_list);
  dn_secret_list (agent, request, message.container);
  return 0;
}

int
dn_handle_key (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Key, key);
  dn_secret_take_key (agent, request, &message);
  return 0;
}
