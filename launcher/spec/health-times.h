/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a health check: what --health-* may say, and what holds where nobody says anything.
 *
 * Pure.  Source: docs.docker.com, "HEALTHCHECK".
 */
#pragma once

#include "spec.h"

#define DN_HEALTH_INTERVAL_NS (G_GINT64_CONSTANT (30) * 1000000000)
#define DN_HEALTH_TIMEOUT_NS (G_GINT64_CONSTANT (30) * 1000000000)
#define DN_HEALTH_START_INTERVAL_NS (G_GINT64_CONSTANT (5) * 1000000000)
#define DN_HEALTH_RETRIES 3
/* The least and the most of each time but the start's, which may be 0. */
#define DN_HEALTH_TIME_LEAST_NS (G_GINT64_CONSTANT (100) * 1000000)
#define DN_HEALTH_TIME_MOST_NS (G_GINT64_CONSTANT (86400) * 1000000000)
#define DN_HEALTH_RETRIES_MOST 1000

/* Whether any of them is given. */
gboolean dn_health_has_times (const DnContainerOptions *options);

/* What --health-* says by itself; DN_ERROR_USAGE, naming the flag. */
gboolean dn_health_times_check (const DnContainerOptions *options, GError **error);
