/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of images: the lines of a list, all that is known of one, its history.
 *
 * Pure.  What the caller may see is decided before: images come as dn_image_view_show() has them,
 * and @sharing is made of those.
 */
#pragma once

#include "sharing.h"

/* For image-list. (transfer full) */
JsonObject *dn_image_report_summary (const DnImage *image, const DnSharing *sharing);

/* For inspect: what image.json holds, with the sizes, sharing and age of its layers. (transfer
 * full) */
JsonObject *dn_image_report_full (const DnImage *image, const DnSharing *sharing, gint64 now_us);

/* For image-history: the newest step first. (transfer full) */
JsonArray *dn_image_report_history (const DnImage *image);
