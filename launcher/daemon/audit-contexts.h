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
