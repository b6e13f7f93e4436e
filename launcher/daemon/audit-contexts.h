/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts and their containers as the audit shows them: docs/api.md, verb audit.
 *
 * All is danchid's own word, or the operator's files', but for what is under "listeners" and the
 * kernel and agent of "guest", which are the guest's.  What is not known is null.
 */
#pragma once

#include "container.h"
#include "listeners.h"

/* All contexts, by name. @listeners: what the guests answered.  (transfer full) */
JsonArray *dn_audit_contexts (DnDaemon *daemon, const DnListeners *listeners);

/* "2026-11-29T22:40:00Z", or NULL for 0.  Pure. (transfer full) */
char *dn_audit_time (gint64 time_us);
