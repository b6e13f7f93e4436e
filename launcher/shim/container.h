/* SPDX-License-Identifier: Apache-2.0 */
/* A container as containerd knows it, with its processes, and which of danchid's it is.
 *
 * The first process's end is told after those of all others: they end with it, as the guest ends
 * their pid namespace, and have %DN_CONTAINER_EXECS_MS to say so themselves.
 */
#pragma once

#include "bundle.h"
#include "metrics.h"
#include "task.h"

#define DN_CONTAINER_EXECS_MS 2000
#define DN_CONTAINER_EXECS_MAX 512

typedef struct DnPod DnPod;

struct DnContainer
{
  DnPod *pod;
  char *id;     /* owned */
  char *bundle; /* owned: an absolute path */
  char *root;   /* owned: an absolute path */
  DnBundleKind kind;
  char *danchid_id; /* owned; NULL: danchid has none */
  gboolean is_mounted;
  gboolean is_creating; /* nobody but Create knows of it yet */
  gboolean is_deleting;
  DnTask *init;       /* owned */
  GHashTable *execs;  /* owned: exec id to DnTask */
  JsonNode *user;     /* owned: process.user of its config; NULL: none is said */
  JsonNode *rights;   /* owned: process.capabilities of its config; likewise */
  JsonObject *stats;  /* owned: the last ones; NULL: none yet */
  guint execs_timer;  /* source: the first process has ended, others have not */
  guint attach_timer; /* source: its session was lost */
};

/* (transfer full) */
DnContainer *dn_container_new (DnPod *pod, const char *id);
DnContainer *dn_container_ref (DnContainer *container);
void dn_container_unref (DnContainer *container);

/* NULL: none. */
DnTask *dn_container_find_task (DnContainer *container, const char *exec_id);

/* Whether a process's standard input ends when its client closes the pipe.  So with clients of a
 * container by itself, as ctr, which may be gone before they can say more; CRI's clients come back,
 * and a terminal outlives whoever looked at it. */
gboolean dn_container_input_ends (DnBundleKind kind, gboolean has_terminal);

/* Asks danchid, from now on and until it is known, how the first process ends. */
void dn_container_watch (DnContainer *container);

/* All of its processes have ended, or will at once: its guest has. */
void dn_container_guest_ended (DnContainer *container, guint32 status);

/* What tasks tell: its clients have all its output; it is stopped; its session is lost. */
void dn_container_task_drained (DnTask *task);
void dn_container_task_stopped (DnTask *task);
void dn_container_task_lost (DnTask *task);
