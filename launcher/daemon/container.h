/* SPDX-License-Identifier: Apache-2.0 */
/* A container: what was asked for, where it is in its life, and both on disk.
 *
 *   STATE/containers/ID/container.json   options, image, context: written when made and renamed
 *   STATE/containers/ID/state.json       state: written before and after each change
 *   STATE/containers/ID/log.0, log.1     the two halves of its log, 0600, written by the relay
 *
 *                    start                     exit
 *     created ─────────────▶ running ◀──▶ paused ─────▶ exited ──▶ (start) running
 *        └────────────────── remove ───────────────────────┘
 *
 * `in_guest` says that the agent may know it: from before CREATE until after DELETE.  A container
 * that has ended stays in the guest until its output is drained (container-end.h).
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../binds/bind-record.h"
#include "../health/health-record.h"
#include "../health/restart.h"
#include "../limits/oom-victim.h"
#include "../spec/spec.h"
#include "context.h"
#include "damage.h"
#include "request.h"

typedef enum
{
  DN_CONTAINER_CREATED,
  DN_CONTAINER_RUNNING,
  DN_CONTAINER_PAUSED,
  DN_CONTAINER_EXITED,
} DnContainerState;

typedef struct DnContainer
{
  gint ref_count;
  DnDaemon *daemon;         /* borrowed */
  char id[DN_ID_BYTES + 1]; /* fixed, down to op_lock */
  char *directory;          /* owned */
  char *image;              /* owned; as the user named it */
  char *image_id;           /* owned; "": it is of a pod, and its root is not the store's */
  char *command;            /* owned; for people */
  gint64 created_us;
  guint owner_uid;    /* who made it */
  DnContext *context; /* a reference */
  DnProfile *profile; /* owned */
  DnPodMember *pod;   /* owned; of a pod: what it is made of; or NULL */
  GMutex op_lock;
  GMutex file_lock;
  /* Under the daemon's lock: */
  char *name;                  /* owned */
  DnContainerOptions *options; /* owned */
  DnContainerState state;
  gboolean is_removed;
  gboolean drops_volumes;  /* it is being removed with its anonymous volumes */
  gboolean is_provisional; /* made by a `run` that has not started it yet: goes if it cannot */
  gboolean is_starting;    /* on its way into the guest */
  gboolean in_guest;
  gboolean has_session; /* somebody is or was attached in this run */
  gboolean is_drained;
  gboolean is_hurried;     /* somebody waits for it to leave the guest: do not wait for output */
  gboolean has_early_exit; /* it ended while is_starting */
  guint32 run;             /* counts starts */
  guint slot;              /* its id range in the guest */
  guint32 next_process;    /* number of the next exec */
  guint32 exec_ends;       /* that the guest told of: never more than there were */
  gint64 refused_since_us; /* monotonic; from here on refused_events are counted */
  guint refused_events;
  gint64 oom_told_us; /* monotonic; when the guest last told of one that became an event */
  DnMsgExited early_exit;
  gint64 exit_code;
  gint64 exit_signal;
  gboolean is_oom_killed;
  char *reason;      /* owned; why, where that is more than an exit */
  char *exit_reason; /* owned; why it is being ended, or NULL: becomes its reason */
  gint64 started_us;
  gint64 finished_us;
  gboolean has_started;
  DnMsgStarted started;  /* what the guest's kernel reported of the last start */
  char *spec_sha256;     /* owned, or NULL */
  char *seccomp_sha256;  /* owned, or NULL */
  char **relaxations;    /* owned, or NULL; of the last start: what goes beyond its profile */
  DnOomVictim oom;       /* of the last start */
  GArray *refusals;      /* owned, or NULL: refusal.h; of the last start */
  DnBindRecord binds;    /* as its maker had them, and as they were found */
  DnHealthRecord health; /* of the last start */
  DnRestart restart;
  DnDamage damage; /* of its image, as seen in the last start */
} DnContainer;

extern const char *const dn_container_state_words[];
/* What a running or paused one is called while its context is frozen. */
#define DN_CONTAINER_FROZEN_WORD "frozen"
/* What an exited one is called that will be started again by its policy. */
#define DN_CONTAINER_RESTARTING_WORD "restarting"

DnContainer *dn_container_ref (DnContainer *container);
void dn_container_unref (DnContainer *container);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnContainer, dn_container_unref)

/**
 * dn_container_create:
 * @request: whose caller makes it, and needs the right to
 * @options: taken over, also on failure
 * @request: whose line in the audit record is written once all is decided; NULL: none
 * @is_provisional: it is to be started at once, or else to go: should danchid end in between, the
 *   next one removes it
 *
 * Checks image, context, name and limits, then makes the container.  Without a context in
 * @options an ephemeral one is made.  Nothing is left on failure.
 *
 * Returns: (transfer full): or NULL with @error
 */
DnContainer *dn_container_create (DnRequest *request, DnContainerOptions *options,
                                  gboolean is_provisional, GError **error);

/* The last of it, also for containers that others make: a place in the tables, and files.  Its
 * context, options, profile and words are set, and it is decided and recorded. */
gboolean dn_container_add (DnContainer *container, DnRequest *request, GError **error);

/* Takes the container out of the tables and its files away, with its context where that was made
 * for it.  The caller holds op_lock and has made sure that it is not in a guest. */
void dn_container_forget (DnContainer *container);

/* In order of creation, newest first; whoever asks for a caller uses lookup.h.  (transfer full)
 * (element-type DnContainer) */
GPtrArray *dn_container_list (DnDaemon *daemon);

/* Write its files; without the daemon's lock. */
gboolean dn_container_save_options (DnContainer *container, GError **error);
gboolean dn_container_save_state (DnContainer *container, GError **error);

/* Likewise, where there is nobody to tell: logged. */
void dn_container_save_state_or_warn (DnContainer *container);

/* Reads all of STATE/containers; at the start, after the contexts.  What a crash left half made is
 * removed. */
gboolean dn_container_load_all (DnDaemon *daemon, GError **error);

/* Changes the name; DN_ERROR_CONFLICT when another has it that the request's caller can see. */
gboolean dn_container_rename (DnContainer *container, const char *name, DnRequest *request,
                              GError **error);

/* A copy of the options as they are now. (transfer full) */
DnContainerOptions *dn_container_copy_options (DnContainer *container);

/* Whether what is asked for fits a guest of this size; else DN_ERROR_LIMIT names what would do.
 * Pure. */
gboolean dn_container_check_memory (gint64 memory_bytes, guint64 guest_memory_bytes,
                                    const char *context, GError **error);

/* The path of a half of its log, 0 or 1. (transfer full) */
char *dn_container_log_path (const DnContainer *container, guint half);

/* For events: adds one of this container's. */
void dn_container_event (DnContainer *container, const char *action, const char *const *attributes);

/* Likewise of its image, and only for those who see the container. */
void dn_container_image_event (DnContainer *container, const char *action,
                               const char *const *attributes);
