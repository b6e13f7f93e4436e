/* SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include <string.h>

#include "../common/error.h"
#include "../daemon/daemon.h"
#include "../daemon/json-build.h"
#include "../daemon/request-record.h"
#include "../daemon/settings-file.h"
#include "fetch.h"
#include "import.h"
#include "intake.h"
#include "pull-documents.h"
#include "pull-error.h"
#include "pull-may.h"
#include "short-name.h"
#include "signature.h"
#include "thin.h"
#include "trust.h"

#define TRIES 4
#define DIGEST "sha256:"
#define HEX_DIGITS 64
/* What the jail may write besides blobs: both documents, the layout, and skopeo's own manifest. */
#define SPARE_BYTES (32ull * 1024 * 1024)

/* The task's directories; blobs are put into the last one. */
static const char *const directories[] = { "layout", "blobs", "blobs/sha256", NULL };
#define BLOBS_NUMBER 2

typedef struct
{
  DnRequest *request;
  const DnPullPlan *plan;
  DnSettings *settings; /* a reference */
  char *reference;      /* owned */
  char *staging;
  DnFetch *fetch; /* owned */
  DnTrust *trust; /* owned; what the policy wants of the image */
  char *config;   /* owned; SHA-256 of the image's config, as the task says */
  guint64 total_bytes;
  guint64 limit_bytes;
  DnPullDocuments documents;
  DnImage *found; /* a reference: the store has this very image */
} Pull;

static void
clear_pull (Pull *pull)
{
  dn_pull_documents_clear (&pull->documents);
  if (pull->found != NULL)
    dn_image_unref (pull->found);
  dn_fetch_free (pull->fetch);
  dn_trust_free (pull->trust);
  dn_settings_unref (pull->settings);
  g_free (pull->config);
  g_free (pull->reference);
}

/* "REGISTRY/REPO" of the reference. (transfer full) */
static char *
repository_of (const char *reference)
{
  const char *slash = strrchr (reference, '/');

  return g_strndup (reference, (gsize) (slash - reference) + strcspn (slash, ":@"));
}

static const char *
digest_of (const char *reference)
{
  const char *digest = strstr (reference, "@" DIGEST);

  return digest != NULL ? digest + strlen ("@" DIGEST) : NULL;
}

static gboolean
choose_trust (Pull *pull, GError **error)
{
  g_autofree char *policy = dn_trust_find (pull->settings->trust_policy);

  pull->trust = dn_trust_read (policy, pull->reference, DN_INTAKE_JAIL, error);
  return pull->trust != NULL;
}

static gboolean
is_digest (const char *text)
{
  return g_str_has_prefix (text, DIGEST) && strlen (text) == strlen (DIGEST) + HEX_DIGITS
         && strspn (text + strlen (DIGEST), "0123456789abcdef") == HEX_DIGITS;
}

static gboolean
throw_line (GError **error, const char *word)
{
  return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says '%s' where it may not", word);
}

/* document N TYPE */
static gboolean
take_document (Pull *pull, char **words, GError **error)
{
  guint64 number;

  if (g_strv_length (words) != 3
      || !g_ascii_string_to_unsigned (words[1], 10, 0, DN_PULL_DOCUMENTS - 1, &number, NULL)
      || pull->documents.list[number].media_type != NULL
      || (number > 0 && pull->documents.list[number - 1].media_type == NULL)
      || !dn_thin_is_media_type (words[2]))
    return throw_line (error, words[0]);
  pull->documents.list[number].media_type = g_strdup (words[2]);
  return TRUE;
}

/* blob DIGEST SIZE */
static gboolean
take_blob (Pull *pull, char **words, GError **error)
{
  guint64 size;

  if (g_strv_length (words) != 3 || !is_digest (words[1])
      || !g_ascii_string_to_unsigned (words[2], 10, 0, G_MAXINT64, &size, NULL))
    return throw_line (error, words[0]);
  if (size > pull->limit_bytes - pull->total_bytes)
    {
      dn_pull_error_set (error, pull->reference, "limit", "");
      return FALSE;
    }
  if (pull->config == NULL)
    pull->config = g_strdup (words[1] + strlen (DIGEST));
  pull->total_bytes += size;
  return dn_fetch_add (pull->fetch, words[1] + strlen (DIGEST), size, error);
}

static gboolean
read_documents (Pull *pull, GError **error)
{
  const char *asked = digest_of (pull->reference);

  for (guint i = 0; i < DN_PULL_DOCUMENTS && pull->documents.list[i].media_type != NULL; i++)
    {
      g_autofree char *name = g_strdup_printf ("document%u", i);
      g_autofree char *path = g_build_filename (pull->staging, DN_INTAKE_DIRECTORY, name, NULL);

      if (!dn_pull_document_read (&pull->documents.list[i], path, error))
        return FALSE;
    }
  if (pull->documents.list[0].bytes == NULL || pull->config == NULL)
    return throw_line (error, "planned");
  /* By digest: what came must have it. */
  if (asked != NULL && !g_str_equal (asked, pull->documents.list[0].sha256))
    {
      dn_pull_error_set (error, pull->reference, "digest", "");
      return FALSE;
    }
  return TRUE;
}

