/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/names.h"
#include "../daemon/json-build.h"

void
dn_image_source_free (DnImageSource *source)
{
  if (source == NULL)
    return;
  g_free (source->archive);
  g_free (source->reference);
  g_strfreev (source->names);
  g_free (source);
}

DnImageSource *
dn_image_source_new (const char *archive, const char *reference, char **names)
{
  DnImageSource *source = g_new0 (DnImageSource, 1);

  source->archive = g_strdup (archive);
  source->reference = g_strdup (reference);
  source->names = g_strdupv (names);
  return source;
}

DnImage *
dn_image_new (void)
{
  DnImage *image = g_new0 (DnImage, 1);

  image->ref_count = 1;
  image->names = g_new0 (char *, 1);
  image->exposed_ports = g_new0 (char *, 1);
  image->volumes = g_new0 (char *, 1);
  image->labels = g_new0 (char *, 1);
  image->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  image->history = g_new0 (char *, 1);
  image->history_steps = g_new0 (char *, 1);
  image->healthcheck = g_new0 (char *, 1);
  image->health_times = g_new0 (char *, 1);
  image->sources = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_source_free);
  return image;
}

DnImage *
dn_image_ref (DnImage *image)
{
  g_atomic_int_inc (&image->ref_count);
  return image;
}

static void
clear_config (DnImageConfig *config)
{
  g_free (config->user);
  g_free (config->working_dir);
  g_free (config->stop_signal);
  g_strfreev (config->env);
  g_strfreev (config->entrypoint);
  g_strfreev (config->cmd);
}

void
dn_image_unref (DnImage *image)
{
  if (image == NULL || !g_atomic_int_dec_and_test (&image->ref_count))
    return;
  g_free (image->id);
  g_strfreev (image->names);
  clear_config (&image->config);
  g_free (image->architecture);
  g_free (image->os);
  g_free (image->created);
  g_free (image->author);
  g_strfreev (image->exposed_ports);
  g_strfreev (image->volumes);
  g_strfreev (image->labels);
  g_ptr_array_unref (image->layers);
  g_strfreev (image->history);
  g_strfreev (image->history_steps);
  g_strfreev (image->healthcheck);
  g_strfreev (image->health_times);
  g_free (image->manifest_sha256);
  g_free (image->provenance);
  g_ptr_array_unref (image->sources);
  g_free (image);
}

DnImage *
dn_image_copy (DnImage *image, char **names)
{
  g_autoptr (JsonNode) node = dn_image_to_json (image);
  DnImage *copy = dn_image_from_json (json_node_get_object (node), "image", NULL);

  /* What was written by this program reads again. */
  g_assert (copy != NULL);
  g_strfreev (copy->names);
  copy->names = g_strdupv (names);
  return copy;
}

JsonObject *
dn_image_get_provenance (const DnImage *image)
{
  g_autoptr (JsonNode) node = image->provenance != NULL
                                  ? dn_json_parse (image->provenance, strlen (image->provenance),
                                                   G_MAXSIZE, "provenance", NULL)
                                  : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_dup_object (node)
                                                       : json_object_new ();
}

void
dn_image_set_layers (DnImage *image, GPtrArray *layers)
{
  g_ptr_array_unref (image->layers);
  image->layers = layers;
  image->rootfs_bytes = image->unpacked_bytes = image->files = 0;
  for (guint i = 0; i < layers->len; i++)
    {
      const DnLayer *layer = layers->pdata[i];

      image->rootfs_bytes += (gint64) dn_layer_file_bytes (layer);
      /* A guest's words: they may be any number. */
      image->unpacked_bytes += MIN (layer->unpacked_bytes, G_MAXINT64 - image->unpacked_bytes);
      image->files += MIN (layer->files, G_MAXINT64 - image->files);
    }
}

char **
dn_image_root_hashes (const DnImage *image)
{
  char **hashes = g_new0 (char *, image->layers->len + 1);

  for (guint i = 0; i < image->layers->len; i++)
    hashes[i] = g_strdup (((const DnLayer *) image->layers->pdata[i])->root_hash);
  return hashes;
}

/* What its config says, as text. */
static char *
config_text (const DnImage *image)
{
  static const char *const others[]
      = { "id",    "names",          "layers",     "manifest_sha256", "rootfs_bytes",
          "files", "unpacked_bytes", "provenance", "loaded_us",       "sources" };
  g_autoptr (JsonNode) node = dn_image_to_json (image);

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    json_object_remove_member (json_node_get_object (node), others[i]);
  return dn_json_to_text (node, FALSE);
}

