/* SPDX-License-Identifier: Apache-2.0 */
/* A container's secrets and configuration files as a part of it.
 *
 * What they are called and where they go is among the container's options and is kept; what is in
 * them comes with each start that has a client (DnContainerStart.contents: the names that it
 * offers), and is asked for when the container waits in its guest to be started: secret-send.h.  No
 * process and no file of the host's has any of it, so a container whose guest is gone can be
 * started again only by somebody who brings its secrets.
 *
 * In the guest they end with the container (guest-agent/agent/vault.h), unless it is to be started
 * again: by its restart policy, or by `danchi restart`.
 */
#pragma once

#include "../common/secret-spec.h"
#include "../daemon/container-part.h"

extern const DnContainerPart dn_secrets_part;

/* Its specs, as its options are now. (transfer full) (element-type DnSecretSpec): NULL with @error
 */
GPtrArray *dn_secrets_of (DnContainer *container, GError **error);

/* Those whose content the guest has, by name of the file: the guest's word. (transfer full)
 * utf8 → gint64 * (microseconds since 1970); NULL with @error */
GHashTable *dn_secrets_ask (DnContainer *container, DnGuest *guest, GError **error);

/* For people and programs; @there as dn_secrets_ask() has it, or NULL. (transfer full) */
JsonArray *dn_secrets_to_json (const GPtrArray *specs, GHashTable *there);

/* A SECRET for @spec. */
void dn_secrets_fill_message (DnContainer *container, const DnSecretSpec *spec,
                              DnMsgSecret *ret_message);

/* With op_lock held, before the container is stopped to be started again at once: what it has stays
 * in its guest.  @ret_is_held: (out): that there is something, for which the guest has to stay too
 * (dn_restart_hold(), once it is stopped). */
gboolean dn_secrets_hold (DnContainer *container, gboolean *ret_is_held, GError **error);

/* It will not be started again after all: what was kept for that goes.  Nothing where nothing was;
 * does not fail, but tells the log. */
void dn_secrets_drop (DnContainer *container);
