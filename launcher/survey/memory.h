/* SPDX-License-Identifier: Apache-2.0 */
/* Where guests' memory may be seen besides in memory: merged pages (KSM) and swap.
 *
 * Source: Documentation/admin-guide/mm/ksm.rst of Linux, proc_swaps(5), device mapper's "dm/uuid".
 */
#pragma once

#include <json-glib/json-glib.h>

/* {ksm, swap_bytes, swaps: [{name, bytes, is_encrypted}]} of the host below @root; is_encrypted is
 * null where it cannot be told: a file, or memory that is compressed (zram). (transfer full) */
JsonObject *dn_memory_read (const char *root);
