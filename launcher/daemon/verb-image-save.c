/* SPDX-License-Identifier: Apache-2.0 */
/* The verb image-save: the blobs of images, opened for reading, for the client to write an archive
 * of.
 *
 * Nothing is read here, and the client's file is not written here: it is written with the client's
 * own rights, and a client that stands still holds up nobody.  What is removed meanwhile stays
 * readable by its descriptors.
 */
#include <string.h>
#include <unistd.h>

#include "../common/error.h"
#include "../images/reference.h"
#include "json-build.h"
#include "lookup.h"
#include "verbs.h"

/* Each blob is a descriptor of the client's. */
#define BLOBS_MAX 4096

typedef struct
{
  DnRequest *request;
  GHashTable *sent; /* digests; owned */
} Saving;

static gboolean
send_blob (Saving *saving, const char *sha256, GError **error)
{
  JsonObject *blob, *event;
  g_autoptr (JsonNode) node = NULL;
  DnFdList fds = DN_FD_LIST_INIT;
  guint64 bytes;
  gboolean is_sent;
  int fd;

  if (g_hash_table_contains (saving->sent, sha256))
    return TRUE;
  if (g_hash_table_size (saving->sent) >= BLOBS_MAX)
    return dn_throw (error, DN_ERROR_LIMIT, "images: more than %d layers\nsave fewer at a time",
                     BLOBS_MAX);
  fd = dn_store_open_blob (saving->request->daemon->store, sha256, &bytes, error);
  if (fd < 0)
    return FALSE;
  fds.fds[fds.count++] = fd;
  g_hash_table_add (saving->sent, g_strdup (sha256));
  blob = json_object_new ();
  json_object_set_string_member (blob, "sha256", sha256);
  json_object_set_int_member (blob, "size_bytes", (gint64) bytes);
  event = json_object_new ();
  json_object_set_object_member (event, "blob", blob);
  node = dn_json_node_take (event);
  is_sent = dn_request_event (saving->request, node, &fds, error);
  dn_fd_list_clear (&fds);
  return is_sent;
}

static gboolean
has_manifest (const DnImage *image)
{
  return image->manifest_sha256 != NULL
         && strspn (image->manifest_sha256, "0") != strlen (image->manifest_sha256);
}

/* The name by which the image was asked for; none when that was an id, as docker has it. */
static char *
asked_name (const DnImage *image, const char *text)
{
  g_autofree char *name = dn_reference_normalise (text, NULL);

  return name != NULL && g_strv_contains ((const char *const *) image->names, name)
             ? g_steal_pointer (&name)
             : NULL;
}

/* (transfer full): what the archive says of the image, or NULL with @error */
static JsonObject *
send_image (Saving *saving, const DnImage *image, const char *text, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *name = asked_name (image, text);
  JsonArray *layers = json_array_new ();

  json_object_set_array_member (object, "layers", layers);
  json_object_set_string_member (object, "id", image->id);
  dn_json_set_text (object, "name", name);
  if (!send_blob (saving, image->id, error))
    return NULL;
  if (has_manifest (image))
    {
      if (!send_blob (saving, image->manifest_sha256, error))
        return NULL;
      json_object_set_string_member (object, "manifest", image->manifest_sha256);
    }
  for (guint i = 0; i < image->layers->len; i++)
    {
      const DnLayer *layer = image->layers->pdata[i];

      if (!send_blob (saving, layer->blob, error))
        return NULL;
      json_array_add_string_element (layers, layer->blob);
    }
  return g_steal_pointer (&object);
}

DN_VERB (image_save)
{
  g_auto (GStrv) names = NULL;
  const DnJsonField fields[]
      = { { "images", DN_JSON_STRINGS, TRUE, &names }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GHashTable) sent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (JsonArray) array = json_array_new ();
  Saving saving = { .request = request, .sent = sent };
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  for (char **name = names; *name != NULL; name++)
    {
      g_autoptr (DnImage) image = dn_lookup_image (request, *name, error);
      JsonObject *object = image != NULL ? send_image (&saving, image, *name, error) : NULL;

      if (object == NULL)
        return NULL;
      json_array_add_object_element (array, object);
    }
  ok = json_object_new ();
  json_object_set_array_member (ok, "images", g_steal_pointer (&array));
  return ok;
}
