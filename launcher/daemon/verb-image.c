/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs about images: how they come, are listed and go; verb-image-keep.c has the others. */
#include "../common/error.h"
#include "../images/image-report.h"
#include "../images/load.h"
#include "../images/reference.h"
#include "../images/signature.h"
#include "gate.h"
#include "image-end.h"
#include "json-build.h"
#include "lookup.h"
#include "verbs.h"

/* "signature" of an image in an answer: its decision in words. */
static void
set_signature (JsonObject *entry, const DnImage *image)
{
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);
  JsonObject *first = dn_signature_first (provenance);
  g_autofree char *words = first != NULL ? dn_signature_words (first) : NULL;

  dn_json_set_text (entry, "signature", words);
}

JsonObject *
dn_verb_answer_image (const DnImage *image)
{
  JsonObject *entry = json_object_new ();
  JsonArray *array = json_array_new ();
  JsonObject *ok = json_object_new ();

  json_object_set_string_member (entry, "id", image->id);
  dn_json_set_strings (entry, "names", image->names);
  set_signature (entry, image);
  json_array_add_object_element (array, entry);
  json_object_set_array_member (ok, "images", array);
  return ok;
}

DN_VERB (image_load)
{
  DnLoadPlan plan = { .fd = -1, .signature = { -1, -1 } };
  gboolean with_signature = FALSE, with_checksum = FALSE;
  g_autofree char *name = NULL, *reference = NULL;
  const DnJsonField fields[] = {
    { "name", DN_JSON_STRING, FALSE, &name },
    { "reference", DN_JSON_STRING, FALSE, &reference },
    { "signature", DN_JSON_BOOL, FALSE, &with_signature },
    { "checksum", DN_JSON_BOOL, FALSE, &with_checksum },
    { "allow_emulation", DN_JSON_BOOL, FALSE, &plan.allow_emulation },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnImage) image = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || !dn_gate_may_emulate (request, plan.allow_emulation, error))
    return NULL;
  if (with_checksum && !with_signature)
    {
      dn_throw (error, DN_ERROR_USAGE, "image-load: a checksum goes with a signature");
      return NULL;
    }
  if (request->fds.count != (with_checksum ? 3 : with_signature ? 2 : 1))
    {
      dn_throw (error, DN_ERROR_USAGE,
                "image-load: the archive's descriptor must come along, then those of signature and "
                "checksum");
      return NULL;
    }
  plan.fd = request->fds.fds[0];
  if (with_signature)
    plan.signature.fd = request->fds.fds[1];
  if (with_checksum)
    plan.signature.checksum_fd = request->fds.fds[2];
  plan.name = name;
  plan.reference = reference;
  image = dn_load_run (request, &plan, error);
  return image != NULL ? dn_verb_answer_image (image) : NULL;
}

DN_VERB (image_list)
{
  const DnJsonField fields[] = { { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (DnSharing) sharing = NULL;
  JsonArray *array;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  array = json_array_new ();
  images = dn_lookup_images (request);
  sharing = dn_sharing_new (images);
  for (guint i = 0; i < images->len; i++)
    json_array_add_object_element (array, dn_image_report_summary (images->pdata[i], sharing));
  ok = json_object_new ();
  json_object_set_array_member (ok, "images", array);
  return ok;
}

/* A name of an image that has others is taken away, and the image stays; as docker has it. */
static gboolean
is_one_of_several (const DnImage *image, const char *text, char **ret_name)
{
  g_autofree char *name = dn_reference_normalise (text, NULL);

  if (name == NULL || !g_strv_contains ((const char *const *) image->names, name)
      || g_strv_length (image->names) < 2)
    return FALSE;
  *ret_name = g_steal_pointer (&name);
  return TRUE;
}

static JsonObject *
removed_answer (GPtrArray *removed)
{
  JsonObject *ok = json_object_new ();

  g_ptr_array_add (removed, NULL);
  dn_json_set_strings (ok, "removed", (char **) removed->pdata);
  return ok;
}

DN_VERB (image_remove)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *text = NULL, *name = NULL;
  gboolean force = FALSE, is_fine;
  const DnJsonField fields[] = {
    { "image", DN_JSON_STRING, TRUE, &text },
    { "force", DN_JSON_BOOL, FALSE, &force },
    { NULL, DN_JSON_STRING, FALSE, NULL },
  };
  g_autoptr (DnImage) image = NULL;
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  image = dn_lookup_image (request, text, error);
  if (image == NULL)
    return NULL;
  if (is_one_of_several (image, text, &name))
    {
      is_fine = dn_store_unname (daemon->store, image->id, name, error);
      g_ptr_array_add (removed, g_strdup_printf ("name %s", name));
    }
  else
    is_fine = dn_image_end (daemon, image, force, removed, error);
  return is_fine ? removed_answer (removed) : NULL;
}
