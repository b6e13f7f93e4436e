/* SPDX-License-Identifier: Apache-2.0 */
#include "newer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/daemon.h"
#include "../daemon/json-build.h"
#include "../daemon/settings-file.h"
#include "intake.h"
#include "pull-error.h"
#include "pull-may.h"
#include "store.h"

#define TRIES 2
#define DOCUMENT_MAX_BYTES (4 * 1024 * 1024)
#define DISK_BYTES (32ull * 1024 * 1024)

typedef struct
{
  const char *reference;
  char *path;   /* owned; of the document that the tag names */
  char *digest; /* owned; what was found */
} Ask;

/* The tag's document, as the jail has written it; hashed, not read. */
static gboolean
hash_document (Ask *ask, GError **error)
{
  dn_autofd int fd = open (ask->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autofree guint8 *bytes = NULL;
  struct stat status;
  ssize_t n;

  if (fd < 0 || fstat (fd, &status) < 0)
    return dn_throw_errno (error, "file '%s'", ask->path);
  if (!S_ISREG (status.st_mode) || status.st_size <= 0 || status.st_size > DOCUMENT_MAX_BYTES)
    return dn_throw (error, DN_ERROR_PROTOCOL, "file '%s': of a kind or size that it may not have",
                     ask->path);
  bytes = g_malloc ((gsize) status.st_size);
  n = pread (fd, bytes, (size_t) status.st_size, 0);
  if (n != status.st_size)
    return dn_throw (error, DN_ERROR_FAILED, "file '%s': ends too early", ask->path);
  ask->digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, bytes, (gsize) n);
  return TRUE;
}

/* "document 0 TYPE" says that it is there; nothing more is wanted then, and the jail ends. */
static gboolean
take_line (DnIntake *intake, char **words, gpointer data, GError **error)
{
  Ask *ask = data;

  (void) intake;
  if (g_str_equal (words[0], "retry"))
    return TRUE;
  if (!g_str_equal (words[0], "document"))
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake says '%s' where it may not",
                     words[0]);
  return hash_document (ask, error)
         && dn_throw (error, DN_ERROR_CONFLICT, "all that was to be known is known");
}

static void
take_failure (const char *code, const char *text, gpointer data, GError **error)
{
  const Ask *ask = data;

  dn_pull_error_set (error, ask->reference, code, text);
}

/* "REGISTRY/REPO" of a reference by a tag. (transfer full) */
static char *
repository_of (const char *reference)
{
  const char *slash = strrchr (reference, '/');

  return g_strndup (reference, (gsize) (slash - reference) + strcspn (slash, ":@"));
}

static gboolean
ask_registry (DnRequest *request, Ask *ask, const char *staging, int auth_fd, GError **error)
{
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  g_autofree char *repository = repository_of (ask->reference);
  g_autofree char *whole = g_strconcat ("reference=", ask->reference, NULL);
  g_autofree char *above = g_strconcat ("repository=", repository, NULL);
  g_autofree char *stall = g_strdup_printf ("stall_s=%" G_GUINT64_FORMAT, settings->pull_stall_s);
  const char *const order[]
      = { whole, above, stall, "limit_bytes=1", "tries=" G_STRINGIFY (TRIES), NULL };
  const DnIntakePlan plan = { .task = "pull",
                              .staging = staging,
                              .order = order,
                              .files = { auth_fd },
                              .file_count = auth_fd >= 0 ? 1 : 0,
                              .disk_bytes = DISK_BYTES,
                              .timeout_s = (guint) settings->pull_timeout_s,
                              .line = take_line,
                              .failed = take_failure,
                              .data = ask };
  g_autoptr (GError) local = NULL;

  dn_request_progress (request, "ask the registry", 0, 0);
  if (!dn_intake_run (request, &plan, &local) && ask->digest == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  return ask->digest != NULL
         || dn_throw (error, DN_ERROR_PROTOCOL, "danchi-intake ended without an answer");
}

/* Where the image came from; borrowed of @provenance.  The whole name and its digest, or FALSE. */
static gboolean
find_source (const DnImage *image, JsonObject *provenance, const char **ret_reference,
             const char **ret_digest, GError **error)
{
  const char *from = json_object_get_string_member_with_default (provenance, "from", "");

  *ret_reference = json_object_get_string_member_with_default (provenance, "reference", "");
  *ret_digest = json_object_get_string_member_with_default (provenance, "digest", "");
  if (!g_str_equal (from, "registry") || **ret_reference == '\0' || **ret_digest == '\0')
    return dn_throw (error, DN_ERROR_USAGE,
                     "image '%.12s': was not pulled from a registry, so none can be asked",
                     image->id);
  return strchr (*ret_reference, '@') == NULL
         || dn_throw (error, DN_ERROR_USAGE,
                      "image '%.12s': was pulled by its digest, which stays what it is", image->id);
}

JsonObject *
dn_newer_ask (DnRequest *request, const DnImage *image, int auth_fd, GError **error)
{
  DnStore *store = request->daemon->store;
  g_autoptr (DnSettings) settings = dn_settings_get (request->daemon);
  g_autoptr (JsonObject) provenance = dn_image_get_provenance (image);
  g_autoptr (JsonObject) members = json_object_new ();
  g_autoptr (DnImage) changed = NULL;
  const char *reference, *digest;
  Ask ask = { NULL };
  JsonObject *newer;
  char *staging;
  gboolean is_fine;

  if (!find_source (image, provenance, &reference, &digest, error)
      || !dn_pull_may_ask (settings, reference, auth_fd, error))
    return NULL;
  staging = dn_store_begin_staging (store, error);
  if (staging == NULL)
    return NULL;
  ask.reference = reference;
  ask.path = g_build_filename (staging, DN_INTAKE_DIRECTORY, "document0", NULL);
  is_fine = ask_registry (request, &ask, staging, auth_fd, error);
  dn_store_end_staging (store, staging);
  g_free (ask.path);
  if (!is_fine)
    return NULL;
  newer = json_object_new ();
  json_object_set_string_member (newer, "reference", reference);
  json_object_set_string_member (newer, "digest", ask.digest);
  json_object_set_boolean_member (newer, "is_stale", !g_str_equal (ask.digest, digest));
  json_object_set_int_member (newer, "checked_us", g_get_real_time ());
  g_free (ask.digest);
  json_object_set_object_member (members, "newer", newer);
  changed = dn_store_set_provenance (store, image->id, members, error);
  return changed != NULL ? json_object_ref (newer) : NULL;
}
