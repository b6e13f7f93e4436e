/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the guests that work on images (reading, unpacking, scanning), of all requests
 * together: they take turns where it is not enough for all, so that no number of loads fills the
 * host.
 *
 * Safe from any thread.
 */
#pragma once

#include "../daemon/settings.h"

/* While one waits, now and then: FALSE with an error where it shall wait no longer. */
typedef gboolean (*DnGuestMemoryWait) (gpointer data, GError **error);

/**
 * dn_guest_memory_take:
 * @wait: called with @data, without a lock
 *
 * Waits until the guests leave room for one of @bytes within [images] unpack_total_memory_mib; who
 * came first goes first.  What is larger than that limit goes alone.  Who holds some already may
 * not wait for more of it.
 *
 * Returns: FALSE with what @wait said
 */
gboolean dn_guest_memory_take (const DnSettings *settings, guint64 bytes, DnGuestMemoryWait wait,
                               gpointer data, GError **error);

void dn_guest_memory_give (guint64 bytes);
