/* SPDX-License-Identifier: Apache-2.0 */
/* The host as the audit's document describes it, but for its processes. */
#pragma once

#include <json-glib/json-glib.h>

/**
 * dn_host_read:
 * @root: see root-file.h
 * @today: "YYYY-MM-DD"
 * @libvirt: (nullable): what danchid says of libvirt: {version, qemu_version, uri, error}
 * @danchid_pid: 0 where it is not known
 *
 * Returns: (transfer full): "host" of docs/audit.md
 */
JsonObject *dn_host_read (const char *root, const char *today, JsonObject *libvirt,
                          gint danchid_pid);
