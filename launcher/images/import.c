/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/daemon.h"
#include "blob.h"
#include "image-scan.h"
#include "reading.h"
#include "unpacking.h"
#include "work.h"

#define NO_DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

typedef struct
{
  DnStore *store;
  const DnImportPlan *plan;
  DnStoreHold *hold;
  DnReading *reading; /* owned */
  int plain_fd;       /* the archive that the guest's offsets are in */
  guint copied;       /* blobs */
  GPtrArray *layers;  /* owned; DnLayer */
  DnImage *image;     /* the result */
} Import;

static const char *
reference_of (const DnImportPlan *plan)
{
  return plan->reference != NULL ? plan->reference : "";
}

/* Opens what lies beside the archive under that digest. -1: it does not */
static int
open_beside (Import *import, const char *sha256, guint64 *ret_bytes)
{
  g_autofree char *path
      = import->plan->blobs != NULL ? g_build_filename (import->plan->blobs, sha256, NULL) : NULL;
  dn_autofd int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  struct stat status;

  if (fd < 0 || fstat (fd, &status) < 0 || !S_ISREG (status.st_mode))
    return -1;
  *ret_bytes = (guint64) status.st_size;
  return g_steal_fd (&fd);
}

/* A blob that is in the store already, known by a digest that the archive says. */
static gboolean
find_kept (Import *import, const DnReadingEntry *entry, const char *what, DnLayer *ret_layer,
           GError **error)
{
  dn_autofd int fd = -1;
  guint64 bytes;

  if (!dn_store_hold_blob (import->hold, entry->sha256))
    return dn_throw (error, DN_ERROR_NOT_FOUND,
                     "archive: %s, blob '%.12s', is neither in it nor in the store", what,
                     entry->sha256);
  fd = dn_store_open_blob (import->store, entry->sha256, &bytes, error);
  ret_layer->blob = g_strdup (entry->sha256);
  ret_layer->blob_bytes = (gint64) bytes;
  return fd >= 0;
}

/* Makes a blob of what the entry says, wherever it is.  The digest is what danchid computed; where
 * the archive says another, that is an error.  @ret_layer: its blob and blob_bytes are set */
static gboolean
keep_blob (Import *import, DnImageWork *work, const DnReadingEntry *entry, const char *what,
           DnLayer *ret_layer, GError **error)
{
  g_autofree char *name = g_strdup_printf ("blob-%u", import->copied++);
  g_autofree char *path = g_build_filename (import->plan->staging, name, NULL);
  DnBlobRange range = { .fd = import->plain_fd, .offset = entry->offset, .bytes = entry->bytes };
  dn_autofd int beside = -1;

  if (entry->offset == DN_UNPACK_ELSEWHERE)
    {
      /* Who loads an archive must have its layers, and not only know what they are called: they may
       * be in the store for another tenant. */
      if (import->plan->blobs == NULL)
        return dn_throw (error, DN_ERROR_USAGE, "archive: %s is not in it", what);
      range.fd = beside = open_beside (import, entry->sha256, &range.bytes);
      range.offset = 0;
      if (beside < 0)
        return find_kept (import, entry, what, ret_layer, error);
    }
  ret_layer->blob = dn_blob_copy (work, &range, path, error);
  ret_layer->blob_bytes = (gint64) range.bytes;
  if (ret_layer->blob == NULL)
    return FALSE;
  if (entry->sha256 != NULL && !g_str_equal (entry->sha256, ret_layer->blob))
    return dn_throw (error, DN_ERROR_GUEST,
                     "archive: %s has the wrong digest: it should be %.12s and is %.12s", what,
                     entry->sha256, ret_layer->blob);
  return dn_store_keep_blob (import->hold, path, ret_layer->blob, error);
}

/* Config or manifest. (transfer full): its digest */
static char *
keep_document (Import *import, DnImageWork *work, const DnReadingEntry *entry, const char *what,
               GError **error)
{
  g_autoptr (DnLayer) blob = dn_layer_new ();

  return keep_blob (import, work, entry, what, blob, error) ? g_steal_pointer (&blob->blob) : NULL;
}

static gboolean
keep_layers (Import *import, DnImageWork *work, GError **error)
{
  const GPtrArray *entries = import->reading->entries;
  const char *below = NULL;

  for (guint i = 0; i < entries->len; i++)
    {
      const DnReadingEntry *entry = entries->pdata[i];
      g_autofree char *what = g_strdup_printf ("layer %u of %u", i + 1, entries->len);
      const guint same = dn_image_budget_find_same (entries, i);
      DnLayer *layer = dn_layer_new ();

      g_ptr_array_add (import->layers, layer);
      dn_image_work_tell (work, "take the layers in", i, entries->len);
      if (same < i)
        {
          const DnLayer *first = import->layers->pdata[same];

          layer->blob = g_strdup (first->blob);
          layer->blob_bytes = first->blob_bytes;
        }
      else if (!keep_blob (import, work, entry, what, layer, error))
        return FALSE;
      layer->diff_id = g_strdup (entry->diff_id);
      layer->key = dn_layer_key (below, layer->blob);
      below = layer->key;
    }
  return TRUE;
}

