/* SPDX-License-Identifier: Apache-2.0 */
#include "audit-contexts.h"

#include "../images/image-scan.h"
#include "../images/signature.h"
#include "../network/container-publish.h"
#include "access-json.h"
#include "container-spec.h"
#include "json-build.h"
#include "settings-file.h"

#define DAY_US (24 * G_TIME_SPAN_HOUR)

/* Null where no registry was asked. */
static void
add_staleness (JsonObject *object, const DnImage *image)
{
  g_autoptr (JsonObject) provenance = image != NULL ? dn_image_get_provenance (image) : NULL;
  JsonNode *newer = provenance != NULL ? json_object_get_member (provenance, "newer") : NULL;

  if (newer != NULL && JSON_NODE_HOLDS_OBJECT (newer))
    json_object_set_boolean_member (object, "is_stale",
                                    json_object_get_boolean_member_with_default (
                                        json_node_get_object (newer), "is_stale", FALSE));
  else
    json_object_set_null_member (object, "is_stale");
}

/* Null where there is no verdict that counts. */
static void
add_scan (JsonObject *object, DnDaemon *daemon, const DnImage *image)
{
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autoptr (DnScan) scan = NULL;

  if (image != NULL && dn_image_scan_counts (image, &settings->scan))
    scan = dn_image_scan_get (image);
  dn_json_set_text_or_null (object, "scan",
                            scan != NULL ? dn_scan_verdict_words[scan->verdict] : NULL);
}

static JsonObject *
image_to_json (DnContainer *container)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  gint64 created_us = image != NULL ? dn_image_created_us (image) : 0;
  g_autofree char *digest = g_strconcat ("sha256:", container->image_id, NULL);
  g_autoptr (JsonObject) provenance = image != NULL ? dn_image_get_provenance (image) : NULL;
  g_autofree char *signer = provenance != NULL ? dn_signature_signer (provenance) : NULL;
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "reference", container->image);
  json_object_set_string_member (object, "digest", digest);
  dn_json_set_time_or_null (object, "created", created_us);
  if (created_us > 0)
    json_object_set_int_member (object, "age_days",
                                MAX (0, (g_get_real_time () - created_us) / DAY_US));
  else
    json_object_set_null_member (object, "age_days");
  add_staleness (object, image);
  json_object_set_string_member (object, "signature", signer != NULL ? signer : "none");
  add_scan (object, container->daemon, image);
  return object;
}

static JsonObject *
profile_to_json (const DnContainer *container)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", container->profile->name);
  json_object_set_string_member (object, "hash", container->profile->sha256);
  return object;
}

/* The bounding set of what the container was last started with, without "CAP_"; null before the
 * first start. */
static JsonNode *
capabilities_to_json (DnContainer *container)
{
  g_autoptr (JsonNode) spec = dn_container_spec_load (container, NULL);
  JsonNode *node = json_node_new (JSON_NODE_NULL);
  JsonObject *process = NULL, *sets = NULL;
  JsonArray *bounding, *names;

  if (spec != NULL && json_object_has_member (json_node_get_object (spec), "process"))
    process = json_object_get_object_member (json_node_get_object (spec), "process");
  if (process == NULL)
    return node;
  names = json_array_new ();
  if (json_object_has_member (process, "capabilities"))
    sets = json_object_get_object_member (process, "capabilities");
  bounding = sets != NULL && json_object_has_member (sets, "bounding")
                 ? json_object_get_array_member (sets, "bounding")
                 : NULL;
  for (guint i = 0; bounding != NULL && i < json_array_get_length (bounding); i++)
    {
      const char *name = json_array_get_string_element (bounding, i);

      json_array_add_string_element (names, g_str_has_prefix (name, "CAP_") ? name + 4 : name);
    }
  json_node_free (node);
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_take_array (node, names);
  return node;
}

static void
add_number_or_null (JsonObject *object, const char *name, gint64 value)
{
  if (value > 0)
    json_object_set_int_member (object, name, value);
  else
    json_object_set_null_member (object, name);
}

/* Under the daemon's lock. */
static JsonObject *
limits_to_json (const DnContainer *container)
{
  JsonObject *object = json_object_new ();

  add_number_or_null (object, "memory_bytes", container->options->memory_bytes);
  add_number_or_null (object, "pids", container->options->pids_limit);
  return object;
}

static JsonObject *
container_to_json (DnContainer *container, const DnListeners *listeners)
{
  JsonObject *object = json_object_new ();
  JsonArray *relaxations = json_array_new ();
  JsonObject *damage;
  gboolean is_running;

  json_object_set_string_member (object, "id", container->id);
  g_mutex_lock (&container->daemon->lock);
  is_running = container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED;
  json_object_set_string_member (object, "name", container->name);
  json_object_set_string_member (object, "state", dn_container_state_words[container->state]);
  damage = dn_damage_to_json (&container->damage);
  json_object_set_object_member (object, "limits", limits_to_json (container));
  for (char **at = container->relaxations; at != NULL && *at != NULL; at++)
    json_array_add_string_element (relaxations, *at);
  g_mutex_unlock (&container->daemon->lock);
  json_object_set_object_member (object, "image", image_to_json (container));
  json_object_set_object_member (object, "profile", profile_to_json (container));
  json_object_set_array_member (object, "relaxations", relaxations);
  if (damage != NULL)
    json_object_set_object_member (object, "damage", damage);
  else
    json_object_set_null_member (object, "damage");
  json_object_set_member (object, "capabilities", capabilities_to_json (container));
  json_object_set_array_member (object, "ports", dn_container_publish_to_json (container));
  dn_listeners_add_to (listeners, container, is_running, object);
  return object;
}

static JsonObject *
context_to_json (DnContext *context, const GPtrArray *containers, const DnListeners *listeners)
{
  /* Its members have the names that context-list gives them. */
  JsonObject *object = dn_context_to_json (context, FALSE);
  JsonArray *array = json_array_new ();
  static const char *const absent[] = { "error", "guest", "verdict" };

  for (guint i = 0; i < containers->len; i++)
    {
      DnContainer *container = containers->pdata[i];

      if (container->context == context)
        json_array_add_object_element (array, container_to_json (container, listeners));
    }
  json_object_set_array_member (object, "containers", array);
  g_mutex_lock (&context->daemon->lock);
  json_object_set_object_member (object, "access", dn_access_to_json (context));
  g_mutex_unlock (&context->daemon->lock);
  for (gsize i = 0; i < G_N_ELEMENTS (absent); i++)
    if (!json_object_has_member (object, absent[i]))
      json_object_set_null_member (object, absent[i]);
  return object;
}

JsonArray *
dn_audit_contexts (DnDaemon *daemon, const DnListeners *listeners)
{
  g_autoptr (GPtrArray) contexts = dn_context_list (daemon);
  g_autoptr (GPtrArray) containers = dn_container_list (daemon);
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < contexts->len; i++)
    json_array_add_object_element (array,
                                   context_to_json (contexts->pdata[i], containers, listeners));
  return array;
}
