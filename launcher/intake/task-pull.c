/* SPDX-License-Identifier: Apache-2.0 */
/* The task that fetches an image from a registry, by skopeo.
 *
 * Order:
 *
 *     reference    REGISTRY/REPO:TAG or REGISTRY/REPO@DIGEST
 *     repository   REGISTRY/REPO
 *     limit_bytes  all blobs together
 *     stall_s      a server that sends nothing for so long is given up
 *     tries        how often what may be over in a moment is tried
 *     policy       the signature policy's file in the staging directory
 *     sigstore     (optional) likewise, its requirements that skopeo cannot meet: pull-trust.h
 *
 * Files: the credentials, as a containers-auth.json(5) of one entry; none: asks as nobody.
 *
 * Report:
 *
 *     document N TYPE      the file documentN is the registry's answer as it came: 0 for what the
 *                          reference names, 1 for the manifest where that is an index
 *     blob DIGEST SIZE     of the image: the config first
 *     planned              all are named; danchid puts those it has into blobs/sha256 and says "go"
 *     progress BYTES       in the staging directory
 *     retry CODE TRY       what went wrong, and which try is next
 *     done                 the blobs are in blobs/sha256
 *     failed CODE TEXT     pull-fault.h's codes, and: order, manifest, platform, stalled, limit,
 *                          blob-size
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "jail.h"
#include "pull-fault.h"
#include "pull-manifest.h"
#include "pull-skopeo.h"
#include "pull-trust.h"
#include "task.h"

#define AUTH_PATH DN_JAIL_PRIVATE "/auth.json"
#define AUTH_MAX_BYTES (64 * 1024)
/* Beside the blobs: documents, the layout's index, and the manifest that skopeo writes. */
#define SPARE_BYTES (4ull * DN_MANIFEST_MAX_BYTES)
#define STALLED_TRIES 2
#define WAIT_MAX_S 16

