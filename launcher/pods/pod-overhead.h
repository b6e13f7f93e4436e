/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod costs its node beside its containers: the "overhead" of Kubernetes' RuntimeClass,
 * which the scheduler and the kubelet add to each pod's requests.
 *
 *     memory    what kernel and agent take of the guest (../limits/guest-size.h), and what QEMU,
 *               relay, virtiofsd and shim have for themselves, generously: pod-overhead.c
 *     cpu       what of a processor the guest's kernel, relay and shim are given beside the
 *               containers' own: a tenth
 *
 * Not the limit of QEMU's group, which is a wall that no pod comes near: a node that set aside as
 * much would stand empty.  It is that of the pod for which [pods] says the size, in steps of 16 MiB
 * upwards; page tables and the kernel's description of pages grow with a larger one's memory, by 1
 * part of 51.
 *
 * Pure.  Source: Kubernetes, "Pod Overhead" (node.k8s.io/v1 RuntimeClass, overhead.podFixed).
 */
#pragma once

#include "pod-settings.h"

typedef struct
{
  guint64 memory_bytes;
  guint cpu_millis; /* thousandths of a processor */
} DnPodOverhead;

void dn_pod_overhead (const DnPodSettings *settings, gboolean is_emulated,
                      DnPodOverhead *ret_overhead);
