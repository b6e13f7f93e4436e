/* SPDX-License-Identifier: Apache-2.0 */
/* What Update brings, as danchid's verb container-update takes it.
 *
 * Pure.  Source: OCI runtime-spec, config-linux.md "Resources".
 */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_resources_read:
 * @text: @size bytes of JSON, LinuxResources of the OCI runtime-spec
 * @ret_args: (out) (transfer full): arguments, without the container; of no members where @text
 *   names nothing that a guest could keep
 *
 * Left out is what counts the host's things: cpusets, devices, block and network devices.
 *
 * Returns: TRUE, or FALSE with DN_ERROR_USAGE
 */
gboolean dn_resources_read (const char *text, gsize size, JsonObject **ret_args, GError **error);
