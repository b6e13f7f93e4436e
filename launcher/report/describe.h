/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the document in one line each, for text and page alike; "" where nothing is known. */
#pragma once

#include "view.h"

/* "tcp 0.0.0.0:80 nginx (all)". (transfer full) */
char *dn_describe_listener (JsonObject *listener);

/* Reference, short digest, age and signature of a container's image. (transfer full) */
char *dn_describe_image (JsonObject *container);

/* The published ports of a container. (transfer full) */
char *dn_describe_ports (JsonObject *container);

/* "alice, groups ops: run, exec; bob: may only read", or "root only" where nobody is named.
 * (transfer full) */
char *dn_describe_access (JsonObject *context);

/* Accelerator, uid, memory and kernel of a context's guest. (transfer full) */
char *dn_describe_guest (JsonObject *context);

/* "seccomp filter, no_new_privs, capabilities 0, danchid (enforce)". (transfer full) */
char *dn_describe_confinement (JsonObject *program);

/* "Debian GNU/Linux 12 (bookworm), supported until 2028-06-30". (transfer full) */
char *dn_describe_distribution (JsonObject *host);

/* Distribution, kernel, libvirt and QEMU; never empty. (transfer full) */
char *dn_describe_host (const DnView *view);
