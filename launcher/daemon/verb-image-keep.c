/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs for keeping images: names, history, verifying, pruning. */
#include "../common/error.h"
#include "../common/names.h"
#include "../images/image-report.h"
#include "../images/reference.h"
#include "../images/verify-store.h"
#include "image-end.h"
#include "json-build.h"
#include "lookup.h"
#include "verbs.h"

static JsonObject *
list_answer (const char *member, JsonArray *array)
{
  JsonObject *ok = json_object_new ();

  json_object_set_array_member (ok, member, array);
  return ok;
}

DN_VERB (image_history)
{
  g_autofree char *text = NULL;
  const DnJsonField fields[]
      = { { "image", DN_JSON_STRING, TRUE, &text }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnImage) image = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  image = dn_lookup_image (request, text, error);
  return image != NULL ? list_answer ("history", dn_image_report_history (image)) : NULL;
}

/* Whoever may load images may call what is loaded anything, so that tagging gives no more. */
DN_VERB (image_tag)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *text = NULL, *wanted = NULL, *name = NULL;
  const DnJsonField fields[] = { { "image", DN_JSON_STRING, TRUE, &text },
                                 { "name", DN_JSON_STRING, TRUE, &wanted },
                                 { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnImage) image = NULL, named = NULL;
  JsonObject *ok;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (name = dn_reference_normalise (wanted, error)) == NULL)
    return NULL;
  image = dn_lookup_image (request, text, error);
  if (image == NULL)
    return NULL;
  named = dn_store_name (daemon->store, image->id, (char *[]){ name, NULL }, NULL, error);
  if (named == NULL)
    return NULL;
  dn_events_add (daemon->events, "image", "tag", named->id, name, NULL, NULL);
  ok = json_object_new ();
  json_object_set_string_member (ok, "id", named->id);
  json_object_set_string_member (ok, "name", name);
  dn_json_set_strings (ok, "names", named->names);
  return ok;
}

DN_VERB (image_untag)
{
  DnDaemon *daemon = request->daemon;
  g_autofree char *wanted = NULL, *name = NULL;
  const DnJsonField fields[]
      = { { "name", DN_JSON_STRING, TRUE, &wanted }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnImage) image = NULL;
  JsonArray *removed;
  char *words;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error)
      || (name = dn_reference_normalise (wanted, error)) == NULL)
    return NULL;
  image = dn_lookup_image (request, name, error);
  if (image == NULL)
    return NULL;
  if (!dn_store_unname (daemon->store, image->id, name, error))
    return NULL;
  dn_events_add (daemon->events, "image", "untag", image->id, name, NULL, NULL);
  words = g_strdup_printf ("name %s", name);
  removed = json_array_new ();
  json_array_add_string_element (removed, words);
  g_free (words);
  return list_answer ("removed", removed);
}

/* Verifying, on a thread of its own beside the client's. */
typedef struct
{
  DnStore *store;
  GPtrArray *images; /* owned; NULL: all */
  DnStoreReport *report;
  GMutex lock; /* guards what follows */
  guint64 done;
  guint64 total;
  gboolean is_cancelled;
} Verifying;

static gboolean
note_progress (guint64 done, guint64 total, gpointer data)
{
  Verifying *verifying = data;
  gboolean goes_on;

  g_mutex_lock (&verifying->lock);
  verifying->done = done;
  verifying->total = total;
  goes_on = !verifying->is_cancelled;
  g_mutex_unlock (&verifying->lock);
  return goes_on;
}

static gboolean
verify (gpointer data, GError **error)
{
  Verifying *verifying = data;

  return dn_store_verify (verifying->store, verifying->images, note_progress, verifying,
                          verifying->report, error);
}

static void
tell_progress (DnRequest *request, gpointer data)
{
  Verifying *verifying = data;
  guint64 done, total;

  g_mutex_lock (&verifying->lock);
  done = verifying->done;
  total = verifying->total;
  g_mutex_unlock (&verifying->lock);
  dn_request_progress (request, "read the store", done, total);
}

static void
cancel (gpointer data)
{
  Verifying *verifying = data;

  g_mutex_lock (&verifying->lock);
  verifying->is_cancelled = TRUE;
  g_mutex_unlock (&verifying->lock);
}

