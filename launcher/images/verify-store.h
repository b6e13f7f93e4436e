/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the store holds what it should: every blob hashed again, every layer checked against its
 * hash tree and root hash, every image.json against what is there.
 *
 * Reads only, with the lowest priority for disk and processor, and safe beside everything else: the
 * store's lock is held for looking things up alone, and what went or changed while it was read is
 * no damage.  Holds no descriptor longer than one file takes.
 *
 * Privilege: root's, for reading the store.
 */
#pragma once

#include "store.h"

typedef struct
{
  char *what;    /* owned, as are all: "layer '0123456789ab'" */
  char *problem; /* what is wrong with it */
  char *remedy;  /* what to do */
} DnStoreProblem;

typedef struct
{
  guint images;
  guint layers;
  guint blobs;
  guint64 bytes;      /* that were read */
  GPtrArray *damaged; /* DnStoreProblem; never NULL */
} DnStoreReport;

DnStoreReport *dn_store_report_new (void);
void dn_store_report_free (DnStoreReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnStoreReport, dn_store_report_free)

/* Where it is; FALSE ends it.  On the thread that verifies. */
typedef gboolean (*DnStoreVerifyTick) (guint64 done, guint64 total, gpointer data);

/**
 * dn_store_verify:
 * @images: (nullable): of DnImage: these with all that they need; NULL: all that the store has,
 * also what belongs to no image
 *
 * Lowers the priority of the calling thread for good: it is one made for this.
 *
 * Returns: FALSE with DN_ERROR_FAILED when @tick ended it
 */
gboolean dn_store_verify (DnStore *store, const GPtrArray *images, DnStoreVerifyTick tick,
                          gpointer data, DnStoreReport *report, GError **error);
