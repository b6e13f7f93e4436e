/* SPDX-License-Identifier: Apache-2.0 */
#include "unpacking.h"

#include <fcntl.h>
#include <unistd.h>

#include "delta.h"
#include "erofs.h"
#include "layer.h"
#include "overlay.h"
#include "report.h"
#include "scratch.h"

/* What a tar stream may have besides the files' bytes: headers, padding, extended headers. */
#define STREAM_BYTES_PER_FILE 4096

static void
report_layer (uint64_t bytes, void *data)
{
  const uint64_t *total = data;

  dn_report_progress (DN_UNPACK_PHASE_LAYERS, bytes, *total);
}

/* Applies the blob.  @root: taken over.  Returns what its entries have said. (transfer full) */
static DnPathTable *
apply (const DnLayerOptions *options, int root, DnMsgUnpackLayerDone *done, DnFailure *failure)
{
  DnBudget budget = { options->files_limit, options->unpacked_limit };
  const uint64_t files
      = options->files_limit < (UINT64_MAX >> 16) ? options->files_limit : UINT64_MAX >> 16;
  uint64_t total = options->blob_bytes;
  DnLayerBlob blob
      = { .size = options->blob_bytes, .digest = options->digest, .diff_id = options->diff_id };
  DnTree *tree = dn_tree_new (root, failure);
  bool is_good;

  if (tree == NULL)
    return NULL;
  blob.fd = open (options->blob, O_RDONLY | O_CLOEXEC);
  if (blob.fd < 0)
    is_good = dn_fail_errno (failure, "cannot open the layer's disk");
  else
    {
      is_good = dn_layer_apply (&blob, tree, &budget,
                                options->unpacked_limit + files * STREAM_BYTES_PER_FILE,
                                report_layer, &total, failure);
      (void) close (blob.fd);
    }
  if (!is_good)
    {
      dn_tree_free (tree);
      return NULL;
    }
  done->unpacked_bytes = options->unpacked_limit - budget.bytes;
  return dn_tree_end (tree);
}

static void
report_inodes (uint64_t done, uint64_t total)
{
  dn_report_progress (DN_UNPACK_PHASE_BUILD, done, total);
}

bool
dn_unpacking_run (const DnLayerOptions *options, DnFailure *failure)
{
  DnMsgUnpackLayerDone done = { 0 };
  DnPathTable *notes = NULL;
  DnOverlay overlay = { .upper = -1 };
  int scratch = dn_scratch_open (options->scratch, options->files_limit, failure);
  int root = -1;
  bool is_good = scratch >= 0
                 && dn_overlay_begin (&overlay, scratch, options->bases, options->bases_count,
                                      &root, failure);

  if (is_good)
    {
      notes = apply (options, root, &done, failure);
      is_good = notes != NULL;
    }
  is_good = is_good && dn_overlay_unmount (&overlay, failure)
            && dn_delta_finish (overlay.upper, notes, overlay.lowers, overlay.lowers_count,
                                &done.files, failure)
            && dn_erofs_build (overlay.upper, options->output, &options->chain, report_inodes,
                               &done.image_bytes, failure);
  dn_path_table_free (notes);
  dn_overlay_end (&overlay);
  if (scratch >= 0)
    (void) close (scratch);
  if (is_good)
    dn_report_layer_done (&done);
  return is_good;
}
