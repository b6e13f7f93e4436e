/* SPDX-License-Identifier: Apache-2.0 */
/* The shim's messages, as lines that containerd's own log takes as they are.  They go to standard
 * error, which is the bundle's pipe `log`; where nobody reads that, they are dropped. */
#pragma once

#include <glib.h>

/* @id: the pod's, in each line */
void dn_shim_log_start (const char *id, gboolean is_debug);
