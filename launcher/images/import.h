/* SPDX-License-Identifier: Apache-2.0 */
/* The one road into the store: from bytes in a staging directory to an image that exists.
 *
 * What comes in is an archive that holds all (a load), or a thin one, index, manifest and config
 * alone, with its layers' blobs beside it (a pull).  A guest reads the archive; danchid keeps
 * manifest, config and layers as blobs, each named by the digest that danchid itself computes; the
 * layers that the store has not are unpacked by a second guest; then the image comes into being by
 * one rename, or is found to be there already.
 *
 * Until then the store has gained blobs and layers at most, which no image needs and which go again
 * when this fails: nothing is left of an import that was cancelled or went wrong.
 */
#pragma once

#include "../daemon/request.h"
#include "store.h"

typedef struct
{
  const char *staging;      /* of dn_store_begin_staging(), which the caller ends; all of these are
                             * borrowed */
  const char *archive_path; /* a file in @staging; root's and 0444, and nobody writes it any more */
  guint64 archive_bytes;
  /* SHA-256 of the archive: the same one is not unpacked again.  NULL for a thin archive. */
  const char *archive_sha256;
  /* A directory of files named by the SHA-256 that they should have, in hexadecimal: the blobs that
   * a thin archive has not.  Its files are copied, and hashed on the way: they may be another
   * user's.  NULL for an archive, which has to have everything itself; where there is a directory,
   * what is not in it may be in the store. */
  const char *blobs;
  const char
      *reference; /* which image of an archive that holds several; "" or NULL: the only one */
  const char *const *names;   /* normalised names that it gets; NULL: none */
  gboolean ignores_own_names; /* whether what the archive calls the image counts for nothing */
  /* What is known of where it comes from, in members as store.h has them; NULL: nothing. */
  JsonObject *provenance;
  gboolean allow_emulation;
} DnImportPlan;

/**
 * dn_import_run:
 *
 * On the client's thread.  Tells @request of its progress, gives up when its client goes.  An
 * image of the same id and with the same root stays as it is, but for the names and the members of
 * the provenance that come along.
 *
 * Returns: (transfer full): the image as it is in the store now, or NULL with an error that says
 *   what is wrong with the archive, which limit it is over, or what the host lacks
 */
DnImage *dn_import_run (DnRequest *request, const DnImportPlan *plan, GError **error);
