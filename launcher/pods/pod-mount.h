/* SPDX-License-Identifier: Apache-2.0 */
/* What the mounts of a pod's container come to in its guest: one kind for each, by what is there
 * and whose it is.
 *
 *     what the kernel shows of itself     the profile's own, whatever its options say
 *     tmpfs                               one in the guest's memory
 *     /dev/shm of the sandbox             one in the guest's memory, the same for all of the pod
 *     the kubelet's, of this pod:
 *       secret, configMap, projected,     copied into the share, and again when they change
 *       downwardAPI
 *       emptyDir of medium Memory         one in the guest's memory, the same for all of the pod
 *       all else                          from the host, through the share: /etc/hosts, the
 *                                         termination log, emptyDir, CSI
 *       subPath of any of these           as the volume; what lies in tmpfs is copied once
 *     the runtime's, of this sandbox      likewise: /etc/hostname, /etc/resolv.conf, and volumes
 *                                         that are images
 *     anything else of the host's         likewise, as far as [pods] binds of danchi.conf permits
 *
 * Pure.
 */
#pragma once

#include "oci-config.h"
#include "pod-settings.h"

/* Names of the share that one container can have beside its root. */
#define DN_POD_SHARES_MAX 31

/* The name of a pod's /dev/shm. */
#define DN_POD_MEMORY_SHM "shm"

typedef enum
{
  DN_POD_MOUNT_TMPFS,
  DN_POD_MOUNT_MEMORY, /* the pod's: `name` says which */
  DN_POD_MOUNT_SHARE,
  DN_POD_MOUNT_COPY, /* of a directory or file, likewise in the share */
} DnPodMountKind;

/* A volume in memory as the kubelet has made it on the host, in whose place the guest has one. */
typedef struct
{
  const char *volume; /* below the kubelet's directory of the pod; names it */
  const char *sub;    /* which directory of it is mounted, or "" */
  guint64 size_bytes; /* what the kubelet's can hold; 0: no limit */
  guint gid;          /* whose it is */
} DnPodMemory;

typedef struct
{
  DnPodMountKind kind;
  const DnOciMount *mount; /* borrowed from the config */
  char *name;              /* owned; of MEMORY */
  gboolean is_readonly;
  gboolean is_file; /* of SHARE: it was a file when the container was made */
  guint gid;        /* of MEMORY: whose it is, what it can hold, and what of it this is */
  guint64 size_bytes;
  char *sub;     /* owned; or "" or NULL: all of it */
  guint number;  /* of SHARE and COPY: from 1; 0 is the container's root */
  char *version; /* owned; of COPY: the one that the guest has, or NULL; under op_lock */
  char *root;    /* owned; of SHARE: what permits it; the way to it may hold no symbolic link */
  char *rest;    /* owned; from there on none may lead out of it */
} DnPodMount;

/* Whether it comes from the host by a name in the share. */
gboolean dn_pod_mount_is_shared (const DnPodMount *mount);

/* The emptyDir that it is, or is a subPath of, if the host says that there is one: below the
 * kubelet's directory of the pod, as the mount's `rest` is.  (transfer full): NULL: none could be
 */
char *dn_pod_mount_empty_dir (const DnPodMount *mount);

/* Such a one whose medium is memory: it becomes one in the guest's. */
void dn_pod_mount_become_memory (DnPodMount *mount, const DnPodMemory *memory);

/* A subPath of another volume that is in memory, of which the guest gets a copy. */
void dn_pod_mount_become_copy (DnPodMount *mount);

/* Who asks: of the pod. */
typedef struct
{
  const char *sandbox_id;
  const char *pod_uid; /* or NULL: no pod of Kubernetes' */
  const DnPodSettings *settings;
  const char *const *own; /* danchid's directories, ends with NULL */
  const char *file;       /* danchi.conf, for errors */
} DnPodMountRules;

/**
 * dn_pod_mounts_plan:
 * @what: for errors
 *
 * A later mount of a place takes the place of an earlier one's; those of the kernel's own are left
 * out.  Parents come before what lies in them.
 *
 * Returns: (transfer full) (element-type DnPodMount): or NULL with DN_ERROR_DENIED, naming what
 * would permit it, DN_ERROR_USAGE or DN_ERROR_LIMIT
 */
GPtrArray *dn_pod_mounts_plan (const DnOciConfig *config, const DnPodMountRules *rules,
                               const char *what, GError **error);
