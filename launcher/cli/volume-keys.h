/* SPDX-License-Identifier: Apache-2.0 */
/* --volume-key NAME=FILE: keys of encrypted volumes, for a start.
 *
 * The file is opened here, with the caller's rights, and goes to danchid as a descriptor: its bytes
 * are read by neither.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../base/fdpass.h"

/* Opens the files and adds "volume_keys" to @args; nothing where @texts is NULL.  @ret_fds: (out):
 * the caller clears it, also on failure.  DN_ERROR_USAGE, _FAILED */
gboolean dn_volume_keys_open (char **texts, JsonObject *args, DnFdList *ret_fds, GError **error);
