/* SPDX-License-Identifier: Apache-2.0 */
/* danchi-unpack: an image archive becomes an EROFS image, in a guest that lives for nothing else.
 *
 * Every byte of the archive is a stranger's, and the parsers here (tar, gzip, zstd, JSON) are
 * large.  What contains them is the guest: it has no network, one image, and limits on memory,
 * disk and time; the host takes from it fixed fields and an image that only guests will mount.
 * The checks in here are for a clear message, and for the image's own integrity.
 *
 *   open the archive → manifest and config → layers, lowest first → EROFS → hash
 *
 * The agent starts this program; see options.h for its command line, report.h for its output.
 * Exit status: 0 after UNPACK_DONE, 1 after a REPLY that says why not.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "erofs.h"
#include "fields.h"
#include "layer.h"
#include "options.h"
#include "report.h"
#include "scratch.h"

#define TREE "root" /* in the scratch directory */
/* What a tar stream may have besides the files' bytes: headers, padding, extended headers. */
#define STREAM_BYTES_PER_FILE 4096

typedef struct
{
  uint64_t done;  /* of the layers before this one */
  uint64_t total; /* of all layers' blobs */
} LayersProgress;

static void
report_layer (uint64_t bytes, void *data)
{
  const LayersProgress *progress = data;

  dn_report_progress (DN_UNPACK_PHASE_LAYERS, progress->done + bytes, progress->total);
}

static void
report_field (DnImageField field, const char *value, size_t size, void *data)
{
  (void) data;
  dn_report_field (field, value, size);
}

static void
ignore_field (DnImageField field, const char *value, size_t size, void *data)
{
  (void) field;
  (void) value;
  (void) size;
  (void) data;
}

static DnTree *
make_tree (int scratch, DnFailure *failure)
{
  int root;

  /* A layer that does not name the root leaves it readable for all users of a container. */
  if (mkdirat (scratch, TREE, 0755) < 0
      || (root = openat (scratch, TREE, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
    {
      (void) dn_fail_errno (failure, "cannot make the tree");
      return NULL;
    }
  return dn_tree_new (root);
}

static bool
apply_layers (const DnOptions *options, const DnArchive *archive, const DnManifest *manifest,
              int scratch, DnMsgUnpackDone *done, DnFailure *failure)
{
  DnBudget budget = { options->files_limit, options->unpacked_limit };
  LayersProgress progress = { 0 };
  const uint64_t files
      = options->files_limit < (UINT64_MAX >> 16) ? options->files_limit : UINT64_MAX >> 16;
  const uint64_t stream_limit = options->unpacked_limit + files * STREAM_BYTES_PER_FILE;
  DnTree *tree = make_tree (scratch, failure);
  bool is_good = tree != NULL;

  for (size_t i = 0; i < manifest->layers_count; i++)
    progress.total += manifest->layers[i].blob.size;
  for (size_t i = 0; is_good && i < manifest->layers_count; i++)
    {
      dn_tree_set_layer (tree, (uint32_t) i + 1);
      is_good = dn_layer_apply (archive, &manifest->layers[i], tree, &budget, stream_limit,
                                report_layer, &progress, failure);
      if (!is_good)
        (void) dn_fail_prefix (failure, "layer %zu", i + 1);
      progress.done += manifest->layers[i].blob.size;
    }
  is_good = is_good && dn_tree_finish (tree, &done->files, failure);
  dn_tree_free (tree);
  done->unpacked_bytes = options->unpacked_limit - budget.bytes;
  done->layers = (uint32_t) manifest->layers_count;
  return is_good;
}

static bool
build (const DnOptions *options, const DnManifest *manifest, const char *directory,
       DnMsgUnpackDone *done, DnFailure *failure)
{
  DnDigest digest;
  char *tree;
  bool is_good;

  if (asprintf (&tree, "%s/" TREE, directory) < 0)
    abort ();
  dn_report_progress (DN_UNPACK_PHASE_BUILD, 0, done->files);
  is_good = dn_erofs_build (tree, options->output, &manifest->config_digest, failure);
  free (tree);
  if (!is_good)
    return false;
  dn_report_progress (DN_UNPACK_PHASE_BUILD, done->files, done->files);
  if (!dn_erofs_hash (options->output, &done->image_bytes, &digest, failure))
    return false;
  memcpy (done->image_sha256, digest.bytes, DN_DIGEST_BYTES);
  memcpy (done->manifest_sha256, manifest->manifest_digest.bytes, DN_DIGEST_BYTES);
  memcpy (done->config_sha256, manifest->config_digest.bytes, DN_DIGEST_BYTES);
  return true;
}

static bool
unpack (const DnOptions *options, DnMsgUnpackDone *done, DnFailure *failure)
{
  DnManifest manifest = { 0 };
  DnArchive *archive = NULL;
  const char *directory = NULL;
  int scratch = dn_scratch_open (options->scratch, options->files_limit, &directory, failure);
  bool is_good = scratch >= 0;

  if (is_good)
    {
      dn_report_progress (DN_UNPACK_PHASE_VERIFY, 0, options->archive_bytes);
      archive = dn_archive_open (options->archive, options->archive_bytes, scratch,
                                 options->unpacked_limit, failure);
    }
  is_good = archive != NULL
            && dn_manifest_read (archive, options->reference, &manifest, failure)
            /* Before the work, not after it. */
            && dn_fields_collect (&manifest, ignore_field, NULL, failure);
  if (is_good)
    dn_report_progress (DN_UNPACK_PHASE_VERIFY, options->archive_bytes, options->archive_bytes);
  is_good = is_good && apply_layers (options, archive, &manifest, scratch, done, failure)
            && build (options, &manifest, directory, done, failure)
            && dn_fields_collect (&manifest, report_field, NULL, failure);
  dn_manifest_clear (&manifest);
  dn_archive_free (archive);
  if (scratch >= 0)
    (void) close (scratch);
  return is_good;
}

int
main (int argc, char **argv)
{
  DnMsgUnpackDone done = { 0 };
  DnFailure failure = { 0 };
  DnOptions options;

  (void) umask (0022);
  /* A reader that is gone shows as an error of write(2). */
  (void) signal (SIGPIPE, SIG_IGN);
  if (dn_options_read (argc, argv, &options, &failure) && unpack (&options, &done, &failure))
    {
      dn_report_done (&done);
      return 0;
    }
  if (failure.status == 0)
    (void) dn_fail (&failure, -EIO, "unpacking failed");
  dn_report_failure (&failure);
  return 1;
}
