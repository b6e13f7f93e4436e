/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a context's containers and guest, at somebody's wish or at its lifetime's end. */
#pragma once

#include "context.h"

/* Ends all containers, each on a thread of its own, since each may use its whole timeout.
 * @timeout_s: for each; -1: its own; @is_removed: they are killed and removed; @reason: what their
 * exit is put down to, or NULL. Blocks. */
void dn_context_end_containers (DnContext *context, gint64 timeout_s, gboolean is_removed,
                                const char *reason);

/* All of it: containers, their output, then the guest, which goes whatever is still in it.
 * @reason: of the guest's end, for people; @exit_reason: of the containers', or NULL.  Blocks. */
void dn_context_end (DnContext *context, gint64 timeout_s, const char *reason,
                     const char *exit_reason);
