/* SPDX-License-Identifier: Apache-2.0 */
/* Which check of its health a container has: the image's HEALTHCHECK, with what --health-* says in
 * place of it.
 *
 * Pure.  Source: docs.docker.com, "HEALTHCHECK"; the image's is checked by images/image-fields.h.
 */
#pragma once

#include "../images/image.h"
#include "../spec/health-times.h"

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

/* @image: NULL where the store has it no more.  Times of an image that are out of bounds are moved
 * to them.  DN_ERROR_USAGE where times are given and there is no check. */
gboolean dn_health_plan_make (const DnContainerOptions *options, const DnImage *image,
                              DnHealthPlan *ret_plan, GError **error);
