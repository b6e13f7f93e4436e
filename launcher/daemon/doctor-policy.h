/* SPDX-License-Identifier: Apache-2.0 */
/* What `danchi doctor` says of the operator's files: those that cannot be used, with file and line,
 * and contexts that this host does not take. */
#pragma once

#include <json-glib/json-glib.h>

#include "daemon.h"

/* Adds {"id", "status", "what", "remedy"}: `settings`, `contexts` and `placement`, one object for
 * each thing that is wrong.  Looks at the files first.  Without the daemon's lock. */
void dn_doctor_add_policy (DnDaemon *daemon, JsonArray *checks);
