/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: the last events in memory, and all of them in a file of bounded size.
 *
 * The file is LOG/events.jsonl, one JSON object a line; at %DN_EVENTS_FILE_MAX_BYTES it is renamed
 * to events.1.jsonl, replacing that, and begun anew.  At a start the ring is filled from it.
 * A follower that is slower than the ring misses the oldest events, and is told how many.
 *
 * Safe from any thread; the lock is a leaf: nothing else is locked or waited for while it is held.
 */
#pragma once

#include <json-glib/json-glib.h>

#define DN_EVENTS_RING 1024
#define DN_EVENTS_FILE_MAX_BYTES (4 * 1024 * 1024)

typedef struct DnEvents DnEvents;

/* @directory is made when missing; what cannot be read of old events is left out.  Never fails: a
 * file that cannot be written costs the record, not the service (a warning is logged). */
DnEvents *dn_events_open (const char *directory);
void dn_events_free (DnEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnEvents, dn_events_free)

/* Adds an event that happens now.  @type: container, context, image; @context may be NULL;
 * @attributes: pairs of name and value, ending with NULL; a pair whose value is NULL is left out.
 */
void dn_events_add (DnEvents *events, const char *type, const char *action, const char *id,
                    const char *name, const char *context, const char *const *attributes);

/* Likewise, of a context that was made for one caller: its uid is in the event, which is for that
 * caller's eyes also when the context is gone. */
void dn_events_add_of (DnEvents *events, guint owner_uid, const char *type, const char *action,
                       const char *id, const char *name, const char *context,
                       const char *const *attributes);

/* A place in the ring from which to read on: at the first event that is not older than @since_us,
 * or at the end for a negative one. */
guint64 dn_events_find (DnEvents *events, gint64 since_us);

/**
 * dn_events_take:
 * @cursor: (inout): moved on behind what was taken
 * @timeout_ms: how long to wait when there is nothing; 0: not at all
 * @ret_missed: (out): events that the ring no longer had
 *
 * Returns: (transfer full) (element-type JsonNode): events in order, maybe none
 */
GPtrArray *dn_events_take (DnEvents *events, guint64 *cursor, guint timeout_ms,
                           guint64 *ret_missed);
