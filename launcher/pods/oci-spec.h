/* SPDX-License-Identifier: Apache-2.0 */
/* From containerd's config.json to the one that a guest gets: what was asked for, as far as this
 * node grants it, and what it leaves open closed.
 *
 *   always        no_new_privs; a user namespace; seccomp; the masks and limits of the profile
 *   capabilities  those of the document, which have to be among [pods] capabilities
 *   privileged    all capabilities: where [pods] privileged grants that, within the guest
 *   sysctls       the pod's namespaces' own
 *
 * Pure.
 */
#pragma once

#include "../spec/profile.h"
#include "../spec/spec.h"
#include "oci-config.h"
#include "pod-mount.h"

typedef struct
{
  const DnOciConfig *config;         /* all borrowed */
  const DnContainerOptions *options; /* its limits, which may have changed since */
  const DnProfile *profile;
  GPtrArray *mounts; /* DnPodMount */
  GPtrArray *pod_sysctls;
  const char *hostname;
  const char *processes; /* as pod-processes.h chose */
  guint first_uid;
  guint root_share;
} DnOciSpecPlan;

/* The guest that a container is to be in. */
typedef struct
{
  guint64 memory_bytes;
  guint64 vcpus;
} DnOciRoom;

/* What of the document are options of any container: its limits. (transfer full) */
DnContainerOptions *dn_oci_options_new (const DnOciConfig *config, const DnOciRoom *room);

/* The document. (transfer full) */
JsonNode *dn_oci_spec_build (const DnOciSpecPlan *plan);

/**
 * dn_oci_admit:
 * @file: danchi.conf's path, for errors
 * @ret_relaxations: (out) (transfer full): what goes beyond the profile, in words
 *
 * Whether this node grants what the document asks for.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_DENIED and what would permit it
 */
gboolean dn_oci_admit (const DnOciConfig *config, const DnPodSettings *settings,
                       const DnProfile *profile, const char *file, const char *what,
                       char ***ret_relaxations, GError **error);

/* Whether it asks for every capability. */
gboolean dn_oci_is_privileged (const DnOciConfig *config);

/* Whether each of these is of a namespace that the pod has for itself; DN_ERROR_DENIED. */
gboolean dn_oci_check_sysctls (GPtrArray *sysctls, const char *what, GError **error);
