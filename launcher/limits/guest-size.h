/* SPDX-License-Identifier: Apache-2.0 */
/* How large a guest is: what of its memory is left to containers, and what its QEMU may use of the
 * host's at most.
 *
 * The formula, in bytes, with M the guest's memory, P its processors, D its disks (the root among
 * them) and ports for disks that may come:
 *
 *     of the guest    kernel and agent    96 MiB + (M - 256 MiB, if more) / 64
 *                     containers          M - that
 *     of the host     page tables         M / 256
 *                     QEMU                128 MiB + P * 2 MiB + D * 2 MiB
 *                     network, binds      8 MiB, 264 MiB, where it has them
 *                     emulation           256 MiB of translated code + P * 16 MiB; not under KVM
 *                     limit               M + all of these, in whole MiB upwards
 *
 * The first 96 MiB are DN_GUEST_OVERHEAD_BYTES; 1/64 is the kernel's description of each page,
 * which is in the 96 up to 256 MiB.  Page tables are 1/512 of M twice: QEMU's own and KVM's.  The
 * others are what was measured (docs/resources.md, "Measured"), at least doubled, since the limit
 * is a wall against a QEMU that its guest has taken over, and must never end one that does its
 * work.  The kernel counts files that QEMU reads to it, too; those give way when the limit is near.
 *
 * Beside QEMU a guest has one relay, which is no part of the limit: 4 MiB, bounded by its own.
 *
 * Pure.
 */
#pragma once

#include <glib.h>

#include "../common/guest-size.h"

/* What a relay has resident at most while nothing is stalled; it has its own limits. */
#define DN_GUEST_SIZE_RELAY_BYTES (G_GUINT64_CONSTANT (4) * 1024 * 1024)
/* Of code that an emulator has translated: QEMU's own bound would be a part of the host's memory.
 */
#define DN_GUEST_SIZE_TRANSLATED_MIB 256

typedef struct
{
  guint64 memory_bytes;
  guint vcpus;
  guint disks; /* the root, those from the start, and ports for later ones */
  gboolean is_emulated;
  gboolean has_network;
  gboolean has_binds;
} DnGuestShape;

typedef struct
{
  guint64 memory_bytes;
  /* of the guest */
  guint64 system_bytes;
  guint64 container_bytes; /* 0: none fits */
  /* of the host */
  guint64 table_bytes;
  guint64 qemu_bytes;
  guint64 vcpu_bytes; /* likewise below: of all of them */
  guint64 disk_bytes;
  guint64 network_bytes;
  guint64 bind_bytes;
  guint64 emulation_bytes;
  guint64 limit_bytes; /* the sum, with memory_bytes */
} DnGuestSize;

void dn_guest_size (const DnGuestShape *shape, DnGuestSize *ret_size);

/* What kernel and agent need in a guest of so much memory. */
guint64 dn_guest_size_system (guint64 memory_bytes);

/* The least memory of a guest with containers of @container_bytes, in whole MiB; never below
 * DN_GUEST_MEMORY_MIN_MIB. */
guint64 dn_guest_size_least (guint64 container_bytes);

/* The formula, one line for each part, for people. */
extern const char *const dn_guest_size_formula[]; /* ends with NULL */
