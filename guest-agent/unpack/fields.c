/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../protocol/image-text.h"
#include "document.h"

#define LIST_MAX 1024
#define LIST_MAX_HEALTHCHECK 256

typedef struct
{
  DnFieldFunc found;
  void *data;
  size_t count;
  size_t total_bytes;
  DnFailure *failure;
} Collector;

/* How many bytes the control character at @text has, 0 when it is none.  Jansson has checked that
 * texts are UTF-8 without NULs; control characters are those below blank, delete, and U+0080 to
 * U+009F, which UTF-8 writes as C2 80 to C2 9F. */
static size_t
control_width (const unsigned char *text)
{
  if (text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f)
    return 2;
  return text[0] < 0x20 || text[0] == 0x7f ? 1 : 0;
}

static bool
add (Collector *collector, DnImageField field, const char *name, const char *value, bool is_shown)
{
  char clean[DN_IMAGE_FIELD_VALUE_BYTES + 1];
  size_t size = strlen (value);
  const char *fault;

  if (size > DN_IMAGE_FIELD_VALUE_BYTES || ++collector->count > DN_IMAGE_FIELDS_MAX
      || (collector->total_bytes += size) > DN_IMAGE_FIELDS_TOTAL_BYTES)
    return dn_fail (collector->failure, -EFBIG, "%s: more than an image's config may hold", name);
  memcpy (clean, value, size + 1);
  for (size_t at = 0; at < size; at++)
    {
      size_t width = control_width ((unsigned char *) clean + at);

      if (width > 0 && !is_shown)
        return dn_fail (collector->failure, -EINVAL, "%s: '%s' has a control character", name,
                        dn_failure_name (value).text);
      memset (clean + at, ' ', width);
    }
  fault = dn_image_text_fault (field, value);
  if (fault != NULL)
    return dn_fail (collector->failure, -EINVAL, "%s: '%s': %s", name, dn_failure_name (value).text,
                    fault);
  collector->found (field, clean, size, collector->data);
  return true;
}

static bool
add_text (Collector *collector, DnImageField field, const json_t *object, const char *name,
          bool is_shown)
{
  const char *value = NULL;

  return dn_document_text (object, name, &value, collector->failure)
         && (value == NULL || add (collector, field, name, value, is_shown));
}

static bool
add_list (Collector *collector, DnImageField field, const json_t *object, const char *name,
          size_t limit, bool is_shown)
{
  json_t *list = NULL;

  if (!dn_document_array (object, name, limit, &list, collector->failure))
    return false;
  for (size_t i = 0; i < json_array_size (list); i++)
    {
      const char *value;

      if (!dn_document_text_at (list, i, name, &value, collector->failure)
          || !add (collector, field, name, value, is_shown))
        return false;
    }
  return true;
}

/* A set is written as an object whose values say nothing. */
static bool
add_keys (Collector *collector, DnImageField field, const json_t *object, const char *name)
{
  json_t *set = NULL;
  const char *key;
  json_t *value;

  if (!dn_document_object (object, name, &set, collector->failure))
    return false;
  if (json_object_size (set) > LIST_MAX)
    return dn_fail (collector->failure, -EFBIG, "'%s' has more than %d elements", name, LIST_MAX);
  json_object_foreach (set, key, value) if (!add (collector, field, name, key, false)) return false;
  return true;
}

static bool
add_labels (Collector *collector, const json_t *config)
{
  char text[DN_IMAGE_FIELD_VALUE_BYTES + 1];
  json_t *labels = NULL;
  const char *key;
  json_t *value;

  if (!dn_document_object (config, "Labels", &labels, collector->failure))
    return false;
  if (json_object_size (labels) > LIST_MAX)
    return dn_fail (collector->failure, -EFBIG, "'Labels' has more than %d elements", LIST_MAX);
  json_object_foreach (labels, key, value)
  {
    if (!json_is_string (value))
      return dn_fail (collector->failure, -EINVAL, "Labels: '%s' is not a text",
                      dn_failure_name (key).text);
    if (strchr (key, '=') != NULL)
      return dn_fail (collector->failure, -EINVAL, "Labels: '%s': a name with '='",
                      dn_failure_name (key).text);
    if (snprintf (text, sizeof text, "%s=%s", key, json_string_value (value)) >= (int) sizeof text)
      return dn_fail (collector->failure, -EFBIG, "Labels: '%s' is too long",
                      dn_failure_name (key).text);
    if (!add (collector, DN_IMAGE_LABEL, "Labels", text, true))
      return false;
  }
  return true;
}

static bool
add_environment (Collector *collector, const json_t *config)
{
  json_t *list = NULL;

  if (!dn_document_array (config, "Env", LIST_MAX, &list, collector->failure))
    return false;
  for (size_t i = 0; i < json_array_size (list); i++)
    {
      const char *value = json_string_value (json_array_get (list, i));

      /* The first words of a value may be a secret's. */
      if (value == NULL || dn_image_text_fault (DN_IMAGE_ENV, value) != NULL)
        return dn_fail (collector->failure, -EINVAL, "Env: element %zu is not NAME=VALUE", i + 1);
      if (!add (collector, DN_IMAGE_ENV, "Env", value, false))
        return false;
    }
  return true;
}

