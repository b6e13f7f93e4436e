/* SPDX-License-Identifier: Apache-2.0 */
/* The unpacker's process: its command line, and its start. */
#pragma once

#include "agent.h"

#define DN_UNPACK_DEVICE_BYTES 64

/* Where the disks of a request are. */
typedef struct
{
  char input[DN_UNPACK_DEVICE_BYTES]; /* the archive's, or the blob's */
  char scratch[DN_UNPACK_DEVICE_BYTES];
  char output[DN_UNPACK_DEVICE_BYTES];
} DnUnpackDevices;

/* Its words; (transfer full), free() them with dn_unpack_words_free().  NULL without memory. */
char **dn_unpack_words_read (const DnMsgUnpackRead *message, const DnUnpackDevices *devices);

/* @base: the layers of the store, or NULL. */
char **dn_unpack_words_layer (const DnMsgUnpackLayer *message, const DnUnpackDevices *devices,
                              const DnDisks *disks, const DnDisk *base);
void dn_unpack_words_free (char **words); /* accepts NULL */

/* Starts it with @words.  @ret_output: (out): what it says, read without blocking; @ret_pidfd:
 * (out): both the caller's, also after a failure, unless they are -1. */
int dn_unpack_spawn (char **words, int *ret_output, int *ret_pidfd, DnFault *fault);
