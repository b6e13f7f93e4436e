/* SPDX-License-Identifier: Apache-2.0 */
/* How large guests are: limits for danchid's settings, contexts' files and users' options alike. */
#pragma once

#include <glib.h>

/* What a guest needs beside its containers: kernel, agent, page tables, file cache to breathe. */
#define DN_GUEST_OVERHEAD_BYTES (G_GUINT64_CONSTANT (96) * 1024 * 1024)

/* How much and how many a guest may have at all; also for contexts' files. */
#define DN_GUEST_MEMORY_MIN_MIB 128
#define DN_GUEST_MEMORY_MAX_MIB (1024 * 1024)
#define DN_GUEST_VCPUS_MAX 64

/* From QEMU's start to an agent that answers: under a second on a processor of its own, but many
 * hosts are virtual machines themselves, and busy. */
#define DN_GUEST_BOOT_TIMEOUT_S 60