/* The credentials, into a file that only this jail has and that is gone with it. */
static gboolean
write_auth (DnTaskRun *run)
{
  static const char nobody[] = "{}";
  g_autofree char *bytes = g_malloc (AUTH_MAX_BYTES);
  dn_autofd int fd = open (AUTH_PATH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  ssize_t n = run->file_count > 0 ? pread (run->files[0], bytes, AUTH_MAX_BYTES, 0)
                                  : (ssize_t) strlen (nobody);

  if (run->file_count == 0)
    memcpy (bytes, nobody, strlen (nobody));
  return fd >= 0 && n > 0 && n < AUTH_MAX_BYTES && write (fd, bytes, (size_t) n) == n;
}

/* Before the next try: 1, 2, 4 ... seconds. */
static void
wait_before (guint number)
{
  g_usleep (MIN (1u << (number - 1), WAIT_MAX_S) * G_USEC_PER_SEC);
}

/* Runs skopeo until it works or that is hopeless; ends this run where it is. */
static void
insist (DnTaskRun *run, const DnSkopeo *skopeo)
{
  guint tries = (guint) dn_task_number (run, "tries");

  for (guint number = 1;; number++)
    {
      g_autofree char *words = NULL, *message = NULL;
      DnPullFault fault = { "stalled", number < STALLED_TRIES };

      switch (dn_skopeo_run (run, skopeo, &words))
        {
        case DN_SKOPEO_DONE:
          return;
        case DN_SKOPEO_FAILED:
          fault = *dn_pull_fault_find (words);
          break;
        case DN_SKOPEO_TOO_MUCH:
          exit (dn_task_fail (run, "blob-size", "more bytes than the manifest says"));
        case DN_SKOPEO_STALLED:
          break;
        }
      message = dn_pull_fault_message (words);
      if (!fault.is_brief || number >= tries)
        exit (dn_task_fail (run, fault.code, message));
      dn_task_say (run, "retry %s %u", fault.code, number + 1);
      wait_before (number);
    }
}

/* Fetches what @reference names as it is, into the file documentN, and reads it. */
static DnManifest *
fetch_document (DnTaskRun *run, guint number, const char *reference)
{
  g_autofree char *file = g_strdup_printf ("document%u", number);
  g_autofree char *source = g_strdup_printf ("docker://%s", reference);
  const char *const argv[]
      = { "skopeo", "inspect", "--raw", "--authfile", AUTH_PATH, source, NULL };
  const DnSkopeo skopeo = { .argv = argv,
                            .output = file,
                            .file_bytes = DN_MANIFEST_MAX_BYTES + 1,
                            .stall_s = (guint) dn_task_number (run, "stall_s") };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  DnManifest *manifest;
  gsize size;

  insist (run, &skopeo);
  if (!g_file_get_contents (file, &text, &size, &error))
    exit (dn_task_fail (run, "other", error->message));
  manifest = dn_manifest_parse (text, size, &error);
  if (manifest == NULL)
    exit (dn_task_fail (
        run, g_error_matches (error, DN_ERROR, DN_ERROR_NOT_FOUND) ? "platform" : "manifest",
        error->message));
  dn_task_say (run, "document %u %s", number, manifest->media_type);
  return manifest;
}

static DnManifest *
fetch_manifest (DnTaskRun *run)
{
  g_autoptr (DnManifest) first = fetch_document (run, 0, dn_task_text (run, "reference"));
  g_autoptr (DnManifest) second = NULL;
  g_autofree char *reference = NULL;

  if (!first->is_index)
    return g_steal_pointer (&first);
  reference = g_strdup_printf ("%s@%s", dn_task_text (run, "repository"), first->chosen);
  second = fetch_document (run, 1, reference);
  if (second->is_index)
    exit (dn_task_fail (run, "manifest", "the index names another index for this host"));
  return g_steal_pointer (&second);
}

/* Says what is to be fetched.  Returns: how many bytes that are */
static guint64
tell_plan (DnTaskRun *run, const DnManifest *manifest, guint64 *ret_largest)
{
  guint64 limit = dn_task_number (run, "limit_bytes"), sum = 0;

  *ret_largest = DN_MANIFEST_MAX_BYTES;
  for (guint i = 0; i < manifest->blobs->len; i++)
    {
      const DnManifestBlob *blob = manifest->blobs->pdata[i];

      if (blob->size > limit - sum)
        exit (dn_task_fail (run, "limit", "the image's blobs"));
      sum += blob->size;
      *ret_largest = MAX (*ret_largest, blob->size);
      dn_task_say (run, "blob %s %" G_GUINT64_FORMAT, blob->digest, blob->size);
    }
  dn_task_say (run, "planned");
  return sum;
}

static void
copy (DnTaskRun *run, const DnManifest *manifest, guint64 sum, guint64 largest)
{
  g_autofree char *source = g_strdup_printf ("docker://%s", dn_task_text (run, "reference"));
  gboolean is_oci = strstr (manifest->media_type, ".oci.") != NULL;
  const char *argv[24];
  guint n = 0;

  argv[n++] = "skopeo";
  argv[n++] = "--override-os";
  argv[n++] = "linux";
  argv[n++] = "--override-arch";
  argv[n++] = "amd64";
  argv[n++] = "--policy";
  argv[n++] = dn_task_text (run, "policy");
  argv[n++] = "copy";
  argv[n++] = "--authfile";
  argv[n++] = AUTH_PATH;
  /* The manifest stays as it came, byte for byte: its digest is the registry's. */
  argv[n++] = "--preserve-digests";
  argv[n++] = "--format";
  argv[n++] = is_oci ? "oci" : "v2s2";
  /* They have been judged by then; a layout has no place for them. */
  argv[n++] = "--remove-signatures";
  argv[n++] = "--dest-oci-accept-uncompressed-layers";
  argv[n++] = "--dest-shared-blob-dir";
  argv[n++] = "blobs";
  argv[n++] = source;
  argv[n++] = "oci:layout:image";
  argv[n] = NULL;
  {
    const DnSkopeo skopeo = { .argv = argv,
                              .file_bytes = largest,
                              .total_bytes = sum + SPARE_BYTES,
                              .stall_s = (guint) dn_task_number (run, "stall_s"),
                              .tells = TRUE };

    insist (run, &skopeo);
  }
}

/* Of the last document, as it was planned. (transfer full) */
static char *
digest_of_manifest (DnTaskRun *run)
{
  const char *file = g_file_test ("document1", G_FILE_TEST_EXISTS) ? "document1" : "document0";
  g_autofree char *text = NULL, *hex = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (!g_file_get_contents (file, &text, &size, &error))
    exit (dn_task_fail (run, "other", error->message));
  hex = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guint8 *) text, size);
  return g_strconcat ("sha256:", hex, NULL);
}

int
dn_task_pull (DnTaskRun *run)
{
  g_autoptr (DnManifest) manifest = NULL;
  g_autofree char *word = NULL, *digest = NULL;
  guint64 sum, largest;

  if (!write_auth (run))
    return dn_task_fail (run, "other", "the credentials cannot be handed on");
  manifest = fetch_manifest (run);
  sum = tell_plan (run, manifest, &largest);
  word = dn_task_read_line (run);
  if (g_strcmp0 (word, "go") != 0)
    return EXIT_FAILURE;
  copy (run, manifest, sum, largest);
  digest = digest_of_manifest (run);
  dn_pull_check_copied (run, digest);
  dn_pull_check_sigstore (run, digest, AUTH_PATH);
  return dn_task_done (run);
}
