/* SPDX-License-Identifier: Apache-2.0 */
/* danchid's audit record: where it is, and what danchid does by itself.
 *
 * What clients ask for is recorded by request-record.h.  Here are danchid's own acts, which have no
 * caller: its start and end, guests that come and go, containers that end, files of contexts that
 * change.  They have happened when they are told, so they wait for nothing (writer.h).
 */
#pragma once

#include <glib.h>

#include "../record/bucket.h"
#include "../record/writer.h"

struct DnDaemon;
struct DnContainer;
struct DnContext;

typedef struct DnDaemonRecord
{
  DnRecordWriter *writer;   /* owned; locks itself */
  GMutex lock;              /* a leaf */
  DnRecordBuckets *buckets; /* owned; under the lock */
  char *anchor;             /* owned; its path */
  GHashTable *files;        /* owned; under the lock: context, or "" → what its file said */
  gint has_loaded;          /* atomic: all files were read once */
} DnDaemonRecord;

/* STATE/audit, and the anchor where the settings say, else STATE/audit-anchor/head.  Never fails:
 * a record that cannot be written refuses work, not danchid's start. */
void dn_daemon_record_open (struct DnDaemon *daemon);

/* The first and the last line of a danchid: version and the digests of its configuration.  The
 * second waits until what can be written is. */
void dn_daemon_record_start (struct DnDaemon *daemon);
void dn_daemon_record_stop (struct DnDaemon *daemon);

/* Something that danchid did or saw.  @context and @message may be NULL; without the daemon's lock
 * or with it. */
void dn_daemon_record_act (struct DnDaemon *daemon, const char *verb, const char *context,
                           const char *message);

/* A file of the operator's that danchid has read: its SHA-256, and what is wrong with it, if
 * anything.  Recorded where it says something new since the last time; while danchid starts it is
 * only remembered, since danchid-start has the digests of all.  @context may be NULL, for a file of
 * no context's; @text may be. */
void dn_daemon_record_file (struct DnDaemon *daemon, const char *verb, const char *context,
                            const char *text, gsize size, const char *error);

/* It is gone; recorded once. */
void dn_daemon_record_file_gone (struct DnDaemon *daemon, const char *verb, const char *context);

/* From here on dn_daemon_record_file() records. */
void dn_daemon_record_loaded (struct DnDaemon *daemon);

/* Likewise about a container, with its image and profile; without the daemon's lock. */
void dn_daemon_record_container (struct DnContainer *container, const char *verb,
                                 const char *outcome, const char *message);

/* Fills what is known of a container and its context; without the daemon's lock. */
void dn_daemon_record_fill (struct DnContainer *container, DnRecordEntry *entry);

/* Of a context alone, by its name: "" and unknown ones leave the name alone. Without the lock. */
void dn_daemon_record_fill_context (struct DnDaemon *daemon, const char *name,
                                    DnRecordEntry *entry);

/* Of a context that is in hand: under the daemon's lock, or before it is in the tables. */
void dn_daemon_record_fill_from (const struct DnContext *context, DnRecordEntry *entry);
