/* SPDX-License-Identifier: Apache-2.0 */
/* One LISTENER_ENTRY of a guest's as the audit shows it.
 *
 * Pure; every field is hostile.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

/* {protocol address port path exposure pid process uid}: `exposure` is "loopback", "address" or
 * "all" seen from inside the container; of a unix socket, which no network reaches, "loopback".
 * NULL for a protocol that there is not. (transfer full) */
JsonObject *dn_listener_to_json (const DnMsgListenerEntry *entry);
