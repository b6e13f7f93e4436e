/* SPDX-License-Identifier: Apache-2.0 */
#include "resources.h"

#include "../common/error.h"
#include "../common/json.h"
#include "danchid.h"

#define TEXT_MAX_BYTES (1024 * 1024)
#define PERIOD_US 100000 /* the kernel's, where none is given */

/* 0 and absent: as it is.  Below 0: no limit. */
static void
add_limit (JsonObject *args, const char *name, gint64 value)
{
  if (value != 0)
    json_object_set_int_member (args, name, MAX (value, -1));
}

static void
add_cpus (JsonObject *args, JsonObject *cpu)
{
  gint64 quota_us = dn_danchid_int (cpu, "quota"), period_us = dn_danchid_int (cpu, "period");

  if (quota_us == 0)
    return;
  if (period_us <= 0)
    period_us = PERIOD_US;
  json_object_set_double_member (args, "cpus",
                                 quota_us < 0 ? -1 : (double) quota_us / (double) period_us);
}

gboolean
dn_resources_read (const char *text, gsize size, JsonObject **ret_args, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node
      = dn_json_parse_unsigned (text, size, TEXT_MAX_BYTES, "resources", &local);
  JsonObject *resources, *args;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return dn_throw (error, DN_ERROR_USAGE, "%s",
                     local != NULL ? local->message : "resources: not an object");
  resources = json_node_get_object (node);
  args = json_object_new ();
  add_limit (args, "memory_bytes",
             dn_danchid_int (dn_danchid_object (resources, "memory"), "limit"));
  add_limit (args, "memory_reservation_bytes",
             dn_danchid_int (dn_danchid_object (resources, "memory"), "reservation"));
  add_limit (args, "pids_limit", dn_danchid_int (dn_danchid_object (resources, "pids"), "limit"));
  add_limit (args, "cpu_shares", dn_danchid_int (dn_danchid_object (resources, "cpu"), "shares"));
  add_cpus (args, dn_danchid_object (resources, "cpu"));
  *ret_args = args;
  return TRUE;
}
