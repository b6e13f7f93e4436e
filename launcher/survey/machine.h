/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual machines that libvirt does not know: whoever started them, no policy of ours or of
 * libvirt's holds for them (R1.5).
 *
 * Found by the program's name, and, whatever it is called, by a virtual machine of KVM among the
 * process's descriptors.  Works on what process-list.h read.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "process-list.h"

/* Adds {name, pid, uid, is_danchi, source: "process", context: null, hypervisor} to @machines for
 * each hypervisor's process whose pid is not there yet. */
void dn_machine_add_unknown (JsonArray *machines, const DnProcessList *list);
