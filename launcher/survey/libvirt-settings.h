/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of libvirt that weaken or strengthen what guests' QEMUs run with.
 *
 * Only those that a file sets: what is not listed is libvirt's default.
 *
 * Source: the comments in libvirt's qemu.conf and libvirtd.conf.
 */
#pragma once

#include <json-glib/json-glib.h>

/* [{key, value, file}] of the host below @root; a list's value is its members with blanks between.
 * (transfer full) */
JsonArray *dn_libvirt_settings_read (const char *root);
