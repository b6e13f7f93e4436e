/* SPDX-License-Identifier: Apache-2.0 */
/* danchi --session: a danchid of the caller's own (docs/session-mode.md).
 *
 * It is asked for and never guessed: a user who may not use the host's danchid is to hear that, and
 * not to find a second one, with other images and weaker promises, in its place.
 */
#pragma once

#include "cli.h"

/* Once the global flags are read: where a session is asked for, by --session or DANCHI_SESSION=1,
 * paths and socket are the session's from here on.  Again is nothing more.  DN_ERROR_USAGE,
 * DN_ERROR_CONFIG, DN_ERROR_DENIED. */
gboolean dn_session_mode_choose (DnCli *cli, GError **error);

/* Whether danchi-session keeps the session, by its lock: danchid may live without it, and has no
 * libvirt and no way out then. */
gboolean dn_session_mode_is_kept (void);
