/* SPDX-License-Identifier: Apache-2.0 */
/* How large the guest of a pod is: by the sums of its containers' limits, which the kubelet has
 * computed and the runtime writes into annotations of the sandbox (pod-words.h), and by the formula
 * of ../limits/guest-size.h, which adds what kernel and agent need.
 *
 *     memory       sandbox-memory; or the limit of the sandbox's own document; or [pods] memory_mib
 *     processors   quota / period, upwards; or shares / 1024, where there is no quota; or [pods]
 * vcpus
 *
 * A pod that asks for more in annotations of its own (org.danchi.guest-memory-mib,
 * org.danchi.guest-vcpus) gets it where [pods] annotations names them.
 *
 * Pure.
 */
#pragma once

#include "oci-config.h"
#include "pod-settings.h"

#define DN_POD_ANNOTATION_MEMORY "org.danchi.guest-memory-mib"
#define DN_POD_ANNOTATION_VCPUS "org.danchi.guest-vcpus"

typedef struct
{
  guint64 memory_bytes;
  guint64 vcpus;
} DnPodSize;

/* DN_ERROR_USAGE, DN_ERROR_DENIED or DN_ERROR_LIMIT. */
gboolean dn_pod_size (const DnOciConfig *sandbox, const DnPodSettings *settings, const char *file,
                      DnPodSize *ret_size, GError **error);