static gboolean
keep_all (Import *import, DnImageWork *work, GError **error)
{
  DnReading *reading = import->reading;
  DnImage *image = reading->image;

  import->plain_fd = open (reading->plain_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (import->plain_fd < 0)
    return dn_throw_errno (error, "file '%s'", reading->plain_path);
  dn_trace_begin (dn_image_work_request (work)->trace, "blobs");
  image->id = keep_document (import, work, &reading->config, "the image's config", error);
  if (image->id == NULL)
    return FALSE;
  if (reading->manifest.sha256 != NULL)
    image->manifest_sha256
        = keep_document (import, work, &reading->manifest, "the image's manifest", error);
  else
    image->manifest_sha256 = g_strdup (NO_DIGEST);
  return image->manifest_sha256 != NULL && keep_layers (import, work, error);
}

static gboolean
make_layers (Import *import, DnImageWork *work, GError **error)
{
  DnUnpackingPlan plan = { .store = import->store,
                           .hold = import->hold,
                           .staging = import->plan->staging,
                           .layers = import->layers,
                           .allow_emulation = import->plan->allow_emulation };

  while (!dn_store_claim_layers (import->hold, import->layers, &plan.have))
    {
      dn_image_work_tell (work, "wait for a load of the same layers", 0, 0);
      if (!dn_image_work_go_on (work, error))
        return FALSE;
    }
  return plan.have == import->layers->len || dn_unpacking_run (work, &plan, error);
}

static gboolean
check_architecture (const DnImage *image, GError **error)
{
  return image->architecture == NULL || g_str_equal (image->architecture, "amd64")
         || dn_throw (error, DN_ERROR_USAGE, "archive: the image is for '%s', this host is amd64",
                      image->architecture);
}

/* On the work's thread. */
static gboolean
work_on (DnImageWork *work, gpointer data, GError **error)
{
  Import *import = data;
  const DnImportPlan *plan = import->plan;
  const DnReadingPlan reading = { .archive_path = plan->archive_path,
                                  .archive_bytes = plan->archive_bytes,
                                  .staging = plan->staging,
                                  .reference = reference_of (plan),
                                  .allow_emulation = plan->allow_emulation };
  DnImage *image;

  if (!dn_image_work_take_memory (work, dn_image_work_settings (work)->unpack_memory_bytes, error))
    return FALSE;
  import->reading = dn_reading_run (work, &reading, error);
  if (import->reading == NULL)
    return FALSE;
  image = import->reading->image;
  if (!check_architecture (image, error) || !keep_all (import, work, error)
      || !make_layers (import, work, error) || !dn_image_work_go_on (work, error))
    return FALSE;
  dn_image_set_layers (image, g_ptr_array_ref (import->layers));
  image->loaded_us = g_get_real_time ();
  if (plan->archive_sha256 != NULL)
    g_ptr_array_add (image->sources,
                     dn_image_source_new (plan->archive_sha256, reference_of (plan), image->names));
  dn_image_work_tell (work, "keep the image", 0, 0);
  if (!dn_store_add (import->hold, image, plan->staging, error))
    return FALSE;
  import->image = dn_image_ref (image);
  return TRUE;
}

/* (transfer full): the image, as its archive has it, or NULL with @error */
static DnImage *
make_image (DnRequest *request, const DnImportPlan *plan, GError **error)
{
  DnStore *store = request->daemon->store;
  g_autoptr (DnStoreHold) hold = dn_store_hold_new (store);
  Import import = { .store = store, .plan = plan, .hold = hold, .plain_fd = -1 };

  import.layers = g_ptr_array_new_with_free_func ((GDestroyNotify) dn_layer_unref);
  (void) dn_image_work_run (request, work_on, &import, error);
  dn_fd_clear (&import.plain_fd);
  dn_reading_free (import.reading);
  g_ptr_array_unref (import.layers);
  return import.image;
}

/* Names that the archive gives, and those the caller asks for. */
static char **
all_names (char **own, const DnImportPlan *plan)
{
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; !plan->ignores_own_names && own[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (own[i]));
  for (guint i = 0; plan->names != NULL && plan->names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (plan->names[i]));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

/* The image that this archive is known to hold, with the names it has there, or NULL. */
static DnImage *
find_known (DnStore *store, const DnImportPlan *plan)
{
  const char *archive = plan->archive_sha256;
  g_autoptr (DnImage) image
      = archive != NULL ? dn_store_find_source (store, archive, reference_of (plan)) : NULL;

  if (image == NULL)
    return NULL;
  return dn_image_copy (image, dn_store_image_source (image, archive, reference_of (plan))->names);
}

DnImage *
dn_import_run (DnRequest *request, const DnImportPlan *plan, GError **error)
{
  DnStore *store = request->daemon->store;
  g_autoptr (DnImage) image = find_known (store, plan);
  g_autoptr (DnImage) named = NULL;
  g_auto (GStrv) names = NULL;

  if (image == NULL)
    image = make_image (request, plan, error);
  if (image == NULL)
    return NULL;
  names = all_names (image->names, plan);
  /* Before anybody finds it by a name. */
  if (!dn_image_scan_when (request, image, names, DN_SCAN_WHEN_LOAD, plan->allow_emulation, error))
    return NULL;
  named = dn_store_name (store, image->id, names,
                         plan->archive_sha256 != NULL ? dn_image_source_new (
                             plan->archive_sha256, reference_of (plan), image->names)
                                                      : NULL,
                         error);
  if (named == NULL || plan->provenance == NULL)
    return g_steal_pointer (&named);
  return dn_store_set_provenance (store, image->id, plan->provenance, error);
}
