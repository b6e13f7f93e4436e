/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines: what the agent asks for, already checked there.
 *
 *   danchi-unpack read   --archive DEVICE --archive-bytes N --output DEVICE --expanded-limit N
 *                        [--reference NAME]
 *   danchi-unpack layer  --blob DEVICE --blob-bytes N --digest D --diff-id D --chain D
 *                        --scratch DEVICE --output DEVICE --files-limit N --unpacked-limit N
 *                        [--base DIRECTORY]...
 *
 * D is "sha256:HEX", N a positive number.  Paths are absolute.
 */
#pragma once

#include "digest.h"

typedef struct
{
  const char *archive;     /* a block device, or a file; texts are borrowed from argv */
  uint64_t archive_bytes;  /* how much of it is the archive; a disk is rounded up */
  const char *output;      /* a block device, or a file that is made */
  uint64_t expanded_limit; /* what a compressed archive may grow to, in bytes */
  const char *reference;   /* "" for the only image */
} DnReadOptions;

typedef struct
{
  const char *blob; /* a block device, or a file */
  uint64_t blob_bytes;
  DnDigest digest;         /* of the blob */
  DnDigest diff_id;        /* of the tar stream in it */
  DnDigest chain;          /* what the image's id is made of */
  const char *scratch;     /* a block device, or a directory that only these calls use */
  const char *output;      /* a block device, or a file that is made */
  uint64_t files_limit;    /* entries of the layer */
  uint64_t unpacked_limit; /* bytes of the layer's files together */
  const char *bases[DN_DISK_LAYERS_MAX]; /* layers below, the lowest first */
  size_t bases_count;
} DnLayerOptions;

/* argv[0] is "read" or "layer". */
bool dn_options_read_archive (int argc, char **argv, DnReadOptions *ret_options,
                              DnFailure *failure);
bool dn_options_read_layer (int argc, char **argv, DnLayerOptions *ret_options, DnFailure *failure);
