/* SPDX-License-Identifier: Apache-2.0 */
/* danchi.conf while danchid runs: read again when it has changed, at SIGHUP and whenever contexts
 * are asked for.
 *
 * An edit that is wrong, or a file that has gone, changes nothing: the settings that hold go on,
 * and why is in danchid's log and in `danchi doctor` until it is mended.
 */
#pragma once

#include "daemon.h"

/* The settings that hold now.  (transfer full) */
DnSettings *dn_settings_get (DnDaemon *daemon);

/* Looks at the file.  Without any lock. */
void dn_settings_refresh (DnDaemon *daemon);

/* Why the file as it is now cannot be used, or NULL. (transfer full) */
char *dn_settings_get_error (DnDaemon *daemon);
