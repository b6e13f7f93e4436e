/* SPDX-License-Identifier: Apache-2.0 */
/* Whose processes a container of a pod is to be among.
 *
 * containerd and CRI-O put it into config.json as the path of a namespace, /proc/PID/ns/pid: of the
 * sandbox's process, where the pod shares its processes (shareProcessNamespace), or of the process
 * of the container that is to be debugged (kubectl debug --target).  Both are QEMU's here, and
 * nothing else in the document tells them apart.  But a pod either shares its processes, all of its
 * containers then, or it does not:
 *
 *   it is the pod's first, or some have shared   the pod's
 *   one runs with processes of its own           that one is to be debugged
 *   several do                                   the one that the new one's environment names,
 *                                                DANCHI_TARGET=NAME; without it none is guessed
 *
 * A path of any other process is of the host's, and refused.
 *
 * Pure.
 */
#pragma once

#include "oci-config.h"

#define DN_POD_PROCESSES_SHARED "pod"
#define DN_POD_PROCESSES_ENV "DANCHI_TARGET"

/* A container that the pod has already. */
typedef struct
{
  char *id;        /* owned, as are all; danchid's */
  char *name;      /* what the pod calls it */
  char *processes; /* as below */
  gboolean is_running;
} DnPodPeer;

void dn_pod_peer_clear (DnPodPeer *peer);

/**
 * dn_pod_processes_choose:
 * @peers: (element-type DnPodPeer)
 * @qemu_pid: of the pod's guest
 * @what: for errors: "container 'ID'"
 * @ret_processes: (out) (transfer full): NULL: its own; DN_POD_PROCESSES_SHARED; or the id of the
 *   container whose it joins
 *
 * Returns: TRUE, or FALSE with DN_ERROR_DENIED or DN_ERROR_CONFLICT
 */
gboolean dn_pod_processes_choose (const DnOciConfig *config, const GArray *peers, gint qemu_pid,
                                  const char *what, char **ret_processes, GError **error);
