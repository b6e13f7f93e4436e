/* SPDX-License-Identifier: Apache-2.0 */
/* Container runtimes on the host itself: their containers share the host's kernel (R1.4, R1.5).
 *
 * Found by name, and, whatever they are called, by processes with a pid namespace of their own.
 * Only what runs on this host's kernel is seen, so a runtime in a guest is none of these.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "process-list.h"

typedef enum
{
  DN_RUNTIME_MANAGER,   /* can start containers */
  DN_RUNTIME_CONTAINER, /* is there for each container that runs */
  DN_RUNTIME_NAMESPACE, /* processes in a namespace: what is in a container, or a sandbox */
} DnRuntimeRole;

/* What a runtime of that name (see dn_runtime_read()) is. */
DnRuntimeRole dn_runtime_role (const char *name);

/* The name of each pid namespace but danchi's own, shown by its first process. */
#define DN_RUNTIME_NAMESPACE_NAME "pid namespace"

/* [{name, kind: process|socket, path, pid, uid, mode}] of the host below @root, processes first;
 * pid is null for sockets, mode for processes. (transfer full) */
JsonArray *dn_runtime_read (const char *root, const DnProcessList *list);
