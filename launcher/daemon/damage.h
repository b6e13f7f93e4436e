/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of an image that are not what its hash tree promises, as a guest tells of them
 * (DISK_DAMAGE): told to whoever runs containers of that image there.
 *
 * All of it is the guest's word: shown, and nothing is decided by it.  What is true is found by
 * `danchi image verify`, which reads the store.  An event, a line of the audit record and one of
 * danchid's log are due for the first block of a container's run and then each time the count has
 * grown tenfold: so a guest that lies can cause 20 of them for each of its containers, no more.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "../../protocol/protocol.h"

/* Of a container's last start. */
typedef struct
{
  guint64 count; /* 0: none */
  guint64 told;  /* the count at the last event */
  guint32 layer; /* from 0, the lowest; the last one's, as all below */
  guint64 block; /* of DN_DISK_BLOCK_BYTES, in the layer's file */
  gint64 first_us;
  gint64 last_us;
} DnDamage;

/* Takes what a guest says; whether an event is due.  Pure. */
gboolean dn_damage_take (DnDamage *damage, const DnMsgDiskDamage *message, gint64 now_us);

/* For inspect and the audit's document; NULL for none. (transfer full) */
JsonObject *dn_damage_to_json (const DnDamage *damage);
