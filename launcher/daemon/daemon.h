/* SPDX-License-Identifier: Apache-2.0 */
/* What danchid knows: contexts, containers, images, events, and the one lock over it.
 *
 * Locks, in the order in which they may be taken; each is left before anything that blocks longer
 * than those after it:
 *
 *   container op_lock      one start, stop, removal ... of a container at a time; held across calls
 *   volume op_lock         attaching it to a guest and back; held across calls
 *   context guest_lock     start and stop of a context's guest, its disks; held across calls
 *   container file_lock,
 *   context file_lock      writing a state file
 *   daemon lock            tables and fields; never held across a call, a wait or an fsync(2)
 *   store, volumes, events, record  leaves
 *
 * reload_lock, over reading danchi.conf again, is taken before the daemon lock and with any of the
 * first five or none.
 *
 * So a guest that does not answer holds up its own context and nothing else.
 * `changed` is broadcast whenever a container's state changes.
 */
#pragma once

#include <glib.h>

#include "../images/store.h"
#include "events.h"
#include "settings.h"

typedef struct DnDaemon
{
  DnStore *store;                /* owned; locks itself */
  struct DnVolumes *volumes;     /* owned; locks itself: ../volumes/volumes.h */
  DnEvents *events;              /* owned; locks itself */
  struct DnDaemonRecord *record; /* owned; locks itself: daemon-record.h */
  gint64 started_us;
  GMutex lock;
  GCond changed;
  GMutex reload_lock;
  DnSettings *settings;    /* a reference; settings-file.h has the way to them */
  char *settings_error;    /* owned; why danchi.conf cannot be used as it is now, or NULL */
  char *settings_stamp;    /* owned; tells a changed danchi.conf, NULL: there is none */
  guint64 settings_number; /* counts changes of them */
  GHashTable *contexts;    /* name → DnContext, a reference */
  GHashTable *containers;  /* id → DnContainer, a reference */
  GThreadPool *workers;    /* of DnWork: what handlers may not do themselves */
} DnDaemon;

/* Reads settings, store, contexts and containers, and takes over the guests that run.  Lasts as
 * long as the process. */
DnDaemon *dn_daemon_new (GError **error);

/* Runs @func (@data) on a worker thread. */
void dn_daemon_work (DnDaemon *daemon, void (*func) (gpointer data), gpointer data);

/* The verb gc: everything that belongs to nobody. (transfer full) (element-type utf8) */
GPtrArray *dn_daemon_gc (DnDaemon *daemon, GError **error);
