/* SPDX-License-Identifier: Apache-2.0 */
#include "container-limits.h"

#include "../common/error.h"
#include "../daemon/container-call.h"
#include "../spec/cpu-list.h"

gboolean
dn_container_limits_check (const DnContainerOptions *options, const DnLimitsRoom *room,
                           GError **error)
{
  guint highest;

  if (!dn_container_check_memory (options->memory_bytes, room->memory_bytes, room->context, error))
    return FALSE;
  if (options->cpus > (double) room->vcpus)
    return dn_throw (error, DN_ERROR_LIMIT,
                     "--cpus %g: the guest of context '%s' has %" G_GUINT64_FORMAT
                     "\nlower the limit to %" G_GUINT64_FORMAT
                     ", or give the guest more processors",
                     options->cpus, room->context, room->vcpus, room->vcpus);
  if (options->cpuset_cpus != NULL && !g_str_equal (options->cpuset_cpus, "all"))
    {
      g_autofree char *list = dn_cpu_list_parse (options->cpuset_cpus, &highest);

      if (list != NULL && highest >= room->vcpus)
        return dn_throw (error, DN_ERROR_LIMIT,
                         "--cpuset-cpus %s: the guest of context '%s' has processors 0 to "
                         "%" G_GUINT64_FORMAT "\nname those, or give the guest more",
                         list, room->context, room->vcpus - 1);
    }
  return TRUE;
}

DnLimitsRoom
dn_container_limits_room (DnContext *context)
{
  DnLimitsRoom room = { .context = context->name };

  g_mutex_lock (&context->daemon->lock);
  room.memory_bytes = context->definition.guest_memory_bytes;
  room.vcpus = context->definition.guest_vcpus;
  g_mutex_unlock (&context->daemon->lock);
  return room;
}

guint64
dn_container_limits_vcpus (const DnContainerOptions *options)
{
  guint64 vcpus = options->cpus > 0 ? (guint64) options->cpus : 0;
  g_autofree char *list = NULL;
  guint highest = 0;

  if ((double) vcpus < options->cpus)
    vcpus++;
  if (options->cpuset_cpus != NULL)
    list = dn_cpu_list_parse (options->cpuset_cpus, &highest);
  return MAX (vcpus, list != NULL ? highest + 1 : 0);
}

static guint64
limit_or_none (gint64 value)
{
  return value < 0 ? DN_LIMIT_NONE : (guint64) value;
}

gboolean
dn_container_limits_send (DnGuest *guest, const char *container_id,
                          const DnContainerOptions *options, GError **error)
{
  DnMsgLimits message = { .memory_low_bytes = options->memory_reservation_bytes < 0
                                                  ? DN_LIMIT_NONE
                                                  : (guint64) options->memory_reservation_bytes,
                          .read_bytes_per_s = limit_or_none (options->read_bytes_per_s),
                          .write_bytes_per_s = limit_or_none (options->write_bytes_per_s),
                          .reads_per_s = limit_or_none (options->reads_per_s),
                          .writes_per_s = limit_or_none (options->writes_per_s) };

  if (message.memory_low_bytes == 0 && message.read_bytes_per_s == 0
      && message.write_bytes_per_s == 0 && message.reads_per_s == 0 && message.writes_per_s == 0
      && options->cpuset_cpus == NULL)
    return TRUE;
  g_strlcpy (message.container, container_id, sizeof message.container);
  g_strlcpy (message.cpus, options->cpuset_cpus != NULL ? options->cpuset_cpus : "",
             sizeof message.cpus);
  return dn_container_call (guest, DN_MSG_LIMITS, &message, (DnPackFunc) dn_msg_limits_pack,
                            DN_CALL_TIMEOUT_MS, error);
}

static JsonObject *
member (JsonObject *object, const char *name)
{
  return object != NULL && json_object_has_member (object, name)
             ? json_object_get_object_member (object, name)
             : NULL;
}

void
dn_container_limits_promise (DnContainer *container, DnGuest *guest, JsonObject *spec)
{
  g_autoptr (JsonNode) fresh = dn_container_build_spec (container, container->slot, NULL);
  JsonObject *now = fresh != NULL ? member (json_node_get_object (fresh), "linux") : NULL;
  JsonObject *then = member (spec, "linux");
  DnGuestInfo info = { 0 };

  if (member (now, "resources") == NULL || then == NULL)
    return;
  dn_guest_get_info (guest, &info);
  if (info.generation < DN_PROTOCOL_GENERATION_OUTSIDE)
    {
      JsonObject *unified = json_object_new ();

      json_object_set_string_member (unified, "memory.oom.group", "1");
      json_object_set_object_member (member (now, "resources"), "unified", unified);
    }
  dn_guest_info_clear (&info);
  json_object_set_member (then, "resources",
                          json_node_copy (json_object_get_member (now, "resources")));
}

static gboolean
prepare (DnPartStart *start, GError **error)
{
  DnLimitsRoom room = dn_container_limits_room (start->container->context);

  return dn_container_limits_check (start->options, &room, error);
}

/* All its disks are there, and its program does not run yet. */
static gboolean
furnish (DnPartStart *start, GError **error)
{
  return dn_container_limits_send (start->guest, start->container->id, start->options, error);
}

const DnContainerPart dn_container_limits_part
    = { .name = "limits", .prepare = prepare, .furnish = furnish };
