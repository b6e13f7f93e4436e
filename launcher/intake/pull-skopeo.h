/* SPDX-License-Identifier: Apache-2.0 */
/* Runs skopeo, and watches what it writes: its progress, and whether it stands still. */
#pragma once

#include <glib.h>

#include "task.h"

typedef struct
{
  const char *const *argv; /* ends with NULL */
  const char *output;      /* file for its standard output, or NULL */
  guint64 file_bytes;      /* the largest file it may write */
  guint64 total_bytes;     /* all that it may have written, 0: not counted */
  guint stall_s;           /* without a byte more it is ended */
  gboolean tells;          /* reports its progress */
} DnSkopeo;

typedef enum
{
  DN_SKOPEO_DONE,
  DN_SKOPEO_FAILED,
  DN_SKOPEO_STALLED,
  DN_SKOPEO_TOO_MUCH,
} DnSkopeoEnd;

/* @ret_words: (out) (transfer full): what it wrote on standard error, the last few KiB */
DnSkopeoEnd dn_skopeo_run (DnTaskRun *run, const DnSkopeo *skopeo, char **ret_words);
