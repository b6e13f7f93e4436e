/* SPDX-License-Identifier: Apache-2.0 */
/* A pod of Kubernetes: a context that the shim has had made for it, with a guest of its own, and
 * the part of a container that belongs to one.
 *
 *     pod-create             a context and its guest, which is the sandbox: no process runs in it
 *     pod-container-create   a container of containerd's config.json and of its root filesystem
 *     container-start ...    as of any other
 *     pod-remove             all of it goes
 *
 * The context is ephemeral, so it has no file, no other container enters it, and its maker's,
 * root's, rights hold; but its guest stays when its last container has left.  That ends with
 * pod-remove, or with gc once the directory of its bundle is gone.
 *
 * On disk before it exists: STATE/contexts/NAME.json has the pod, `is_made` once pod-create has
 * succeeded.  One that is not made when danchid starts is removed.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "oci-config.h"
#include "pod-facts.h"

#define DN_POD_ID_MAX_BYTES 76

/* Of a context: all fixed but is_made, which is under the daemon's lock. */
typedef struct
{
  char *id;            /* owned, as are all; the sandbox's */
  char *namespace_;    /* containerd's */
  char *bundle;        /* a directory of the shim's: without it the pod is nobody's */
  char *netns;         /* path of the network namespace that the CNI plug-ins made, or "" */
  char *hostname;      /* or "" */
  char *pod_namespace; /* Kubernetes' words for it; or NULL, as are the next two */
  char *pod_name;
  char *pod_uid;
  GPtrArray *sysctls; /* name, value, name, value */
  gboolean is_made;
} DnPod;

void dn_pod_free (DnPod *pod);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnPod, dn_pod_free)

/* For the context's file. (transfer full) */
JsonObject *dn_pod_to_json (const DnPod *pod);
/* (transfer full): or NULL with DN_ERROR_CONFIG */
DnPod *dn_pod_read (JsonObject *object, const char *what, GError **error);

/* Whether @id is one as containerd has them: letters and digits with '.', '_' and '-' between;
 * DN_ERROR_USAGE.  @what: "pod", "container". */
gboolean dn_pod_id_check (const char *id, const char *what, GError **error);

/* The name of the pod's context. (transfer full) */
char *dn_pod_context_name (const char *namespace_, const char *id);

/* Of a container. */
typedef struct
{
  char *id;           /* owned, as are all; containerd's */
  char *rootfs;       /* path on the host */
  char *processes;    /* whose it joins: pod-processes.h; or NULL */
  JsonNode *document; /* config.json as it came */
  DnOciConfig *config;
  GPtrArray *mounts; /* DnPodMount */
  DnPodFacts facts;  /* of its mounts */
} DnPodMember;

void dn_pod_member_free (DnPodMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DnPodMember, dn_pod_member_free)

JsonObject *dn_pod_member_to_json (const DnPodMember *member);
/* All but its mounts. (transfer full): or NULL with @error */
DnPodMember *dn_pod_member_read (JsonObject *object, const char *what, GError **error);
