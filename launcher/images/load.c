/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "../common/error.h"
#include "blob.h"
#include "../daemon/daemon.h"
#include "reference.h"
#include "../daemon/settings-file.h"
#include "unpack.h"

typedef struct
{
  DnRequest *request;
  const DnLoadPlan *plan;
  const char *reference; /* "" for none */
  const char *staging;
  char *archive; /* owned; its digest */
} Load;

/* Names that the archive gave, and the one the caller asks for. */
static char **
all_names (char **names, const char *name)
{
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (names[i]));
  if (name != NULL)
    g_ptr_array_add (all, g_strdup (name));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

static char **
source_names (const DnImage *image, const char *archive, const char *reference)
{
  static char *none[] = { NULL };

  for (guint i = 0; i < image->sources->len; i++)
    {
      const DnImageSource *source = image->sources->pdata[i];

      if (g_str_equal (source->archive, archive) && g_str_equal (source->reference, reference))
        return source->names;
    }
  return none;
}

static DnImage *
unpack (Load *load, const char *path, guint64 bytes, GError **error)
{
  const DnDaemon *daemon = load->request->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (load->request->daemon);
  const DnUnpackPlan plan
      = { .archive_path = path,
          .archive_bytes = bytes,
          .staging = load->staging,
          .reference = load->reference,
          .allow_emulation = load->plan->allow_emulation || settings->allow_emulation };
  g_autoptr (DnImage) image = dn_unpack_run (load->request, settings, &plan, error);

  if (image == NULL)
    return NULL;
  if (image->architecture != NULL && !g_str_equal (image->architecture, "amd64"))
    {
      dn_throw (error, DN_ERROR_USAGE, "archive: the image is for '%s', this host is amd64",
                image->architecture);
      return NULL;
    }
  image->loaded_us = g_get_real_time ();
  g_ptr_array_add (image->sources,
                   dn_image_source_new (load->archive, load->reference, image->names));
  if (!dn_store_add (daemon->store, image, load->staging, load->archive, error))
    return NULL;
  return g_steal_pointer (&image);
}

static DnImage *
run_staged (Load *load, const char *name, GError **error)
{
  DnDaemon *daemon = load->request->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *path = g_build_filename (load->staging, DN_STORE_ARCHIVE, NULL);
  g_auto (GStrv) names = NULL;
  g_autoptr (DnImage) image = NULL;
  g_autoptr (DnImage) named = NULL;
  guint64 bytes;

  dn_trace_begin (load->request->trace, "intake");
  if (!dn_blob_take (load->request, load->plan->fd, path, settings->archive_limit_bytes,
                     &load->archive, &bytes, error))
    return NULL;
  image = dn_store_find_source (daemon->store, load->archive, load->reference);
  if (image == NULL)
    image = unpack (load, path, bytes, error);
  if (image == NULL)
    return NULL;
  names = all_names (source_names (image, load->archive, load->reference), name);
  named = dn_store_name (daemon->store, image->id, names,
                         dn_image_source_new (load->archive, load->reference, image->names), error);
  if (named != NULL)
    dn_events_add (daemon->events, "image", "load", named->id,
                   named->names[0] != NULL ? named->names[0] : named->id, NULL,
                   (const char *const[]){ "archive", load->archive, NULL });
  return g_steal_pointer (&named);
}

DnImage *
dn_load_run (DnRequest *request, const DnLoadPlan *plan, GError **error)
{
  Load load = { .request = request,
                .plan = plan,
                .reference = plan->reference != NULL ? plan->reference : "" };
  g_autofree char *name = NULL;
  char *staging;
  DnImage *image;

  if (plan->name != NULL && (name = dn_reference_normalise (plan->name, error)) == NULL)
    return NULL;
  staging = dn_store_begin_staging (request->daemon->store, error);
  if (staging == NULL)
    return NULL;
  load.staging = staging;
  image = run_staged (&load, name, error);
  dn_store_end_staging (request->daemon->store, staging);
  g_free (load.archive);
  return image;
}
