/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include "../common/error.h"
#include "../daemon/daemon.h"
#include "../daemon/settings-file.h"
#include "unpack.h"

static const char *
reference_of (const DnImportPlan *plan)
{
  return plan->reference != NULL ? plan->reference : "";
}

/* Names that the archive gave, and those the caller asks for. */
static char **
all_names (const DnImage *image, const DnImportPlan *plan)
{
  const DnImageSource *source
      = plan->archive_sha256 != NULL
            ? dn_store_image_source (image, plan->archive_sha256, reference_of (plan))
            : NULL;
  GPtrArray *all = g_ptr_array_new ();

  for (guint i = 0; source != NULL && !plan->ignores_own_names && source->names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (source->names[i]));
  for (guint i = 0; plan->names != NULL && plan->names[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (plan->names[i]));
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_free (all, FALSE);
}

static DnImage *
unpack (DnRequest *request, const DnImportPlan *plan, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  const DnUnpackPlan unpack_plan
      = { .archive_path = plan->archive_path,
          .archive_bytes = plan->archive_bytes,
          .staging = plan->staging,
          .reference = reference_of (plan),
          .allow_emulation = plan->allow_emulation || settings->allow_emulation };
  g_autoptr (DnImage) image = dn_unpack_run (request, settings, &unpack_plan, error);

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
                   dn_image_source_new (plan->archive_sha256, reference_of (plan), image->names));
  if (!dn_store_add (request->daemon->store, image, plan->staging, plan->archive_sha256, error))
    return NULL;
  return g_steal_pointer (&image);
}

DnImage *
dn_import_run (DnRequest *request, const DnImportPlan *plan, GError **error)
{
  DnStore *store = request->daemon->store;
  g_auto (GStrv) names = NULL;
  g_autoptr (DnImage) image = NULL;
  g_autoptr (DnImage) named = NULL;

  if (plan->archive_sha256 != NULL)
    image = dn_store_find_source (store, plan->archive_sha256, reference_of (plan));
  if (image == NULL)
    image = unpack (request, plan, error);
  if (image == NULL)
    return NULL;
  names = all_names (image, plan);
  named = dn_store_name (
      store, image->id, names,
      dn_image_source_new (plan->archive_sha256, reference_of (plan), image->names), error);
  if (named == NULL || plan->provenance == NULL)
    return g_steal_pointer (&named);
  return dn_store_set_provenance (store, image->id, plan->provenance, error);
}
