/* SPDX-License-Identifier: Apache-2.0 */
/* The pod of this shim: its guest, its containers, what it tells containerd of them.
 *
 * The sandbox's container has no process: it is the guest, and runs as long as that does.  Once
 * that has ended, each container is told to have ended, and the sandbox after them.
 */
#pragma once

#include "container.h"
#include "events.h"

struct DnPod
{
  char *name_space; /* owned: containerd's */
  char *id;         /* owned */
  char *netns;      /* owned: of the first container, where its network is; or NULL */
  DnEvents *events; /* owned */
  DnMetricsVersion metrics_version;
  GHashTable *containers; /* owned: id to DnContainer */
  char *context;          /* owned: danchid's name of it; NULL: no guest yet */
  guint32 guest_pid;      /* of QEMU; 0: no guest yet */
  int guest_fd;           /* owned: its pidfd; -1 */
  guint guest_source;
  gboolean has_guest;       /* danchid has the pod, or may have it */
  guint removals;           /* under way: the sandbox's end waits for what danchid takes away */
  gboolean guest_has_ended; /* by itself or as asked */
  guint32 sandbox_status;   /* of the sandbox's end; 0: not known */
  gboolean wants_quit;      /* Shutdown came while there were containers */
  gboolean is_quitting;
  GMainLoop *loop; /* borrowed: ends with the pod */
};

DnPod *dn_pod_new (const char *name_space, const char *id, const char *events_address,
                   GMainLoop *loop);
void dn_pod_free (DnPod *pod);

/* A container that Create has made; NULL: none. */
DnContainer *dn_pod_find (DnPod *pod, const char *id);

/* danchid's answer to pod-create. */
void dn_pod_guest_started (DnPod *pod, const char *context, guint32 pid);

/* It has ended: @status for the sandbox, 137 for all that ran in it. */
void dn_pod_guest_ended (DnPod *pod, guint32 status);

/* The arguments of pod-remove.  (transfer full) */
JsonObject *dn_pod_remove_args (const DnPod *pod);

/* Ends the process once everything is told; with a guest that is left, after it. */
void dn_pod_quit (DnPod *pod);

/* What containers and tasks tell. */
void dn_pod_container_stopped (DnPod *pod);
void dn_pod_publish_exit (DnTask *task);