gboolean
dn_image_is_same (const DnImage *a, const DnImage *b)
{
  g_auto (GStrv) a_hashes = dn_image_root_hashes (a), b_hashes = dn_image_root_hashes (b);
  g_autofree char *a_config = config_text (a), *b_config = config_text (b);

  return g_str_equal (a->id, b->id)
         && g_strv_equal ((const char *const *) a_hashes, (const char *const *) b_hashes)
         && g_str_equal (a_config, b_config);
}

gint64
dn_image_created_us (const DnImage *image)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time
      = image->created != NULL ? g_date_time_new_from_iso8601 (image->created, utc) : NULL;

  return time != NULL ? g_date_time_to_unix (time) * G_USEC_PER_SEC : 0;
}

static JsonArray *
sources_to_json (const DnImage *image)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < image->sources->len; i++)
    {
      const DnImageSource *source = image->sources->pdata[i];
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "archive", source->archive);
      json_object_set_string_member (object, "reference", source->reference);
      dn_json_set_strings (object, "names", source->names);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonArray *
layers_to_json (const DnImage *image)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < image->layers->len; i++)
    json_array_add_object_element (array, dn_layer_to_json (image->layers->pdata[i]));
  return array;
}

JsonNode *
dn_image_to_json (const DnImage *image)
{
  JsonObject *object = json_object_new ();
  JsonObject *config = json_object_new ();
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  dn_json_set_text (config, "user", image->config.user);
  dn_json_set_text (config, "working_dir", image->config.working_dir);
  dn_json_set_text (config, "stop_signal", image->config.stop_signal);
  dn_json_set_strings (config, "env", image->config.env);
  dn_json_set_strings (config, "entrypoint", image->config.entrypoint);
  dn_json_set_strings (config, "cmd", image->config.cmd);
  json_object_set_string_member (object, "id", image->id);
  dn_json_set_strings (object, "names", image->names);
  json_object_set_object_member (object, "config", config);
  dn_json_set_text (object, "architecture", image->architecture);
  dn_json_set_text (object, "os", image->os);
  dn_json_set_text (object, "created", image->created);
  dn_json_set_text (object, "author", image->author);
  dn_json_set_strings (object, "exposed_ports", image->exposed_ports);
  dn_json_set_strings (object, "volumes", image->volumes);
  dn_json_set_strings (object, "labels", image->labels);
  json_object_set_array_member (object, "layers", layers_to_json (image));
  dn_json_set_strings (object, "history", image->history);
  dn_json_set_strings (object, "history_steps", image->history_steps);
  dn_json_set_strings (object, "healthcheck", image->healthcheck);
  dn_json_set_strings (object, "health_times", image->health_times);
  json_object_set_string_member (object, "manifest_sha256", image->manifest_sha256);
  json_object_set_int_member (object, "rootfs_bytes", image->rootfs_bytes);
  json_object_set_int_member (object, "unpacked_bytes", image->unpacked_bytes);
  json_object_set_int_member (object, "files", image->files);
  json_object_set_int_member (object, "loaded_us", image->loaded_us);
  json_object_set_array_member (object, "sources", sources_to_json (image));
  json_object_set_object_member (object, "provenance", dn_image_get_provenance (image));
  json_node_take_object (node, object);
  return node;
}

static gboolean
read_config (JsonObject *object, DnImageConfig *config, const char *what, GError **error)
{
  const DnJsonField fields[] = {
    { "user", DN_JSON_STRING, FALSE, &config->user },
    { "working_dir", DN_JSON_STRING, FALSE, &config->working_dir },
    { "stop_signal", DN_JSON_STRING, FALSE, &config->stop_signal },
    { "env", DN_JSON_STRINGS, FALSE, &config->env },
    { "entrypoint", DN_JSON_STRINGS, FALSE, &config->entrypoint },
    { "cmd", DN_JSON_STRINGS, FALSE, &config->cmd },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  return dn_json_read (object, fields, what, error);
}

static gboolean
read_sources (JsonArray *array, DnImage *image, const char *what, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);
      g_autofree char *archive = NULL, *reference = NULL;
      g_auto (GStrv) names = NULL;
      const DnJsonField fields[] = {
        { "archive", DN_JSON_STRING, TRUE, &archive },
        { "reference", DN_JSON_STRING, TRUE, &reference },
        { "names", DN_JSON_STRINGS, TRUE, &names },
        { NULL, DN_JSON_STRING, FALSE, NULL },
      };

      if (!JSON_NODE_HOLDS_OBJECT (element))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: 'sources' must be a list of objects", what);
      if (!dn_json_read (json_node_get_object (element), fields, what, error))
        return FALSE;
      if (!dn_id_is_hex (archive, DN_DIGEST_DIGITS))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: 'archive' is no digest", what);
      g_ptr_array_add (image->sources, dn_image_source_new (archive, reference, names));
    }
  return TRUE;
}

