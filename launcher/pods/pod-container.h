/* SPDX-License-Identifier: Apache-2.0 */
/* A container of a pod: made of what containerd says, and its part "pod"
 * (../daemon/container-part.h), by which its root and volumes come into the guest.
 *
 * It is a container as any other: name, log, state, events, limits are.  It has no image of the
 * store's; what it is made of is kept as it came (pod.h) and read again.
 */
#pragma once

#include "../daemon/container-part.h"

extern const DnContainerPart dn_pod_part;

/* Its OCI config.json as the guest gets it, in the place of ../spec/spec.h. (transfer full) */
JsonNode *dn_pod_container_spec (DnContainer *container, const DnContainerOptions *options,
                                 guint slot);

/* The filter of its system calls, and what of it goes beyond the profile; as
 * dn_seccomp_compile(). */
GBytes *dn_pod_container_filter (DnContainer *container, char ***ret_relaxations, char **ret_hash,
                                 GError **error);

/* Reads what the container's file has of it, and plans its mounts.  At danchid's start. */
gboolean dn_pod_container_load (DnContainer *container, JsonObject *object, const char *what,
                                GError **error);
