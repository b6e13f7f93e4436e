/* SPDX-License-Identifier: Apache-2.0 */
/* Loading an image: intake, unpacking in a guest, naming.
 *
 * The same archive again is found by its digest and not unpacked.  Until the end the store is
 * unchanged but for one staging directory, which goes in every case.
 */
#pragma once

#include "../daemon/request.h"
#include "load-signature.h"
#include "store.h"

typedef struct
{
  int fd;                /* the archive; borrowed, as are all of these */
  const char *name;      /* a name it gets besides the archive's, or NULL */
  const char *reference; /* which image of an archive that holds several, or NULL */
  DnLoadSignature signature;
  gboolean allow_emulation;
} DnLoadPlan;

/* Returns: (transfer full): the image as it is in the store now, or NULL with @error. */
DnImage *dn_load_run (DnRequest *request, const DnLoadPlan *plan, GError **error);