static gboolean
read_layers (JsonArray *array, DnImage *image, const char *what, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);
      DnLayer *layer;

      if (!JSON_NODE_HOLDS_OBJECT (element))
        return dn_throw (error, DN_ERROR_CONFIG, "%s: 'layers' must be a list of objects", what);
      layer = dn_layer_from_json (json_node_get_object (element), what, error);
      if (layer == NULL)
        return FALSE;
      g_ptr_array_add (image->layers, layer);
    }
  return TRUE;
}

static char *
object_to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return dn_json_to_text (node, FALSE);
}

DnImage *
dn_image_from_json (JsonObject *object, const char *what, GError **error)
{
  g_autoptr (DnImage) image = dn_image_new ();
  g_autoptr (JsonObject) config = NULL;
  g_autoptr (JsonArray) sources = NULL;
  g_autoptr (JsonArray) layers = NULL;
  g_autoptr (JsonObject) provenance = NULL;
  const DnJsonField fields[] = {
    { "id", DN_JSON_STRING, TRUE, &image->id },
    { "names", DN_JSON_STRINGS, TRUE, &image->names },
    { "config", DN_JSON_OBJECT, TRUE, &config },
    { "architecture", DN_JSON_STRING, FALSE, &image->architecture },
    { "os", DN_JSON_STRING, FALSE, &image->os },
    { "created", DN_JSON_STRING, FALSE, &image->created },
    { "author", DN_JSON_STRING, FALSE, &image->author },
    { "exposed_ports", DN_JSON_STRINGS, TRUE, &image->exposed_ports },
    { "volumes", DN_JSON_STRINGS, TRUE, &image->volumes },
    { "labels", DN_JSON_STRINGS, TRUE, &image->labels },
    { "layers", DN_JSON_ARRAY, TRUE, &layers },
    { "history", DN_JSON_STRINGS, TRUE, &image->history },
    { "history_steps", DN_JSON_STRINGS, FALSE, &image->history_steps },
    { "healthcheck", DN_JSON_STRINGS, TRUE, &image->healthcheck },
    { "health_times", DN_JSON_STRINGS, FALSE, &image->health_times },
    { "manifest_sha256", DN_JSON_STRING, TRUE, &image->manifest_sha256 },
    { "rootfs_bytes", DN_JSON_INT, TRUE, &image->rootfs_bytes },
    { "unpacked_bytes", DN_JSON_INT, TRUE, &image->unpacked_bytes },
    { "files", DN_JSON_INT, TRUE, &image->files },
    { "loaded_us", DN_JSON_INT, TRUE, &image->loaded_us },
    { "sources", DN_JSON_ARRAY, TRUE, &sources },
    { "provenance", DN_JSON_OBJECT, FALSE, &provenance },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };

  if (!dn_json_read (object, fields, what, error)
      || !read_config (config, &image->config, what, error)
      || !read_sources (sources, image, what, error) || !read_layers (layers, image, what, error))
    return NULL;
  if (provenance != NULL)
    image->provenance = object_to_text (provenance);
  if (!dn_id_is_hex (image->id, DN_DIGEST_DIGITS)
      || !dn_id_is_hex (image->manifest_sha256, DN_DIGEST_DIGITS))
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: 'id' or 'manifest_sha256' is no digest", what);
      return NULL;
    }
  if (image->layers->len == 0)
    {
      dn_throw (error, DN_ERROR_CONFIG, "%s: the image has no layers", what);
      return NULL;
    }
  return g_steal_pointer (&image);
}

JsonObject *
dn_image_summary (const DnImage *image)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", image->id);
  dn_json_set_strings (object, "names", image->names);
  json_object_set_int_member (object, "created_us", dn_image_created_us (image));
  json_object_set_int_member (object, "loaded_us", image->loaded_us);
  json_object_set_int_member (object, "size_bytes", image->rootfs_bytes);
  json_object_set_int_member (object, "layers", image->layers->len);
  return object;
}

void
dn_image_disk_serial (const DnImage *image, char ret_serial[DN_DISK_SERIAL_BYTES + 1])
{
  g_strlcpy (ret_serial, image->id, DN_DISK_SERIAL_BYTES + 1);
}
