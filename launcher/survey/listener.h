/* SPDX-License-Identifier: Apache-2.0 */
/* What listens on the host, where, and who it is (R3.2).
 *
 * TCP and UDP of the network namespace that danchi runs in, and unix sockets of its file system
 * names and abstract ones.  Other network namespaces have addresses of their own and are not looked
 * at.  A socket whose process is not found is listed without one.
 *
 * Source: proc_pid_net(5), net/unix/af_unix.c of Linux.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "process-list.h"

/* [{protocol, address, port, path, exposure, pid, process, uid, service}]; an abstract socket's
 * path begins with '@'; of unix sockets exposure is always "loopback", uid its process's. (transfer
 * full) */
JsonArray *dn_listener_read (const char *root, const DnProcessList *list);
