/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a block of a disk was damaged while a guest scanned: what such a scanner says of the
 * image is no verdict.
 *
 * By the guest's id, since a guest's threads may still tell when its scan has ended.  Thread-safe.
 */
#pragma once

#include "../guest/guest.h"

/* For DnGuestHandlers: disk_damage. */
void dn_scan_damage_take (DnGuest *guest, const DnMsgDiskDamage *damage, gpointer data);

/* From here on until dn_scan_damage_forget(). */
void dn_scan_damage_watch (DnGuest *guest);
gboolean dn_scan_damage_was_seen (DnGuest *guest);
void dn_scan_damage_forget (DnGuest *guest);
