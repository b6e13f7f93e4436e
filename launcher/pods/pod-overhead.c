/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-overhead.h"

#include "../limits/guest-size.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)
#define STEP_BYTES (16 * MIB)
/* QEMU: twice what it was measured to have for itself (docs/resources.md, "Measured").  The shim
 * was measured at half a MiB, virtiofsd was not: room for busy streams and many open files. */
#define QEMU_BYTES (56 * MIB)
#define SHARE_BYTES (16 * MIB)
#define SHIM_BYTES (8 * MIB)
#define CPU_MILLIS 100

void
dn_pod_overhead (const DnPodSettings *settings, gboolean is_emulated, DnPodOverhead *ret_overhead)
{
  DnGuestSize size;
  guint64 bytes;

  dn_guest_size (&(DnGuestShape){ .memory_bytes = settings->memory_bytes,
                                  .vcpus = (guint) settings->vcpus,
                                  .is_emulated = is_emulated },
                 &size);
  bytes = size.system_bytes + size.table_bytes + QEMU_BYTES + size.vcpu_bytes + size.emulation_bytes
          + DN_GUEST_SIZE_RELAY_BYTES + SHARE_BYTES + SHIM_BYTES;
  *ret_overhead
      = (DnPodOverhead){ .memory_bytes = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES,
                         .cpu_millis = CPU_MILLIS };
}
