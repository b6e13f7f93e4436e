/* SPDX-License-Identifier: Apache-2.0 */
#include "image-fields.h"

#include <string.h>

#include "../../protocol/image-text.h"
#include "../common/error.h"
#include "../common/names.h"
#include "reference.h"

#define FIELDS (DN_IMAGE_HEALTH_TIME + 1)

typedef struct
{
  const char *words;
  gboolean is_list;
  gboolean is_free_text; /* control characters are replaced, not refused */
  guint count_max;
} Rule;

static const Rule rules[FIELDS] = {
  [DN_IMAGE_NAME] = { "name", TRUE, FALSE, 64 },
  [DN_IMAGE_ARCHITECTURE] = { "architecture", FALSE, FALSE, 1 },
  [DN_IMAGE_OS] = { "os", FALSE, FALSE, 1 },
  [DN_IMAGE_CREATED] = { "created", FALSE, FALSE, 1 },
  [DN_IMAGE_USER] = { "user", FALSE, FALSE, 1 },
  [DN_IMAGE_WORKING_DIR] = { "working directory", FALSE, FALSE, 1 },
  [DN_IMAGE_STOP_SIGNAL] = { "stop signal", FALSE, FALSE, 1 },
  [DN_IMAGE_ENV] = { "environment", TRUE, FALSE, 1024 },
  [DN_IMAGE_ENTRYPOINT] = { "entry point", TRUE, FALSE, 1024 },
  [DN_IMAGE_CMD] = { "command", TRUE, FALSE, 1024 },
  [DN_IMAGE_EXPOSED_PORT] = { "exposed port", TRUE, FALSE, 1024 },
  [DN_IMAGE_VOLUME] = { "volume", TRUE, FALSE, 1024 },
  [DN_IMAGE_LABEL] = { "label", TRUE, TRUE, 1024 },
  [DN_IMAGE_LAYER] = { "layer", TRUE, FALSE, 1024 },
  [DN_IMAGE_AUTHOR] = { "author", FALSE, TRUE, 1 },
  [DN_IMAGE_HISTORY] = { "history", TRUE, TRUE, 1024 },
  [DN_IMAGE_HEALTHCHECK] = { "health check", TRUE, TRUE, 256 },
  [DN_IMAGE_HISTORY_STEP] = { "step of the history", TRUE, FALSE, 1024 },
  [DN_IMAGE_HEALTH_TIME] = { "health check's time", TRUE, FALSE, 8 },
};

struct DnImageFields
{
  GPtrArray *values[FIELDS]; /* utf8 */
  guint count;
  gsize total_bytes;
  GError *error; /* the first */
};

DnImageFields *
dn_image_fields_new (void)
{
  DnImageFields *fields = g_new0 (DnImageFields, 1);

  for (guint i = 0; i < FIELDS; i++)
    fields->values[i] = g_ptr_array_new_with_free_func (g_free);
  return fields;
}

void
dn_image_fields_free (DnImageFields *fields)
{
  if (fields == NULL)
    return;
  for (guint i = 0; i < FIELDS; i++)
    g_ptr_array_unref (fields->values[i]);
  g_clear_error (&fields->error);
  g_free (fields);
}

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return TRUE;
  return FALSE;
}

