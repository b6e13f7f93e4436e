/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "../common/error.h"
#include "../daemon/daemon.h"
#include "../daemon/json-build.h"
#include "../daemon/request-record.h"
#include "../daemon/settings-file.h"
#include "blob.h"
#include "import.h"
#include "reference.h"
#include "signature.h"

static DnImage *
run_staged (DnRequest *request, const DnLoadPlan *plan, const char *name, const char *staging,
            GError **error)
{
  DnDaemon *daemon = request->daemon;
  g_autoptr (DnSettings) settings = dn_settings_get (daemon);
  g_autofree char *path = g_build_filename (staging, DN_STORE_ARCHIVE, NULL);
  g_autofree char *archive = NULL;
  g_autoptr (JsonNode) provenance = dn_json_node_take (json_object_new ());
  const char *names[] = { name, NULL };
  DnImportPlan import = { .staging = staging,
                          .archive_path = path,
                          .reference = plan->reference,
                          .names = names,
                          .provenance = json_node_get_object (provenance),
                          .allow_emulation = plan->allow_emulation };
  g_autofree char *words = NULL;
  JsonObject *decision;
  DnImage *image;

  if (!dn_load_signature_check (settings, &plan->signature, error))
    return NULL;
  dn_trace_begin (request->trace, "intake");
  if (!dn_blob_take (request, plan->fd, path, settings->archive_limit_bytes, &archive,
                     &import.archive_bytes, error))
    return NULL;
  import.archive_sha256 = archive;
  decision
      = dn_load_signature_decide (request, settings, &plan->signature, staging, archive, error);
  if (decision == NULL)
    return NULL;
  words = dn_signature_words (decision);
  dn_request_record_signature (request, words);
  dn_signature_set (import.provenance, decision);
  json_object_set_string_member (import.provenance, "from", "archive");
  json_object_set_string_member (import.provenance, "archive", archive);
  dn_json_set_time_or_null (import.provenance, "time", g_get_real_time ());
  image = dn_import_run (request, &import, error);
  if (image != NULL)
    dn_events_add (daemon->events, "image", "load", image->id,
                   image->names[0] != NULL ? image->names[0] : image->id, NULL,
                   (const char *const[]){ "archive", archive, "signature", words, NULL });
  return image;
}

DnImage *
dn_load_run (DnRequest *request, const DnLoadPlan *plan, GError **error)
{
  g_autofree char *name = NULL;
  char *staging;
  DnImage *image;

  if (plan->name != NULL && (name = dn_reference_normalise (plan->name, error)) == NULL)
    return NULL;
  staging = dn_store_begin_staging (request->daemon->store, error);
  if (staging == NULL)
    return NULL;
  image = run_staged (request, plan, name, staging, error);
  dn_store_end_staging (request->daemon->store, staging);
  return image;
}
