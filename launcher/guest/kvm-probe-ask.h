/* SPDX-License-Identifier: Apache-2.0 */
/* The two questions of kvm-probe.h, each asked once and answered within its time.
 *
 * The kernel's: /dev/kvm may exist, open fine and still not run anything, or hang for minutes:
 * other runtimes' platforms do.  Or it runs everything and is of no use: one whose guests have to
 * know of it interprets all others.  So a child process makes a virtual machine of one page and one
 * processor and runs a few bytes of real-mode code in it, four million times, against a limit.
 *
 * QEMU's: a KVM that runs five bytes may still refuse what QEMU needs, for instance a
 * model-specific register.  So QEMU is run with the machine and CPU of our guests and a firmware of
 * our own, 64 KiB that write one byte to a debug port and thereby end QEMU with a status nothing
 * else gives.
 *
 * Privilege: read and write on /dev/kvm.  QEMU gets no device but that port, and its sandbox.
 * Source: Linux, Documentation/virt/kvm/api.rst.
 */
#pragma once

#include <glib.h>

/* A working KVM needs some milliseconds, a nested one on a busy machine some hundred. */
#define DN_KVM_PROBE_TIMEOUT_MS 5000
/* QEMU's own start is most of it: many seconds inside an emulated machine. */
#define DN_KVM_PROBE_QEMU_TIMEOUT_MS 30000

typedef enum
{
  DN_KVM_WORKS,
  DN_KVM_CANNOT,
  DN_KVM_NO_ANSWER, /* in time, or the question could not even be asked: it may have a better day */
} DnKvmOutcome;

/* @ret_reason: (out) (transfer full): why not; untouched by DN_KVM_WORKS */
DnKvmOutcome dn_kvm_probe_kernel (char **ret_reason);
DnKvmOutcome dn_kvm_probe_qemu (char **ret_reason);

/* kvm-probe-kernel.c: sets the reason and returns DN_KVM_NO_ANSWER. */
DnKvmOutcome dn_kvm_probe_no_answer (char **ret_reason, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
