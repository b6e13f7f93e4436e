/* SPDX-License-Identifier: Apache-2.0 */
#include "container-json.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../network/container-publish.h"
#include "chain.h"
#include "container-admission.h"
#include "container-file.h"
#include "container-image.h"
#include "container-part.h"
#include "context-freeze.h"
#include "json-build.h"
#include "refusal.h"
#include "status-words.h"

/* The image's and the container's own. */
static JsonObject *
labels_to_json (const DnContainer *container, const DnImage *image)
{
  g_autoptr (GHashTable) labels = dn_container_image_labels (image, container->options->labels);
  JsonObject *object = json_object_new ();
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, labels);
  while (g_hash_table_iter_next (&iter, &name, &value))
    json_object_set_string_member (object, name, value);
  return object;
}

static gboolean
is_active (const DnContainer *container)
{
  return container->state == DN_CONTAINER_RUNNING || container->state == DN_CONTAINER_PAUSED;
}

/* Under the daemon's lock.  A container of a frozen guest is neither running nor paused. */
static const char *
state_word (const DnContainer *container)
{
  if (is_active (container) && dn_context_is_frozen_locked (container->context))
    return DN_CONTAINER_FROZEN_WORD;
  return container->restart.is_pending ? DN_CONTAINER_RESTARTING_WORD
                                       : dn_container_state_words[container->state];
}

/* Under the daemon's lock. */
static char *
status_words (const DnContainer *container)
{
  gint64 since_us
      = container->state == DN_CONTAINER_EXITED ? container->finished_us : container->started_us;
  g_autofree char *words
      = dn_status_words (container->state, container->exit_code, since_us, g_get_real_time ());

  if (is_active (container) && dn_context_is_frozen_locked (container->context))
    return g_strconcat (words, " (Frozen)", NULL);
  if (container->state == DN_CONTAINER_RUNNING && container->health.has_check)
    return g_strdup_printf ("%s (%s%s)", words,
                            container->health.status == DN_HEALTH_STARTING ? "health: " : "",
                            dn_health_status_word (container->health.status));
  if (container->restart.is_pending)
    return g_strconcat ("Restarting", words + strlen ("Exited"), NULL);
  return container->state == DN_CONTAINER_EXITED && container->is_oom_killed
             ? g_strconcat (words, " (out of memory)", NULL)
             : g_steal_pointer (&words);
}

/* Under the daemon's lock.  @image: NULL when the store has it no more. */
static JsonObject *
summary (DnContainer *container, const DnImage *image)
{
  const DnContextDefinition *definition = &container->context->definition;
  gboolean has_ended = container->state == DN_CONTAINER_EXITED;
  g_autofree char *status = status_words (container);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", container->id);
  json_object_set_string_member (object, "name", container->name);
  json_object_set_string_member (object, "image", container->image);
  json_object_set_string_member (object, "image_id", container->image_id);
  json_object_set_string_member (object, "command", container->command);
  json_object_set_string_member (object, "context", container->context->name);
  json_object_set_string_member (object, "tenant", definition->tenant);
  json_object_set_string_member (object, "stage", definition->stage);
  json_object_set_string_member (object, "tier", definition->tier);
  json_object_set_string_member (object, "state", state_word (container));
  json_object_set_string_member (object, "status", status);
  if (has_ended)
    json_object_set_int_member (object, "exit_code", container->exit_code);
  json_object_set_int_member (object, "created_us", container->created_us);
  json_object_set_int_member (object, "owner_uid", container->owner_uid);
  if (container->started_us != 0)
    json_object_set_int_member (object, "started_us", container->started_us);
  if (container->finished_us != 0)
    json_object_set_int_member (object, "finished_us", container->finished_us);
  json_object_set_object_member (object, "labels", labels_to_json (container, image));
  json_object_set_array_member (object, "ports", dn_container_publish_to_json (container));
  if (image != NULL)
    dn_json_set_strings (object, "exposed_ports", image->exposed_ports);
  return object;
}

/* (transfer full): the guest the container is in, or NULL */
static DnGuest *
get_guest (DnContainer *container)
{
  DnGuest *guest = NULL;

  g_mutex_lock (&container->daemon->lock);
  if (container->in_guest && container->context->guest != NULL)
    guest = dn_guest_ref (container->context->guest);
  g_mutex_unlock (&container->daemon->lock);
  return guest;
}

