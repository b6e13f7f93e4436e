/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-overhead.h"

#include "../limits/guest-size.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define STEP_BYTES (16 * MIB)
/* Resident, measured beside a busy pod and doubled: docs/kubernetes.md. */
#define SHARE_BYTES (16 * MIB)
#define SHIM_BYTES (8 * MIB)
#define CPU_MILLIS 100

void
dn_pod_overhead (const DnPodSettings *settings, gboolean is_emulated, DnPodOverhead *ret_overhead)
{
  DnGuestSize size;
  guint64 bytes;

  /* Its root is the one disk; containers' roots come by the share. */
  dn_guest_size (&(DnGuestShape){ .memory_bytes = settings->memory_bytes,
                                  .vcpus = (guint) settings->vcpus,
                                  .disks = 1,
                                  .is_emulated = is_emulated,
                                  .has_network = TRUE,
                                  .has_binds = TRUE },
                 &size);
  bytes = size.limit_bytes - size.container_bytes + DN_GUEST_SIZE_RELAY_BYTES + SHARE_BYTES
          + SHIM_BYTES;
  *ret_overhead = (DnPodOverhead){ .memory_bytes = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES,
                                   .cpu_millis = CPU_MILLIS };
}
