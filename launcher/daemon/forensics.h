/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a context's traces: docs/forensics.md says what is saved, and in which order.
 *
 * The guest is asked first, with a short deadline; then it stands still; from then on it is not
 * needed any more, so nothing it does or leaves undone can hold this up.
 */
#pragma once

#include "container.h"
#include "request.h"

typedef struct
{
  gboolean is_live; /* do not freeze */
  gboolean wants_memory;
  gboolean is_frozen_after; /* leave it frozen; else it is as before: it goes on, or is thawed */
} DnForensics;

/**
 * dn_forensics_run:
 * @ack_fd: where the client says that it has saved a file; borrowed
 *
 * Returns: (transfer full): what the verb answers; NULL with an error where the capture broke off:
 *   the guest is then as it was asked for, too
 */
JsonObject *dn_forensics_run (DnRequest *request, DnContext *context, const DnForensics *plan,
                              int ack_fd, GError **error);
