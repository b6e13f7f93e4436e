/* SPDX-License-Identifier: Apache-2.0 */
/* The processor: what the kernel says of its flaws, and whether two guests may share a core.
 *
 * Source: Documentation/ABI/testing/sysfs-devices-system-cpu of Linux.
 */
#pragma once

#include <json-glib/json-glib.h>

/* {model, smt, vulnerabilities: [{name, state, is_vulnerable}]} of the host below @root.
 * (transfer full) */
JsonObject *dn_processor_read (const char *root);
