/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: every program that takes part in running a container, from the client to the guest's
 * root, as entries of "chain" (docs/api.md).
 *
 * What danchid cannot know is null: which danchi a caller used (the installed one is shown), and
 * the version of a program that does not tell.  Kernel release and agent version are the guest's
 * word; file and digest beside them are the host's.
 *
 * Blocks: digests are computed at the first call (file-digest.h), libvirt may be asked.
 */
#pragma once

#include "context.h"
#include "libvirt-facts.h"

/* danchi, danchid, libvirt. */
void dn_chain_add_host (JsonArray *chain, const DnLibvirtFacts *libvirt);

/* The context's relay, QEMU, guest kernel, initramfs, guest root with its agent; nothing where no
 * guest runs. */
void dn_chain_add_context (JsonArray *chain, DnContext *context, const DnLibvirtFacts *libvirt);

/* Both, for inspect; @context may be NULL. (transfer full) */
JsonArray *dn_chain_to_json (DnContext *context);
