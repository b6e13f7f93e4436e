/* SPDX-License-Identifier: Apache-2.0 */
/* A container's life, its processes, and what is asked about it. */
#include "container.h"
#include "report.h"
#include "request-handlers.h"
#include "verify.h"

int
dn_handle_create (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Create, create);
  dn_container_create (agent, request, &message, dn_parts_find (&agent->parts, message.request));
  return 0;
}

int
dn_handle_start (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Start, start);
  dn_container_start (container, request);
  return 0;
}

int
dn_handle_exec (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Exec, exec);
  dn_container_exec (container, request, &message, dn_parts_find (&agent->parts, message.request));
  return 0;
}

int
dn_handle_signal (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Signal, signal);
  dn_container_signal (container, request, &message);
  return 0;
}

int
dn_handle_pause (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Pause, pause);
  dn_container_pause (container, request, true);
  return 0;
}

int
dn_handle_resume (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Resume, resume);
  dn_container_pause (container, request, false);
  return 0;
}

int
dn_handle_delete (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Delete, delete);
  dn_container_delete (container, request);
  return 0;
}

int
dn_handle_update (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Update, update);
  dn_container_update (container, request, &message);
  return 0;
}

int
dn_handle_limits (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Limits, limits);
  dn_container_limits (container, request, &message);
  return 0;
}

int
dn_handle_health_check (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (HealthCheck, health_check);
  const DnParts *parts = dn_parts_find (&agent->parts, message.request);
  DnFault fault;

  if (parts == NULL || parts->config == NULL)
    dn_agent_reply (agent, &request, -EINVAL, "health check: the process object is missing");
  else if (dn_health_set (container, &message, parts->config, parts->config_bytes, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

int
dn_handle_stats (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Stats, stats);
  DnContainer *container = dn_container_find (agent, message.container);

  if (container != NULL)
    dn_report_stats (container, &request);
  else if (message.container[0] == '\0')
    dn_report_guest_stats (agent, &request);
  else
    return dn_handle_unknown (agent, &request, message.container);
  return 0;
}

int
dn_handle_top (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK_FOR_CONTAINER (Top, top);
  dn_report_top (container, &request);
  return 0;
}

int
dn_handle_verify (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DN_UNPACK (Verify, verify);
  DnContainer *container = dn_container_find (agent, message.container);

  if (container == NULL && message.container[0] != '\0')
    dn_agent_reply (agent, &request, -ENOENT, "no such container");
  else
    dn_verify_start (agent, request, container);
  return 0;
}
