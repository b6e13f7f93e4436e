/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include "../common/error.h"
#include "../common/json.h"
#include "../daemon/container-call.h"
#include "health-plan.h"
#include "restart.h"

#define CALL_TIMEOUT_MS 15000
/* A guest that lies must not wash others' events out of the log. */
#define EVENT_EVERY_US G_USEC_PER_SEC

static gboolean
prepare (DnPartStart *start, GError **error)
{
  g_auto (DnHealthPlan) plan = { 0 };

  return dn_health_plan_make (start->options, start->image, &plan, error);
}

static gboolean
send_check (DnPartStart *start, const DnHealthPlan *plan, GError **error)
{
  DnContainer *container = start->container;
  g_autoptr (JsonNode) spec = dn_container_build_spec (container, start->slot, error);
  g_autoptr (JsonNode) process = NULL;
  g_autofree char *config = NULL;
  DnMsgHealthCheck message = { .interval_us = (guint64) plan->interval_ns / 1000,
                               .timeout_us = (guint64) plan->timeout_ns / 1000,
                               .start_us = (guint64) plan->start_ns / 1000,
                               .start_interval_us = (guint64) plan->start_interval_ns / 1000,
                               .retries = (guint32) plan->retries };
  DnGuestCall call = { .type = DN_MSG_HEALTH_CHECK,
                       .message = &message,
                       .pack = (DnPackFunc) dn_msg_health_check_pack,
                       .timeout_ms = CALL_TIMEOUT_MS };
  const DnSpecExec exec = { .command = plan->command };

  if (spec == NULL)
    return FALSE;
  process = dn_spec_build_exec (spec, &exec, error);
  if (process == NULL)
    return FALSE;
  config = dn_json_to_text (process, FALSE);
  call.config = config;
  g_strlcpy (message.container, container->id, sizeof message.container);
  return dn_guest_call (start->guest, &call, error);
}

static gboolean
furnish (DnPartStart *start, GError **error)
{
  DnContainer *container = start->container;
  g_auto (DnHealthPlan) plan = { 0 };

  if (!dn_health_plan_make (start->options, start->image, &plan, error))
    return FALSE;
  g_mutex_lock (&container->daemon->lock);
  dn_health_record_begin (&container->health, plan.command != NULL);
  g_mutex_unlock (&container->daemon->lock);
  return plan.command == NULL || send_check (start, &plan, error);
}

static void
describe (DnContainer *container, JsonObject *object)
{
  g_mutex_lock (&container->daemon->lock);
  json_object_set_object_member (object, "restart", dn_restart_to_json (container));
  if (container->health.has_check)
    json_object_set_object_member (object, "health", dn_health_record_to_json (&container->health));
  g_mutex_unlock (&container->daemon->lock);
}

void
dn_health_told (DnContainer *container, const DnMsgHealth *message)
{
  gint64 now_us = g_get_monotonic_time ();
  const char *status = NULL;

  g_mutex_lock (&container->daemon->lock);
  if (dn_health_record_take (&container->health, message, g_get_real_time ())
      && (container->health.event_us == 0 || now_us - container->health.event_us >= EVENT_EVERY_US))
    {
      container->health.event_us = now_us;
      status = dn_health_status_word (container->health.status);
    }
  g_cond_broadcast (&container->daemon->changed);
  g_mutex_unlock (&container->daemon->lock);
  if (status != NULL)
    dn_container_event (container, "health_status",
                        (const char *const[]){ "status", status, NULL });
}

const DnContainerPart dn_health_part
    = { .name = "health", .prepare = prepare, .furnish = furnish, .describe = describe };
