/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor says of rules about users: names that this host does not know. */
#pragma once

#include <json-glib/json-glib.h>

#include "daemon.h"

/* Adds a check for each file that names somebody unknown, or one that all is well.  Without the
 * daemon's lock; asks the host's databases. */
void dn_doctor_add_access (DnDaemon *daemon, JsonArray *checks);
