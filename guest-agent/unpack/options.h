/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what the agent asks for, already checked there. */
#pragma once

#include "failure.h"

typedef struct
{
  const char *archive;     /* a block device, or a file */
  uint64_t archive_bytes;  /* how much of it is the archive; a disk is rounded up */
  const char *scratch;     /* a block device that becomes ext4, or a directory that is empty */
  const char *output;      /* a block device, or a file that is made */
  uint64_t files_limit;    /* entries of all layers together */
  uint64_t unpacked_limit; /* bytes of all layers' files together */
  const char *reference;   /* borrowed from argv; "" for the only image */
} DnOptions;

/* Reads argv.  Every option but --reference must be there. */
bool dn_options_read (int argc, char **argv, DnOptions *ret_options, DnFailure *failure);
