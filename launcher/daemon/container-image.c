/* SPDX-License-Identifier: Apache-2.0 */
#include "container-image.h"

#include <string.h>

#include "json-build.h"

/* Splits the image's NAME=VALUE texts, which are the image's own memory. */
static void
add_labels (GHashTable *labels, const DnImage *image)
{
  for (char **label = image->labels; *label != NULL; label++)
    {
      const char *equals = strchr (*label, '=');

      if (equals != NULL)
        g_hash_table_insert (labels, g_strndup (*label, (gsize) (equals - *label)),
                             g_strdup (equals + 1));
    }
}

GHashTable *
dn_container_image_labels (const DnImage *image, GHashTable *own)
{
  GHashTable *labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name, value;

  if (image != NULL)
    add_labels (labels, image);
  if (own == NULL)
    return labels;
  g_hash_table_iter_init (&iter, own);
  while (g_hash_table_iter_next (&iter, &name, &value))
    g_hash_table_insert (labels, g_strdup (name), g_strdup (value));
  return labels;
}

static JsonObject *
health_to_json (const DnImage *image)
{
  JsonObject *health = json_object_new ();

  dn_json_set_strings (health, "test", image->healthcheck);
  for (char **time = image->health_times; time != NULL && *time != NULL; time++)
    {
      g_auto (GStrv) pair = g_strsplit (*time, "=", 2);

      if (pair[0] != NULL && pair[1] != NULL)
        json_object_set_int_member (health, pair[0], g_ascii_strtoll (pair[1], NULL, 10));
    }
  /* So that nobody takes what is stored for what is watched. */
  return health;
}

JsonObject *
dn_container_image_to_json (const DnImage *image)
{
  JsonObject *object = json_object_new ();

  dn_json_set_text (object, "user", image->config.user);
  dn_json_set_text (object, "working_dir", image->config.working_dir);
  dn_json_set_text (object, "stop_signal", image->config.stop_signal);
  dn_json_set_strings (object, "env", image->config.env);
  dn_json_set_strings (object, "entrypoint", image->config.entrypoint);
  dn_json_set_strings (object, "cmd", image->config.cmd);
  dn_json_set_strings (object, "exposed_ports", image->exposed_ports);
  dn_json_set_strings (object, "volumes", image->volumes);
  dn_json_set_strings (object, "labels", image->labels);
  if (image->healthcheck[0] != NULL)
    json_object_set_object_member (object, "healthcheck", health_to_json (image));
  return object;
}
