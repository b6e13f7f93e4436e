/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics as containerd wants them: what danchid says of a container (container-stats: numbers
 * of the guest's kernel) or of the sandbox (context-stats: what the guest takes of the host), in
 * the message for the host's version of cgroups.
 *
 * Callers of containerd follow some members without asking whether they are there: all of those
 * are.  "No limit" is the highest number; 0 would count as a limit.
 *
 * Pure, but for dn_metrics_host_version().
 * Source: containerd/cgroups, cgroup1/stats and cgroup2/stats.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "shim/wellknown.pb-c.h"

typedef enum
{
  DN_METRICS_V1,
  DN_METRICS_V2,
} DnMetricsVersion;

/* What this host's containerd counts in: V2 where /sys/fs/cgroup is cgroup v2 alone. */
DnMetricsVersion dn_metrics_host_version (void);

/**
 * dn_metrics_fill:
 * @stats: an entry of container-stats or context-stats; NULL for a container without a process, of
 * which all is 0
 * @oom_kills: beside those that @stats knows: known at its end
 * @ret_any: (out): initialised; its value is to be freed by g_free(), its type is static
 */
void dn_metrics_fill (DnMetricsVersion version, JsonObject *stats, guint64 oom_kills,
                      Pb__Any *ret_any);
