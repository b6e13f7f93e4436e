/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can run a KVM guest, found out by running one (kvm-probe-ask.h): first the
 * kernel is asked, and if that works, QEMU.
 *
 * The answer is kept in RUN/kvm-probe together with what it depends on: the host's boot and the
 * device node.  "Works" and "cannot" hold as long as those do.  No answer in time holds for
 * %DN_KVM_PROBE_AGAIN_S only: the host may just have been busy, and one lost probe must not leave
 * it without KVM until its next boot.
 *
 * Any thread.  Privilege: read and write on /dev/kvm.
 */
#pragma once

#include <glib.h>

/* So long it is not asked again after it gave no answer: asking takes up to 35 s. */
#define DN_KVM_PROBE_AGAIN_S 60

typedef enum
{
  DN_KVM_PROBE_ANEW, /* asks in any case, and waits */
  DN_KVM_PROBE_WAIT, /* asks and waits where the answer is not known, or is none any more */
  /* Takes "no answer" for an answer however old it is, and where it is due has a thread ask again
   * for those who come later.  Waits only where nothing is known at all. */
  DN_KVM_PROBE_QUICKLY,
} DnKvmProbeHow;

/**
 * dn_kvm_probe:
 *
 * Returns: TRUE, or FALSE with DN_ERROR_DENIED: why this host cannot run KVM guests
 */
gboolean dn_kvm_probe (DnKvmProbeHow how, GError **error);

/* Whether a thread is asking beside its callers. */
gboolean dn_kvm_probe_is_asking (void);