void
dn_image_fields_add (DnImageFields *fields, guint16 field, const guint8 *value, guint32 size)
{
  const Rule *rule = field < FIELDS && rules[field].words != NULL ? &rules[field] : NULL;
  g_autofree char *text = g_strndup ((const char *) value, size);
  const char *fault = rule != NULL ? dn_image_text_fault ((DnImageField) field, text) : NULL;

  if (fields->error != NULL)
    return;
  fields->count++;
  fields->total_bytes += size;
  if (rule == NULL)
    dn_throw (&fields->error, DN_ERROR_GUEST, "field %u: unknown", (guint) field);
  else if (fields->count > DN_IMAGE_FIELDS_MAX || fields->total_bytes > DN_IMAGE_FIELDS_TOTAL_BYTES
           || size > DN_IMAGE_FIELD_VALUE_BYTES || fields->values[field]->len >= rule->count_max)
    dn_throw (&fields->error, DN_ERROR_GUEST, "%s: more than an image's config may hold",
              rule->words);
  else if (strlen (text) != size || !g_utf8_validate (text, -1, NULL))
    dn_throw (&fields->error, DN_ERROR_GUEST, "%s: not UTF-8 text", rule->words);
  else if (!rule->is_free_text && has_control (text))
    dn_throw (&fields->error, DN_ERROR_GUEST, "%s: has a control character", rule->words);
  else if (fault != NULL)
    dn_throw (&fields->error, DN_ERROR_GUEST, "%s: %s", rule->words, fault);
  else
    g_ptr_array_add (fields->values[field],
                     rule->is_free_text ? dn_text_clean (text, size) : g_steal_pointer (&text));
}

static char *
take_one (DnImageFields *fields, DnImageField field)
{
  GPtrArray *values = fields->values[field];

  /* An empty text is what archives write for "not set". */
  return values->len > 0 && *(char *) values->pdata[0] != '\0' ? g_strdup (values->pdata[0]) : NULL;
}

static char **
take_list (DnImageFields *fields, DnImageField field)
{
  GPtrArray *values = fields->values[field];
  char **list = g_new0 (char *, values->len + 1);

  for (guint i = 0; i < values->len; i++)
    list[i] = g_strdup (values->pdata[i]);
  return list;
}

/* A name that is no reference is an error: it would be lost in silence otherwise. */
static gboolean
take_names (DnImageFields *fields, DnImage *image, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < fields->values[DN_IMAGE_NAME]->len; i++)
    {
      char *name = dn_reference_normalise (fields->values[DN_IMAGE_NAME]->pdata[i], error);

      if (name == NULL)
        return FALSE;
      if (g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
        g_free (name);
      else
        g_ptr_array_add (names, name);
    }
  g_ptr_array_add (names, NULL);
  g_strfreev (image->names);
  image->names = (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

static void
replace_list (char ***list, char **value)
{
  g_strfreev (*list);
  *list = value;
}

DnImage *
dn_image_fields_finish (DnImageFields *fields, GError **error)
{
  g_autoptr (DnImage) image = dn_image_new ();

  if (fields->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&fields->error));
      return NULL;
    }
  if (!take_names (fields, image, error))
    return NULL;
  image->architecture = take_one (fields, DN_IMAGE_ARCHITECTURE);
  image->os = take_one (fields, DN_IMAGE_OS);
  image->created = take_one (fields, DN_IMAGE_CREATED);
  image->author = take_one (fields, DN_IMAGE_AUTHOR);
  image->config.user = take_one (fields, DN_IMAGE_USER);
  image->config.working_dir = take_one (fields, DN_IMAGE_WORKING_DIR);
  image->config.stop_signal = take_one (fields, DN_IMAGE_STOP_SIGNAL);
  image->config.env = take_list (fields, DN_IMAGE_ENV);
  image->config.entrypoint = take_list (fields, DN_IMAGE_ENTRYPOINT);
  image->config.cmd = take_list (fields, DN_IMAGE_CMD);
  replace_list (&image->exposed_ports, take_list (fields, DN_IMAGE_EXPOSED_PORT));
  replace_list (&image->volumes, take_list (fields, DN_IMAGE_VOLUME));
  replace_list (&image->labels, take_list (fields, DN_IMAGE_LABEL));
  replace_list (&image->history, take_list (fields, DN_IMAGE_HISTORY));
  replace_list (&image->history_steps, take_list (fields, DN_IMAGE_HISTORY_STEP));
  replace_list (&image->healthcheck, take_list (fields, DN_IMAGE_HEALTHCHECK));
  replace_list (&image->health_times, take_list (fields, DN_IMAGE_HEALTH_TIME));
  return g_steal_pointer (&image);
}
