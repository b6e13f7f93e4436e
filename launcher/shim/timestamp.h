/* SPDX-License-Identifier: Apache-2.0 */
/* Times of this host's clock as messages have them. */
#pragma once

#include <glib.h>

#include "shim/wellknown.pb-c.h"

/* Fills an initialised message with a time in microseconds since the epoch. */
static inline void
dn_timestamp_fill (Pb__Timestamp *timestamp, gint64 time_us)
{
  timestamp->seconds = time_us / G_USEC_PER_SEC;
  timestamp->nanos = (gint32) (time_us % G_USEC_PER_SEC * 1000);
}