JsonObject *
dn_container_summary (DnContainer *container)
{
  g_autoptr (DnGuest) guest = get_guest (container);
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  JsonObject *object;

  g_mutex_lock (&container->daemon->lock);
  object = summary (container, image);
  g_mutex_unlock (&container->daemon->lock);
  if (guest != NULL)
    {
      DnGuestInfo info = { 0 };

      dn_guest_get_info (guest, &info);
      json_object_set_string_member (object, "accelerator",
                                     info.accelerator == DN_ACCELERATOR_KVM ? "kvm" : "tcg");
      json_object_set_string_member (object, "transport", dn_transport_words[info.transport]);
      dn_guest_info_clear (&info);
    }
  return object;
}

static void
add_image (DnContainer *container, JsonObject *object)
{
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);
  g_auto (GStrv) root_hashes = image != NULL ? dn_image_root_hashes (image) : NULL;
  JsonObject *digests;

  if (image == NULL)
    return;
  digests = json_object_new ();
  json_object_set_string_member (digests, "config_sha256", image->id);
  json_object_set_string_member (digests, "manifest_sha256", image->manifest_sha256);
  dn_json_set_strings (digests, "root_hashes", root_hashes);
  json_object_set_object_member (object, "image_digests", digests);
  json_object_set_object_member (object, "image_config", dn_container_image_to_json (image));
}

JsonObject *
dn_container_inspect (DnContainer *container)
{
  g_autoptr (DnGuest) guest = get_guest (container);
  JsonObject *object = dn_container_summary (container);
  JsonArray *logs = json_array_new ();

  g_mutex_lock (&container->daemon->lock);
  json_object_set_member (object, "options", dn_container_options_to_json (container->options));
  json_object_set_int_member (object, "exit_signal", container->exit_signal);
  json_object_set_boolean_member (object, "is_oom_killed", container->is_oom_killed);
  json_object_set_int_member (object, "starts", container->run);
  dn_json_set_text (object, "reason", container->reason);
  dn_json_set_text (object, "spec_sha256", container->spec_sha256);
  dn_json_set_text (object, "seccomp_sha256", container->seccomp_sha256);
  json_object_set_object_member (object, "profile", dn_container_profile_to_json (container));
  dn_json_set_strings (object, "relaxations", container->relaxations);
  if (container->oom.count > 0)
    json_object_set_object_member (object, "oom", dn_oom_victim_to_json (&container->oom));
  if (container->refusals != NULL)
    json_object_set_array_member (object, "refused", dn_refusals_to_json (container->refusals));
  if (container->damage.count > 0)
    json_object_set_object_member (object, "damage", dn_damage_to_json (&container->damage));
  if (container->has_started)
    json_object_set_object_member (object, "confinement",
                                   dn_container_started_to_json (&container->started));
  g_mutex_unlock (&container->daemon->lock);
  for (guint half = 0; half < 2; half++)
    {
      g_autofree char *path = dn_container_log_path (container, half);

      json_array_add_string_element (logs, path);
    }
  json_object_set_array_member (object, "log_paths", logs);
  if (guest != NULL)
    json_object_set_object_member (object, "guest", dn_context_guest_to_json (guest));
  json_object_set_array_member (object, "chain", dn_chain_to_json (container->context));
  add_image (container, object);
  dn_container_parts_describe (container, object);
  return object;
}

typedef enum
{
  FILTER_ID,
  FILTER_NAME,
  FILTER_LABEL,
  FILTER_STATUS,
  FILTER_CONTEXT,
  FILTER_IMAGE,
  FILTER_TENANT,
  FILTER_STAGE,
  FILTER_TIER,
  FILTER_HEALTH,
  FILTERS,
} Filter;

static const char *const filter_names[FILTERS] = {
  [FILTER_ID] = "id",         [FILTER_NAME] = "name",       [FILTER_LABEL] = "label",
  [FILTER_STATUS] = "status", [FILTER_CONTEXT] = "context", [FILTER_IMAGE] = "image",
  [FILTER_TENANT] = "tenant", [FILTER_STAGE] = "stage",     [FILTER_TIER] = "tier",
  [FILTER_HEALTH] = "health",
};