/* Whether a guest has read @image from this very manifest: when it came first, or, where it had
 * come as an archive before, when it was pulled. */
static gboolean
is_of_manifest (const DnImage *image, const char *manifest)
{
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);

  return g_strcmp0 (image->manifest_sha256, manifest) == 0
         || (provenance != NULL
             && g_strcmp0 (
                    json_object_get_string_member_with_default (provenance, "manifest", NULL),
                    manifest)
                    == 0);
}

/* (transfer full): or NULL */
static DnImage *
find_same (Pull *pull)
{
  g_autoptr (GPtrArray) images = dn_store_list (pull->request->daemon->store);

  for (guint i = 0; i < images->len; i++)
    {
      DnImage *image = images->pdata[i];

      if (is_of_manifest (image, dn_pull_documents_manifest (&pull->documents)))
        return dn_image_ref (image);
    }
  return NULL;
}

/* planned */
static gboolean
begin_fetching (Pull *pull, DnIntake *intake, GError **error)
{
  if (!read_documents (pull, error))
    return FALSE;
  /* What is to be signed is fetched again as far as that takes, and read by a guest again: what an
   * image says of itself is believed of the bytes alone that were signed. */
  if (!dn_trust_wants_signature (pull->trust))
    pull->found = find_same (pull);
  if (pull->found != NULL)
    return dn_throw (error, DN_ERROR_CONFLICT, "the store has it");
  while (!dn_fetch_claim (pull->fetch))
    {
      dn_request_progress (pull->request, "wait for another pull of the same layers", 0, 0);
      if (dn_request_is_gone (pull->request))
        return dn_throw (error, DN_ERROR_FAILED, "the client has gone");
    }
  (void) dn_fetch_give (pull->fetch, dn_intake_directory_fd (intake, BLOBS_NUMBER));
  pull->request->steps++;
  return dn_intake_say (intake, "go", error);
}

static gboolean
take_line (DnIntake *intake, char **words, gpointer data, GError **error)
{
  Pull *pull = data;
  gboolean is_planned = pull->documents.list[0].bytes != NULL;
  guint64 bytes;

  if (g_str_equal (words[0], "document") && !is_planned)
    return take_document (pull, words, error);
  if (g_str_equal (words[0], "blob") && !is_planned)
    return take_blob (pull, words, error);
  if (g_str_equal (words[0], "planned") && !is_planned)
    return begin_fetching (pull, intake, error);
  if (g_str_equal (words[0], "progress") && is_planned && words[1] != NULL
      && g_ascii_string_to_unsigned (words[1], 10, 0, G_MAXINT64, &bytes, NULL))
    {
      dn_request_progress (pull->request, "fetch the image", MIN (bytes, pull->total_bytes),
                           pull->total_bytes);
      return TRUE;
    }
  if (g_str_equal (words[0], "retry") && words[1] != NULL)
    {
      g_autofree char *step
          = g_strdup_printf ("try again, since %s", dn_pull_error_words (words[1]));

      dn_request_progress (pull->request, step, 0, 0);
      return TRUE;
    }
  return throw_line (error, words[0]);
}

static void
take_failure (const char *code, const char *text, gpointer data, GError **error)
{
  const Pull *pull = data;

  if (g_str_equal (code, "rejected"))
    {
      g_message ("pull of '%s': %s", pull->reference, text);
      dn_trust_refuse (pull->trust, text, error);
    }
  else
    dn_pull_error_set (error, pull->reference, code, text);
}

static gboolean
prepare (const char *directory, gpointer data, GError **error)
{
  const Pull *pull = data;

  return dn_trust_write (pull->trust, directory, error);
}

static gboolean
fetch (Pull *pull, GError **error)
{
  g_autofree char *reference = g_strconcat ("reference=", pull->reference, NULL);
  g_autofree char *repository = repository_of (pull->reference);
  g_autofree char *repository_line = g_strconcat ("repository=", repository, NULL);
  g_autofree char *limit = g_strdup_printf ("limit_bytes=%" G_GUINT64_FORMAT, pull->limit_bytes);
  g_autofree char *stall
      = g_strdup_printf ("stall_s=%" G_GUINT64_FORMAT, pull->settings->pull_stall_s);
  g_autofree char *blobs
      = g_build_filename (pull->staging, DN_INTAKE_DIRECTORY, directories[BLOBS_NUMBER], NULL);
  g_autofree char *wrong = NULL;
  const char *const order[]
      = { reference,
          repository_line,
          limit,
          stall,
          "tries=" G_STRINGIFY (TRIES),
          "policy=" DN_TRUST_POLICY_FILE,
          pull->trust->sigstore != NULL ? "sigstore=" DN_TRUST_SIGSTORE_FILE : NULL,
          NULL };
  const DnIntakePlan plan = { .task = "pull",
                              .staging = pull->staging,
                              .order = order,
                              .directories = directories,
                              .files = { pull->plan->auth_fd },
                              .file_count = pull->plan->auth_fd >= 0 ? 1 : 0,
                              .disk_bytes = pull->limit_bytes + SPARE_BYTES,
                              .timeout_s = (guint) pull->settings->pull_timeout_s,
                              .prepare = prepare,
                              .line = take_line,
                              .failed = take_failure,
                              .data = pull };
  gboolean is_fine;

  dn_request_progress (pull->request, "ask the registry", 0, 0);
  is_fine = dn_intake_run (pull->request, &plan, error);
  /* Also of one that failed: what is whole is kept. */
  dn_fetch_take (pull->fetch, blobs, &wrong);
  if (!is_fine)
    return FALSE;
  if (wrong != NULL)
    {
      dn_pull_error_set (error, pull->reference, "digest", "");
      return FALSE;
    }
  return dn_fetch_is_complete (pull->fetch)
         || dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake left out a blob of the image");
}

