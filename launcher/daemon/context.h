/* SPDX-License-Identifier: Apache-2.0 */
/* A context: who its containers belong to, and what its guest is like.
 *
 * A named context is a file of the operator's, CONFIG/contexts.d/NAME.conf; an ephemeral one is
 * made for a container that was given none, holds that container alone and goes with it; or for a
 * pod, whose containers it holds (../pods/pod.h), and stays until that is removed.  What
 * danchid has to remember of either (the guest it has, disks attached to that) is in
 * STATE/contexts/NAME.json.
 *
 * A file that is wrong costs its own context alone: that then has an `error`, runs on if it runs,
 * and starts no guest and no container.  Files are looked at again whenever contexts are asked for;
 * a change of [context] or [guest] holds from the next start of the guest on, any other at once:
 * for the next container, and for lifetimes.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../guest/guest.h"
#include "../pods/pod.h"
#include "context-definition.h"
#include "daemon.h"

/* Containers one guest can hold: each has a range of 65,536 ids.  The agent's limit is the same. */
#define DN_CONTEXT_SLOTS 64

typedef struct DnContext
{
  gint ref_count;
  DnDaemon *daemon;      /* borrowed */
  char *name;            /* owned; fixed */
  gboolean is_ephemeral; /* fixed */
  gint64 created_us;     /* fixed */
  guint owner_uid;       /* fixed; whose an ephemeral one is */
  DnPod *pod;            /* owned; fixed; an ephemeral one that was made for a pod; or NULL */
  GMutex guest_lock;
  GMutex file_lock;
  GMutex network_lock; /* who is told the names of its containers, and in which order */
  /* Under the daemon's lock: */
  DnContextDefinition definition;
  char *error;        /* owned; why its file cannot be used, or NULL */
  char *file_stamp;   /* owned; tells a changed file, or NULL */
  char *policy_stamp; /* likewise, of the policy, which holds at once */
  gboolean is_removed;
  gboolean is_captured;           /* forensics is at work */
  gboolean is_unreconciled;       /* danchid found its guest frozen: what that runs is not known */
  DnGuest *guest;                 /* a reference, or NULL */
  char guest_id[DN_ID_BYTES + 1]; /* of `guest`, or of one being started; "" for none */
  GHashTable *disks;              /* serial → users: the images attached to the guest */
  guint64 slots;                  /* bit n: id range n is taken */
  gint64 slots_left_us[DN_CONTEXT_SLOTS]; /* monotonic: when it was last left; 0: never */
  gint64 guest_since_us; /* CLOCK_BOOTTIME: when the guest was begun; 0: there is none */
  gint64 idle_since_us;  /* likewise: since when it is empty; 0: it is not */
  gboolean is_ending;    /* its lifetime is over, and somebody sees to it */
  guint users;           /* containers in the guest or on their way into it */
} DnContext;

/* A context of no table yet. @definition is taken over (cleared). */
DnContext *dn_context_new (DnDaemon *daemon, const char *name, gboolean is_ephemeral,
                           DnContextDefinition *definition);
DnContext *dn_context_ref (DnContext *context);
void dn_context_unref (DnContext *context);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnContext, dn_context_unref)

/* Whether its guest ends, and it goes, with its last container: an ephemeral one that is no pod. */
gboolean dn_context_goes_with_container (const DnContext *context);

/* Reads STATE/contexts and CONFIG/contexts.d; at the start. */
gboolean dn_context_load_all (DnDaemon *daemon, GError **error);

/* Looks for files that are new, changed or gone: contexts.d, and danchi.conf. */
void dn_context_refresh (DnDaemon *daemon);

/* Likewise for the file of one name, whatever their number. */
void dn_context_refresh_one (DnDaemon *daemon, const char *name);

/* (transfer full) (element-type DnContext): by name; whoever asks for a caller uses lookup.h */
GPtrArray *dn_context_list (DnDaemon *daemon);

/* Writes STATE/contexts/NAME.json; without the daemon's lock. */
gboolean dn_context_save (DnContext *context, GError **error);

/* Takes it out of the table and removes its state file. */
void dn_context_forget (DnContext *context);

/* What tells a changed file from what it was; NULL where there is none. (transfer full) */
char *dn_context_file_stamp (const char *path);

/* The paths of its file and of its state. (transfer full) */
char *dn_context_file_path (const char *name);
char *dn_context_state_path (const char *name);

/* Under the daemon's lock: how many containers belong to it. */
guint dn_context_count_containers (DnContext *context);

/* A summary for context-list; @with_guest adds facts of the guest, for inspect.  Without the lock.
 * (transfer full) */
JsonObject *dn_context_to_json (DnContext *context, gboolean is_full);

/* For events: adds one of this context's. */
void dn_context_event (DnContext *context, const char *action, const char *const *attributes);

/* Facts of a guest, for inspect. (transfer full) */
JsonObject *dn_context_guest_to_json (DnGuest *guest);
