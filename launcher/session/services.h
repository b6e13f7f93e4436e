/* SPDX-License-Identifier: Apache-2.0 */
/* A session's own virtlogd and libvirtd, kept running inside its namespaces.
 *
 * They end with whoever keeps them (PR_SET_PDEATHSIG); guests do not, and the next ones find them.
 */
#pragma once

#include <glib.h>

/* Keeps them, and the session's routes as the host's addresses are (upstream.h), until SIGTERM; in
 * a process of the session, of one thread.  @addresses_fd: of dn_upstream_open().  @ready: called
 * once, when libvirt answers.  Returns: only where the first start fails, with DN_ERROR_HYPERVISOR
 */
void dn_services_run (int addresses_fd, void (*ready) (void *data), void *data, GError **error);