/* Where it came from; members as image.h has them. (transfer full) */
static JsonObject *
provenance_of (Pull *pull)
{
  g_autofree char *registry = dn_pull_registry_of (pull->reference);
  JsonObject *provenance = json_object_new ();

  dn_json_set_text (provenance, "from", "registry");
  dn_json_set_text (provenance, "registry", registry);
  dn_json_set_text (provenance, "reference", pull->reference);
  dn_json_set_text (provenance, "digest", pull->documents.list[0].sha256);
  dn_json_set_text (provenance, "manifest", dn_pull_documents_manifest (&pull->documents));
  dn_json_set_time_or_null (provenance, "time", g_get_real_time ());
  json_object_set_array_member (provenance, DN_SIGNATURE_MEMBER,
                                dn_trust_decide (pull->trust,
                                                 dn_pull_documents_manifest (&pull->documents),
                                                 g_get_real_time ()));
  /* What was found of an older one by this name holds no more. */
  json_object_set_null_member (provenance, "newer");
  return provenance;
}

static DnImage *
import (Pull *pull, JsonObject *provenance, GError **error)
{
  g_autofree char *path = g_build_filename (pull->staging, DN_STORE_ARCHIVE, NULL);
  g_autofree char *blobs = dn_fetch_directory ();
  g_autofree char *config = g_build_filename (blobs, pull->config, NULL);
  const char *const names[] = { pull->reference, NULL };
  DnImportPlan plan
      = { .staging = pull->staging,
          .archive_path = path,
          .blobs = blobs,
          .names = names,
          .ignores_own_names = TRUE,
          .provenance = provenance,
          .allow_emulation = pull->plan->allow_emulation || pull->settings->allow_emulation };
  DnImage *image;

  if (!dn_pull_documents_write (&pull->documents, config, path, &plan.archive_bytes, error))
    return NULL;
  image = dn_import_run (pull->request, &plan, error);
  if (image != NULL)
    dn_fetch_done (pull->fetch);
  return image;
}

/* The image is there already: it gets the name, and is of this source too. */
static DnImage *
name_found (Pull *pull, JsonObject *provenance, GError **error)
{
  DnStore *store = pull->request->daemon->store;
  char *names[] = { pull->reference, NULL };
  g_autoptr (DnImage) named = dn_store_name (store, pull->found->id, names, NULL, error);

  dn_fetch_done (pull->fetch);
  return named != NULL ? dn_store_set_provenance (store, named->id, provenance, error) : NULL;
}

static DnImage *
run_staged (Pull *pull, GError **error)
{
  g_autoptr (JsonObject) provenance = NULL;
  g_autoptr (GError) local = NULL;
  g_autofree char *registry = dn_pull_registry_of (pull->reference);
  g_autofree char *words = NULL;
  DnImage *image;

  if (!fetch (pull, &local) && pull->found == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  provenance = provenance_of (pull);
  words = dn_signature_words (dn_signature_first (provenance));
  dn_request_record_signature (pull->request, words);
  image = pull->found != NULL ? name_found (pull, provenance, error)
                              : import (pull, provenance, error);
  if (image != NULL)
    dn_events_add (pull->request->daemon->events, "image", "pull", image->id, pull->reference, NULL,
                   (const char *const[]){ "digest", pull->documents.list[0].sha256, "registry",
                                          registry, "signature", words, NULL });
  return image;
}

DnImage *
dn_pull_run (DnRequest *request, const DnPullPlan *plan, GError **error)
{
  Pull pull = { .request = request, .plan = plan, .settings = dn_settings_get (request->daemon) };
  DnImage *image = NULL;

  pull.limit_bytes = pull.settings->archive_limit_bytes;
  pull.reference = dn_pull_name_check (plan->name, error);
  if (pull.reference != NULL
      && dn_pull_may_ask (pull.settings, pull.reference, plan->auth_fd, error)
      && choose_trust (&pull, error))
    {
      dn_fetch_prune (pull.limit_bytes, NULL);
      pull.fetch = dn_fetch_new (request->daemon->store, error);
      pull.staging
          = pull.fetch != NULL ? dn_store_begin_staging (request->daemon->store, error) : NULL;
      if (pull.staging != NULL)
        {
          image = run_staged (&pull, error);
          dn_store_end_staging (request->daemon->store, pull.staging);
        }
    }
  clear_pull (&pull);
  return image;
}
