/* SPDX-License-Identifier: Apache-2.0 */
#include "limits-json.h"

#include "../common/error.h"
#include "../common/json.h"

JsonObject *
dn_guest_limits_to_json (const DnGuestLimits *limits)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "cpu_shares", (gint64) limits->cpu_shares);
  json_object_set_int_member (object, "cpu_quota_percent", (gint64) limits->cpu_quota_percent);
  json_object_set_int_member (object, "io_read_bytes_per_s", (gint64) limits->read_bytes_per_s);
  json_object_set_int_member (object, "io_write_bytes_per_s", (gint64) limits->write_bytes_per_s);
  json_object_set_int_member (object, "io_read_per_s", (gint64) limits->reads_per_s);
  json_object_set_int_member (object, "io_write_per_s", (gint64) limits->writes_per_s);
  json_object_set_string_member (object, "balloon", dn_balloon_words[limits->balloon]);
  return object;
}

gboolean
dn_guest_limits_read (DnGuestLimits *limits, JsonObject *object, const char *what, GError **error)
{
  gint64 shares = 0, quota = 0, read_bytes = 0, write_bytes = 0, reads = 0, writes = 0;
  g_autofree char *balloon = NULL;
  const DnJsonField fields[] = {
    { "cpu_shares", DN_JSON_INT, TRUE, &shares },
    { "cpu_quota_percent", DN_JSON_INT, TRUE, &quota },
    { "io_read_bytes_per_s", DN_JSON_INT, TRUE, &read_bytes },
    { "io_write_bytes_per_s", DN_JSON_INT, TRUE, &write_bytes },
    { "io_read_per_s", DN_JSON_INT, TRUE, &reads },
    { "io_write_per_s", DN_JSON_INT, TRUE, &writes },
    { "balloon", DN_JSON_STRING, TRUE, &balloon },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error))
    return FALSE;
  if (shares < 0 || quota < 0 || read_bytes < 0 || write_bytes < 0 || reads < 0 || writes < 0)
    return dn_throw (error, DN_ERROR_CONFIG, "%s: a limit is below 0", what);
  *limits = (DnGuestLimits){ .cpu_shares = (guint64) shares,
                             .cpu_quota_percent = (guint64) quota,
                             .read_bytes_per_s = (guint64) read_bytes,
                             .write_bytes_per_s = (guint64) write_bytes,
                             .reads_per_s = (guint64) reads,
                             .writes_per_s = (guint64) writes };
  for (int i = 0; dn_balloon_words[i] != NULL; i++)
    if (g_str_equal (dn_balloon_words[i], balloon))
      limits->balloon = i;
  return TRUE;
}

JsonObject *
dn_guest_size_to_json (const DnGuestShape *shape)
{
  JsonObject *object = json_object_new ();
  JsonArray *formula = json_array_new ();
  DnGuestSize size;

  dn_guest_size (shape, &size);
  json_object_set_int_member (object, "memory_bytes", (gint64) size.memory_bytes);
  json_object_set_int_member (object, "vcpus", shape->vcpus);
  json_object_set_int_member (object, "disks", shape->disks);
  json_object_set_boolean_member (object, "is_emulated", shape->is_emulated);
  json_object_set_int_member (object, "system_bytes", (gint64) size.system_bytes);
  json_object_set_int_member (object, "container_bytes", (gint64) size.container_bytes);
  json_object_set_int_member (object, "table_bytes", (gint64) size.table_bytes);
  json_object_set_int_member (object, "qemu_bytes", (gint64) size.qemu_bytes);
  json_object_set_int_member (object, "vcpu_bytes", (gint64) size.vcpu_bytes);
  json_object_set_int_member (object, "disk_bytes", (gint64) size.disk_bytes);
  json_object_set_int_member (object, "network_bytes", (gint64) size.network_bytes);
  json_object_set_int_member (object, "bind_bytes", (gint64) size.bind_bytes);
  json_object_set_int_member (object, "emulation_bytes", (gint64) size.emulation_bytes);
  json_object_set_int_member (object, "host_limit_bytes", (gint64) size.limit_bytes);
  for (const char *const *line = dn_guest_size_formula; *line != NULL; line++)
    json_array_add_string_element (formula, *line);
  json_object_set_array_member (object, "formula", formula);
  return object;
}

JsonObject *
dn_host_group_to_json (const DnHostGroup *group)
{
  JsonObject *object = json_object_new ();
  const char *by = group->version == 2 ? "cgroup v2" : "cgroup v1";

  json_object_set_string_member (object, "cpu", group->has_cpu ? by : "none");
  json_object_set_string_member (object, "memory",
                                 group->has_memory && group->memory_bytes != 0 ? by : "none");
  json_object_set_string_member (object, "io", "qemu");
  json_object_set_int_member (object, "cpu_weight", (gint64) group->weight);
  json_object_set_int_member (object, "cpu_quota_us", (gint64) group->quota_us);
  json_object_set_int_member (object, "cpu_period_us", (gint64) group->period_us);
  json_object_set_int_member (object, "memory_limit_bytes", (gint64) group->memory_bytes);
  return object;
}
