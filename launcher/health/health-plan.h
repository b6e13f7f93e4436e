/* SPDX-License-Identifier: Apache-2.0 */
/* Which check of its health a container has: the image's HEALTHCHECK, with what --health-* says in
 * place of it.
 *
 * Pure.  Source: docs.docker.com, "HEALTHCHECK"; the image's is checked by images/image-fields.h.
 */
#pragma once

#include "../images/image.h"

#define DN_HEALTH_INTERVAL_NS (G_GINT64_CONSTANT (30) * 1000000000)
#define DN_HEALTH_TIMEOUT_NS (G_GINT64_CONSTANT (30) * 1000000000)
#define DN_HEALTH_START_INTERVAL_NS (G_GINT64_CONSTANT (5) * 1000000000)
#define DN_HEALTH_RETRIES 3
/* The least and the most of each time but the start's, which may be 0. */
#define DN_HEALTH_TIME_LEAST_NS (G_GINT64_CONSTANT (100) * 1000000)
#define DN_HEALTH_TIME_MOST_NS (G_GINT64_CONSTANT (86400) * 1000000000)
#define DN_HEALTH_RETRIES_MOST 1000

typedef struct
{
  char **command; /* owned; NULL: there is no check */
  gint64 interval_ns;
  gint64 timeout_ns;
  gint64 start_ns;
  gint64 start_interval_ns;
  gint64 retries;
} DnHealthPlan;

void dn_health_plan_clear (DnHealthPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnHealthPlan, dn_health_plan_clear)

/* What --health-* says by itself; DN_ERROR_USAGE. */
gboolean dn_health_options_check (const DnContainerOptions *options, GError **error);

/* @image: NULL where the store has it no more.  Times of an image that are out of bounds are moved
 * to them.  DN_ERROR_USAGE where times are given and there is no check. */
gboolean dn_health_plan_make (const DnContainerOptions *options, const DnImage *image,
                              DnHealthPlan *ret_plan, GError **error);
