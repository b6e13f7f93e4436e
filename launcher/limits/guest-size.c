/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-size.h"

#define MIB (G_GUINT64_CONSTANT (1024) * 1024)

/* Up to here the kernel's description of pages is in DN_GUEST_OVERHEAD_BYTES. */
#define COVERED_BYTES (256 * MIB)
#define PAGES_SHARE 64

#define TABLES_SHARE 256
#define QEMU_BYTES (128 * MIB)
#define VCPU_BYTES (2 * MIB)
#define DISK_BYTES (2 * MIB)
#define NETWORK_BYTES (8 * MIB)
/* virtiofsd itself, and of what the kernel keeps for each of the files that it may have open
 * (131,072: ../share/start.h) 2 KiB. */
#define BIND_BYTES (264 * MIB)
#define EMULATED_VCPU_BYTES (16 * MIB)

const char *const dn_guest_size_formula[] = {
  "M: memory of the guest, P: its processors, D: its disks and ports for more",
  "kernel and agent = 96 MiB + (M - 256 MiB, if more) / 64",
  "containers = M - kernel and agent",
  "page tables = M / 256",
  "QEMU = 128 MiB + P * 2 MiB + D * 2 MiB + network 8 MiB + binds 264 MiB",
  "emulation = 256 MiB + P * 16 MiB, 0 with KVM",
  "host limit = M + page tables + QEMU + emulation",
  NULL,
};

static guint64
round_up (guint64 bytes)
{
  return (bytes + MIB - 1) / MIB * MIB;
}

guint64
dn_guest_size_system (guint64 memory_bytes)
{
  guint64 more = memory_bytes > COVERED_BYTES ? memory_bytes - COVERED_BYTES : 0;

  return DN_GUEST_OVERHEAD_BYTES + more / PAGES_SHARE;
}

guint64
dn_guest_size_least (guint64 container_bytes)
{
  guint64 least
      = round_up (MAX (container_bytes + DN_GUEST_OVERHEAD_BYTES, DN_GUEST_MEMORY_MIN_MIB * MIB));

  /* Each step closes 63/64 of what is missing. */
  while (least - dn_guest_size_system (least) < container_bytes)
    least += round_up (container_bytes - (least - dn_guest_size_system (least)));
  return least;
}

void
dn_guest_size (const DnGuestShape *shape, DnGuestSize *ret_size)
{
  guint64 system_bytes = dn_guest_size_system (shape->memory_bytes);
  DnGuestSize size = {
    .memory_bytes = shape->memory_bytes,
    .system_bytes = system_bytes,
    .container_bytes = shape->memory_bytes > system_bytes ? shape->memory_bytes - system_bytes : 0,
    .table_bytes = shape->memory_bytes / TABLES_SHARE,
    .qemu_bytes = QEMU_BYTES,
    .vcpu_bytes = shape->vcpus * VCPU_BYTES,
    .disk_bytes = shape->disks * DISK_BYTES,
    .network_bytes = shape->has_network ? NETWORK_BYTES : 0,
    .bind_bytes = shape->has_binds ? BIND_BYTES : 0,
    .emulation_bytes = shape->is_emulated
                           ? DN_GUEST_SIZE_TRANSLATED_MIB * MIB + shape->vcpus * EMULATED_VCPU_BYTES
                           : 0,
  };

  size.limit_bytes
      = round_up (size.memory_bytes + size.table_bytes + size.qemu_bytes + size.vcpu_bytes
                  + size.disk_bytes + size.network_bytes + size.bind_bytes + size.emulation_bytes);
  *ret_size = size;
}
