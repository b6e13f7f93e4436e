/* SPDX-License-Identifier: Apache-2.0 */
/* Where a start's time goes: a list of phases, each begun when the one before ends.
 *
 * Times are microseconds of the monotonic clock since the request came.  Safe from any thread.
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct DnTrace DnTrace;

DnTrace *dn_trace_new (void);
void dn_trace_free (DnTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnTrace, dn_trace_free)

/* Ends the phase under way and begins @name (copied).  The same name again goes on with it. */
void dn_trace_begin (DnTrace *trace, const char *name);

/* {"phases": [{name, start_us, end_us}]}; the phase under way ends now.  (transfer full) */
JsonObject *dn_trace_to_json (DnTrace *trace);