static JsonObject *
report_to_json (const DnStoreReport *report)
{
  JsonArray *damaged = json_array_new ();
  JsonObject *ok = json_object_new ();

  for (guint i = 0; i < report->damaged->len; i++)
    {
      const DnStoreProblem *damage = report->damaged->pdata[i];
      g_autofree char *problem = dn_text_clean (damage->problem, 500);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "what", damage->what);
      json_object_set_string_member (object, "problem", problem);
      json_object_set_string_member (object, "remedy", damage->remedy);
      json_array_add_object_element (damaged, object);
    }
  json_object_set_int_member (ok, "images", report->images);
  json_object_set_int_member (ok, "layers", report->layers);
  json_object_set_int_member (ok, "blobs", report->blobs);
  json_object_set_int_member (ok, "bytes", (gint64) report->bytes);
  json_object_set_array_member (ok, "damaged", damaged);
  return ok;
}

/* (transfer full): NULL with @error for a name that is none's */
static GPtrArray *
find_images (DnRequest *request, char **names, GError **error)
{
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_image_unref);

  for (; *names != NULL; names++)
    {
      DnImage *image = dn_lookup_image (request, *names, error);

      if (image == NULL)
        return NULL;
      g_ptr_array_add (images, image);
    }
  return g_steal_pointer (&images);
}

DN_VERB (image_verify)
{
  g_auto (GStrv) names = NULL;
  const DnJsonField fields[]
      = { { "images", DN_JSON_STRINGS, FALSE, &names }, { NULL, DN_JSON_STRING, FALSE, NULL } };
  g_autoptr (DnStoreReport) report = dn_store_report_new ();
  g_autoptr (GPtrArray) images = NULL;
  Verifying verifying = { .store = request->daemon->store, .report = report };
  const DnRequestJob job
      = { .work = verify, .tick = tell_progress, .cancel = cancel, .data = &verifying };
  gboolean is_fine;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  if (names != NULL && (images = find_images (request, names, error)) == NULL)
    return NULL;
  verifying.images = images;
  g_mutex_init (&verifying.lock);
  is_fine = dn_request_supervise (request, &job, error);
  g_mutex_clear (&verifying.lock);
  if (!is_fine)
    return NULL;
  if (report->damaged->len > 0)
    g_warning ("store: image verify found %u damaged things", report->damaged->len);
  return report_to_json (report);
}

static JsonObject *
pruned_to_json (const DnPruned *pruned)
{
  JsonArray *images = json_array_new (), *removed = json_array_new ();
  JsonObject *ok = json_object_new ();

  for (guint i = 0; i < pruned->images->len; i++)
    {
      const DnImage *image = pruned->images->pdata[i];
      g_autofree char *names = g_strjoinv (" ", image->names);
      g_autofree char *words
          = g_strdup_printf ("image %s%s%s", image->id, *names != '\0' ? " " : "", names);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "id", image->id);
      dn_json_set_strings (object, "names", image->names);
      json_array_add_object_element (images, object);
      json_array_add_string_element (removed, words);
    }
  json_object_set_array_member (ok, "images", images);
  json_object_set_array_member (ok, "removed", removed);
  json_object_set_int_member (ok, "reclaimed_bytes", (gint64) pruned->reclaimed_bytes);
  return ok;
}

DN_VERB (image_prune)
{
  DnPruneWishes wishes = { 0 };
  const DnJsonField fields[] = { { "all", DN_JSON_BOOL, FALSE, &wishes.wants_all },
                                 { "until_us", DN_JSON_INT, FALSE, &wishes.until_us },
                                 { "dry_run", DN_JSON_BOOL, FALSE, &wishes.is_dry_run },
                                 { NULL, DN_JSON_STRING, FALSE, NULL } };
  DnPruned pruned = { 0 };
  JsonObject *ok = NULL;

  (void) ret_fds;
  if (!dn_request_read (request, fields, error))
    return NULL;
  if (dn_image_end_unused (request->daemon, &wishes, &pruned, error))
    ok = pruned_to_json (&pruned);
  dn_pruned_clear (&pruned);
  return ok;
}
