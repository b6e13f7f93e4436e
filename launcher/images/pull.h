/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching an image from a registry, and taking it into the store.
 *
 *   1. The name is whole, and danchi.conf permits it: before that nothing is asked of anybody.
 *   2. danchi-intake's task `pull` (launcher/intake/task-pull.c) asks the registry, in a jail, and
 * says which blobs there are.  Those that the store or an earlier pull has are given to it; those
 * that another pull is at are waited for (fetch.h).
 *   3. It fetches the rest.  danchid hashes every blob as it takes it over, and the documents; the
 *      digest that was asked for must be the document's.
 *   4. A thin archive of the documents goes the way of every image: a guest reads it (import.h).
 *
 * danchid reads none of the registry's bytes: it hashes and copies them.  Credentials come from the
 * caller in a sealed memory file, which goes on to the jail unread.  They are in no file of the
 * host's, no argument, log, event or record.
 */
#pragma once

#include "../daemon/request.h"
#include "../daemon/settings.h"
#include "store.h"

typedef struct
{
  const char *name; /* as the caller wrote it; borrowed, as are all of these */
  int auth_fd;      /* a containers-auth.json(5) with one entry; -1: as nobody */
  gboolean allow_emulation;
} DnPullPlan;

/* Returns: (transfer full): the image as it is in the store now, or NULL with an error that names
 * the registry, what failed and what to do */
DnImage *dn_pull_run (DnRequest *request, const DnPullPlan *plan, GError **error);
