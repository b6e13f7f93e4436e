/* SPDX-License-Identifier: Apache-2.0 */
/* The unpacker as processes, on the archives of tests/images, in the order in which danchid has it
 * work: the archive is read, then each layer's blob is cut out of it and unpacked over those below.
 *
 * The unpacker's main() is linked as dn_unpack_main().
 */
#pragma once

#include <glib.h>

#include "../../protocol/protocol.h"

int dn_unpack_main (int argc, char **argv);

/* What one process said. */
typedef struct
{
  int exit_status;
  GPtrArray *fields; /* owned "NUMBER VALUE" */
  GArray *entries;   /* owned DnMsgUnpackEntry */
  DnMsgUnpackReadDone read_done;
  DnMsgUnpackLayerDone layer_done;
  DnMsgReply reply;
  guint read_dones;
  guint layer_dones;
  guint replies;
  guint phases; /* bits */
} Run;

/* Runs it; @argv ends with a NULL.  Whatever it says must be frames of the wire. */
void run_begin (Run *run, const char *const *argv);
void run_clear (Run *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

typedef struct
{
  char *directory; /* owned; all is below it */
  char *archive;   /* owned; what offsets are in: the plain form of a compressed one */
  GArray *entries; /* owned DnMsgUnpackEntry */
  char *chain;     /* owned; of the layers unpacked so far */
  guint layers;    /* unpacked so far */
} Image;

/* Writes the archives of friendly.py, hostile.py and stacked.py, once; their directory. */
const char *image_archives (void);

/* Reads @name of the archives, as `read`.  @run: (out): to be cleared. */
void image_read (Image *image, const char *name, const char *reference, Run *run);

/* Unpacks the next layer, as `layer`, to image_path (image, "N.erofs"), N from 1.  @bases: paths of
 * layers of the store, or NULL. */
void image_unpack_layer (Image *image, const char *files_limit, const char *const *bases, Run *run);

/* Below the image's directory, (transfer full): "scratch/layer/1" is what layer 1 has written. */
char *image_path (const Image *image, const char *name);
void image_clear (Image *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Image, image_clear)

/* Removes the archives. */
void image_archives_remove (void);
