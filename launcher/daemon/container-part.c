/* SPDX-License-Identifier: Apache-2.0 */
#include "container-part.h"

#include "../binds/binds.h"
#include "../health/health.h"
#include "../limits/container-limits.h"
#include "../network/container-network.h"
#include "../network/container-publish.h"
#include "../network/container-resolver.h"
#include "../pods/pod-container.h"
#include "../secrets/secrets-part.h"
#include "../volumes/volume-part.h"
#include "container-scratch.h"

static const DnContainerPart *const parts[] = {
  &dn_container_limits_part,
  &dn_container_scratch_part,
  &dn_volume_part,
  &dn_container_network_part,
  &dn_container_resolver_part, /* after the network, which it tells of */
  &dn_container_publish_part,
  /* Before what wants a container that waits for START. */
  &dn_binds_part,
  &dn_pod_part,
  &dn_health_part,
  /* Last: its links lie over what others mount, and what it asks the client for comes when all else
   * is there. */
  &dn_secrets_part,
};

gboolean
dn_container_parts_prepare (DnPartStart *start, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i]->prepare != NULL && !parts[i]->prepare (start, error))
      return FALSE;
  return TRUE;
}

gboolean
dn_container_parts_specify (DnContainer *container, const DnContainerOptions *options, guint slot,
                            JsonNode *spec, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i]->specify != NULL
        && !parts[i]->specify (container, options, slot, json_node_get_object (spec), error))
      return FALSE;
  return TRUE;
}

gboolean
dn_container_parts_enter (DnPartStart *start, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      if (parts[i]->enter == NULL)
        continue;
      dn_trace_begin (start->request->trace, parts[i]->name);
      if (!parts[i]->enter (start, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
dn_container_parts_furnish (DnPartStart *start, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      if (parts[i]->furnish == NULL)
        continue;
      dn_trace_begin (start->request->trace, parts[i]->name);
      if (!parts[i]->furnish (start, error))
        return FALSE;
    }
  return TRUE;
}

void
dn_container_parts_resume (DnContainer *container, DnGuest *guest)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i]->resume != NULL)
      parts[i]->resume (container, guest);
}

void
dn_container_parts_leave (DnContainer *container, DnGuest *guest)
{
  for (gsize i = G_N_ELEMENTS (parts); i > 0; i--)
    if (parts[i - 1]->leave != NULL)
      parts[i - 1]->leave (container, guest);
}

void
dn_container_parts_forget (DnContainer *container)
{
  for (gsize i = G_N_ELEMENTS (parts); i > 0; i--)
    if (parts[i - 1]->forget != NULL)
      parts[i - 1]->forget (container);
}

void
dn_container_parts_describe (DnContainer *container, JsonObject *object)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i]->describe != NULL)
      parts[i]->describe (container, object);
}