/* Whether a step of the history made a layer, and when it was. */
static bool
add_step (Collector *collector, const json_t *step)
{
  const json_t *empty = json_object_get (step, "empty_layer");
  const char *created = "";
  char text[64 + sizeof "layer "];

  if (empty != NULL && !json_is_boolean (empty))
    return dn_fail (collector->failure, -EINVAL,
                    "history: 'empty_layer' is neither true nor false");
  if (!dn_document_text (step, "created", &created, collector->failure))
    return false;
  if (snprintf (text, sizeof text, "%s %s", json_is_true (empty) ? "empty" : "layer", created)
      >= (int) sizeof text)
    return dn_fail (collector->failure, -EFBIG, "history: 'created' is too long");
  return add (collector, DN_IMAGE_HISTORY_STEP, "history", text, false);
}

static bool
add_history (Collector *collector, const json_t *root)
{
  json_t *history = NULL;

  if (!dn_document_array (root, "history", LIST_MAX, &history, collector->failure))
    return false;
  for (size_t i = 0; i < json_array_size (history); i++)
    {
      json_t *step;
      const char *words = "";
      char cut[4096];

      if (!dn_document_object_at (history, i, "history", &step, collector->failure)
          || !dn_document_text (step, "created_by", &words, collector->failure)
          || !add_step (collector, step))
        return false;
      /* Whole scripts stand here; their beginning is enough, cut where a character begins. */
      (void) snprintf (cut, sizeof cut, "%s", words);
      for (size_t end = strlen (cut); strlen (words) > end && end > 0; cut[--end] = '\0')
        if (((unsigned char) words[end] & 0xc0) != 0x80)
          break;
      if (!add (collector, DN_IMAGE_HISTORY, "history", cut, true))
        return false;
    }
  return true;
}

static bool
add_health (Collector *collector, const json_t *config)
{
  static const char *const times[][2] = { { "Interval", "interval_ns" },
                                          { "Timeout", "timeout_ns" },
                                          { "StartPeriod", "start_period_ns" },
                                          { "Retries", "retries" } };
  json_t *health = NULL;

  if (!dn_document_object (config, "Healthcheck", &health, collector->failure))
    return false;
  if (health == NULL)
    return true;
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
    {
      int64_t number = 0;
      char text[64];

      if (!dn_document_number (health, times[i][0], &number, collector->failure))
        return false;
      (void) snprintf (text, sizeof text, "%s=%lld", times[i][1], (long long) number);
      if (number > 0 && !add (collector, DN_IMAGE_HEALTH_TIME, times[i][0], text, false))
        return false;
    }
  return add_list (collector, DN_IMAGE_HEALTHCHECK, health, "Test", LIST_MAX_HEALTHCHECK, true);
}

static bool
collect_config (Collector *collector, const json_t *config)
{
  if (config == NULL)
    return true;
  return add_text (collector, DN_IMAGE_USER, config, "User", false)
         && add_text (collector, DN_IMAGE_WORKING_DIR, config, "WorkingDir", false)
         && add_text (collector, DN_IMAGE_STOP_SIGNAL, config, "StopSignal", false)
         && add_environment (collector, config)
         && add_list (collector, DN_IMAGE_ENTRYPOINT, config, "Entrypoint", LIST_MAX, false)
         && add_list (collector, DN_IMAGE_CMD, config, "Cmd", LIST_MAX, false)
         && add_keys (collector, DN_IMAGE_EXPOSED_PORT, config, "ExposedPorts")
         && add_keys (collector, DN_IMAGE_VOLUME, config, "Volumes")
         && add_labels (collector, config) && add_health (collector, config);
}

bool
dn_fields_collect (const DnManifest *manifest, DnFieldFunc found, void *data, DnFailure *failure)
{
  Collector collector = { .found = found, .data = data, .failure = failure };
  const json_t *root = manifest->config;
  json_t *config = NULL;
  bool is_good = true;

  for (size_t i = 0; is_good && i < manifest->names_count; i++)
    is_good = add (&collector, DN_IMAGE_NAME, "name", manifest->names[i], false);
  for (size_t i = 0; is_good && i < manifest->layers_count; i++)
    {
      char text[DN_DIGEST_TEXT_BYTES + 1];

      dn_digest_write (&manifest->layers[i].diff_id, text);
      is_good = add (&collector, DN_IMAGE_LAYER, "layer", text, false);
    }
  is_good = is_good && add_text (&collector, DN_IMAGE_ARCHITECTURE, root, "architecture", false)
            && add_text (&collector, DN_IMAGE_OS, root, "os", false)
            && add_text (&collector, DN_IMAGE_CREATED, root, "created", false)
            && add_text (&collector, DN_IMAGE_AUTHOR, root, "author", true)
            && dn_document_object (root, "config", &config, failure)
            && collect_config (&collector, config) && add_history (&collector, root);
  return is_good || dn_fail_prefix (failure, "the image's config");
}