/* FILTERS when it is none. */
static Filter
parse_filter (const char *text, const char **ret_value)
{
  const char *equals = strchr (text, '=');

  for (guint i = 0; equals != NULL && i < FILTERS; i++)
    if (strlen (filter_names[i]) == (gsize) (equals - text)
        && strncmp (filter_names[i], text, (gsize) (equals - text)) == 0)
      {
        *ret_value = equals + 1;
        return (Filter) i;
      }
  return FILTERS;
}

gboolean
dn_container_check_filters (char **filters, GError **error)
{
  const char *value;

  for (guint i = 0; filters != NULL && filters[i] != NULL; i++)
    {
      g_autofree char *shown = NULL;
      Filter filter = parse_filter (filters[i], &value);
      gboolean is_state = filter != FILTER_STATUS || g_str_equal (value, DN_CONTAINER_FROZEN_WORD)
                          || g_str_equal (value, DN_CONTAINER_RESTARTING_WORD);

      shown = dn_text_clean (filters[i], 80);
      if (filter == FILTERS)
        return dn_throw (error, DN_ERROR_USAGE,
                         "filter '%s': unknown\nuse id, name, label, status, context, image, "
                         "tenant, stage, tier or health, as in status=running",
                         shown);
      for (guint k = 0; !is_state && k <= DN_CONTAINER_EXITED; k++)
        is_state = g_str_equal (value, dn_container_state_words[k]);
      if (!is_state)
        return dn_throw (error, DN_ERROR_USAGE,
                         "filter '%s': no such status\nuse created, running, paused, frozen, "
                         "restarting or exited",
                         shown);
    }
  return TRUE;
}

static gboolean
has_label (const DnContainer *container, const DnImage *image, const char *value)
{
  g_auto (GStrv) pair = g_strsplit (value, "=", 2);
  g_autoptr (GHashTable) labels = dn_container_image_labels (image, container->options->labels);
  const char *label = pair[0] != NULL ? g_hash_table_lookup (labels, pair[0]) : NULL;

  return label != NULL && (pair[1] == NULL || g_str_equal (label, pair[1]));
}

/* Under the daemon's lock. */
static gboolean
passes (const DnContainer *container, const DnImage *image, Filter filter, const char *value)
{
  const DnContextDefinition *definition = &container->context->definition;

  switch (filter)
    {
    case FILTER_ID:
      return g_str_has_prefix (container->id, value);
    case FILTER_NAME:
      return strstr (container->name, value) != NULL;
    case FILTER_LABEL:
      return has_label (container, image, value);
    case FILTER_STATUS:
      return g_str_equal (state_word (container), value);
    case FILTER_CONTEXT:
      return g_str_equal (container->context->name, value);
    case FILTER_IMAGE:
      return g_str_equal (container->image, value)
             || (dn_id_is_prefix (value) && g_str_has_prefix (container->image_id, value));
    case FILTER_TENANT:
      return g_str_equal (definition->tenant, value);
    case FILTER_STAGE:
      return g_str_equal (definition->stage, value);
    case FILTER_TIER:
      return g_str_equal (definition->tier, value);
    case FILTER_HEALTH:
      return g_str_equal (
          container->health.has_check ? dn_health_status_word (container->health.status) : "none",
          value);
    case FILTERS:
      return FALSE;
    }
  g_assert_not_reached ();
}

gboolean
dn_container_matches (DnContainer *container, char **filters)
{
  gboolean is_asked[FILTERS + 1] = { FALSE }, has_passed[FILTERS + 1] = { FALSE };
  gboolean is_match = TRUE;
  g_autoptr (DnImage) image = dn_store_find_id (container->daemon->store, container->image_id);

  g_mutex_lock (&container->daemon->lock);
  for (guint i = 0; filters != NULL && filters[i] != NULL; i++)
    {
      const char *value = "";
      Filter filter = parse_filter (filters[i], &value);
      gboolean is_passed = passes (container, image, filter, value);

      is_asked[filter] = TRUE;
      has_passed[filter] = has_passed[filter] || is_passed;
      if (filter == FILTER_LABEL && !is_passed)
        is_match = FALSE;
    }
  g_mutex_unlock (&container->daemon->lock);
  for (guint i = 0; i <= FILTERS; i++)
    if (is_asked[i] && !has_passed[i])
      is_match = FALSE;
  return is_match;
}
