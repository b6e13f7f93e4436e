/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container again after its end, by its policy (../spec/restart-policy.h).
 *
 *     end ── policy says yes ──▶ pending ── delay ──▶ start ──▶ runs
 *                                   │                   └─ fails: pending again, later
 *                                   └── stop, kill, rm, start by somebody ──▶ not pending
 *
 * While a restart is pending the container is exited and is shown as `restarting`, and its context
 * counts one user more: the guest of a context made for it alone stays, and what it holds for the
 * container (secrets) with it.  A guest that went under the container is made anew.
 *
 * What is pending is not written down: a danchid that starts derives it from policy, state and
 * whether somebody stopped the container, which are.
 */
#pragma once

#include <json-glib/json-glib.h>

typedef struct DnRestart
{
  gboolean is_stopped; /* by somebody: in the container's state file, as is `restarts` */
  gboolean is_pending;
  gboolean holds_context;
  guint serial; /* of what is pending: a timer of before finds another */
  guint64 restarts;
  guint delay_ms; /* the last one */
  gint64 due_us;  /* g_get_real_time(); of what is pending */
} DnRestart;

struct DnContainer;
struct DnDaemon;
struct DnContext;

/* Under the daemon's lock: it has ended, and its policy is asked. */
void dn_restart_ended (struct DnContainer *container);

/* It is out of its guest: what is pending begins to wait.  Without the lock, with op_lock held. */
void dn_restart_wait (struct DnContainer *container);

/* Somebody ends it, or removes it: nothing is pending any more, and what was kept for that,
 * secrets, volumes and perhaps the guest, goes.  Without the lock, with op_lock held. */
void dn_restart_forbid (struct DnContainer *container);
/* Likewise without op_lock: what was kept goes a moment later, when whoever has op_lock is done. */
void dn_restart_forbid_soon (struct DnContainer *container);
/* Likewise all of a context's. */
void dn_restart_forbid_all (struct DnContext *context);

/* Likewise where nobody's policy asks for it: it is being stopped to be started at once, and its
 * guest is to stay for that.  dn_restart_started() ends it, or where it came to nothing the other.
 * Without the lock, with op_lock held. */
void dn_restart_hold (struct DnContainer *container);
void dn_restart_let_go (struct DnContainer *container);

/* Somebody, or its policy, has started it.  Without the lock, with op_lock held. */
void dn_restart_started (struct DnContainer *container, gboolean is_by_policy);

/* Its policy is another now: what is pending and not wanted by it any more ends.  Without the lock,
 * with op_lock held. */
void dn_restart_changed (struct DnContainer *container);

/* At danchid's start, with the guests taken over: those that have ended. */
void dn_restart_adopt (struct DnDaemon *daemon);

/* Under the daemon's lock. {"policy", "restarts", "is_stopped", "due_us"}. (transfer full) */
JsonObject *dn_restart_to_json (struct DnContainer *container);
