/* SPDX-License-Identifier: Apache-2.0 */
/* containerd.task.v2.Task and containerd.task.v3.Task, which are the same: what containerd asks of
 * a pod.
 *
 * A method answers its call at once or later, and never blocks.  Ids are checked before anything is
 * done with them.
 *
 * Source: containerd, api/runtime/task/v2/shim.proto.
 */
#pragma once

#include "call.h"
#include "pod.h"

/* A DnTtrpcHandler; @user_data is the DnPod. */
void dn_task_service_handle (DnCall *call, const char *service, const char *method,
                             const guint8 *payload, gsize size, gpointer user_data);
