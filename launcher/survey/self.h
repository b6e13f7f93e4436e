/* SPDX-License-Identifier: Apache-2.0 */
/* danchi itself as a link of the chain of programs (R2.5). */
#pragma once

#include <json-glib/json-glib.h>

/* {program, role, path, sha256, version, uid, pid, context, confinement} of this process, as
 * danchid tells of the others. (transfer full) */
JsonObject *dn_self_describe (void);
