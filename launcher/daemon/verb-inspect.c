/* SPDX-License-Identifier: Apache-2.0 */
/* The verb inspect. */
#include "../common/error.h"
#include "../common/names.h"
#include "../images/image-report.h"
#include "access-json.h"
#include "chain.h"
#include "container-json.h"
#include "lookup.h"
#include "verbs.h"

static JsonObject *
inspect_answer (const char *kind, JsonObject *object)
{
  JsonObject *ok = json_object_new ();

  json_object_set_string_member (ok, "kind", kind);
  json_object_set_object_member (ok, "object", object);
  return ok;
}

static JsonObject *
image_to_object (DnRequest *request, DnImage *image)
{
  g_autoptr (GPtrArray) seen = dn_lookup_images (request);
  g_autoptr (DnSharing) sharing = dn_sharing_new (seen);
  g_autoptr (DnGuestDisk) disk = dn_store_make_disk (request->daemon->store, image);
  JsonObject *object = dn_image_report_full (image, sharing, g_get_real_time ());

  json_object_set_string_member (object, "disk", disk->path);
  return object;
}

static JsonObject *
context_to_object (DnContext *context)
{
  JsonObject *object = dn_context_to_json (context, TRUE);

  json_object_set_object_member (object, "access", dn_access_to_json_checked (context));
  json_object_set_array_member (object, "chain", dn_chain_to_json (context));
  return object;
}

/* There is something of this name, but the caller may not have it so. */
static gboolean
is_answer (const GError *error)
{
  return error != NULL && !g_error_matches (error, DN_ERROR, DN_ERROR_NOT_FOUND);
}

DN_VERB (inspect)
{
  g_autofree char *name = NULL, *kind = NULL;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, TRUE, &name },
    { "kind", DN_JSON_STRING, FALSE, &kind },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (GError) container_error = NULL, context_error = NULL, image_error = NULL;
  g_autofree char *shown = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  if (kind == NULL || g_str_equal (kind, "container"))
    {
      g_autoptr (DnContainer) container = dn_lookup_container (request, name, &container_error);

      if (container != NULL)
        return inspect_answer ("container", dn_container_inspect (container));
    }
  if (kind == NULL || g_str_equal (kind, "context"))
    {
      g_autoptr (DnContext) context = dn_lookup_context (request, name, &context_error);

      if (context != NULL)
        return inspect_answer ("context", context_to_object (context));
    }
  if (kind == NULL || g_str_equal (kind, "image"))
    {
      g_autoptr (DnImage) image = dn_lookup_image (request, name, &image_error);

      if (image != NULL)
        return inspect_answer ("image", image_to_object (request, image));
    }
  shown = dn_text_clean (name, 255);
  if (kind == NULL && is_answer (container_error))
    g_propagate_error (error, g_steal_pointer (&container_error));
  else if (kind == NULL && is_answer (context_error))
    g_propagate_error (error, g_steal_pointer (&context_error));
  else if (kind == NULL)
    dn_throw (error, DN_ERROR_NOT_FOUND, "'%s': no container, context or image has this name",
              shown);
  else if (container_error != NULL)
    g_propagate_error (error, g_steal_pointer (&container_error));
  else if (context_error != NULL)
    g_propagate_error (error, g_steal_pointer (&context_error));
  else if (image_error != NULL)
    g_propagate_error (error, g_steal_pointer (&image_error));
  else
    dn_throw (error, DN_ERROR_USAGE, "kind: must be container, context or image");
  return NULL;
}
