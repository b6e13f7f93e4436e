/* SPDX-License-Identifier: Apache-2.0 */
#include "damage.h"

#define EVENT_FACTOR 10

gboolean
dn_damage_take (DnDamage *damage, const DnMsgDiskDamage *message, gint64 now_us)
{
  /* Also what the agent says again after a new link. */
  if (message->count <= damage->count)
    return FALSE;
  damage->count = message->count;
  damage->layer = message->layer;
  damage->block = message->block;
  damage->last_us = now_us;
  if (damage->first_us == 0)
    damage->first_us = now_us;
  if (damage->told != 0 && damage->count / EVENT_FACTOR < damage->told)
    return FALSE;
  damage->told = damage->count;
  return TRUE;
}

JsonObject *
dn_damage_to_json (const DnDamage *damage)
{
  JsonObject *object;

  if (damage->count == 0)
    return NULL;
  object = json_object_new ();
  json_object_set_int_member (object, "count", (gint64) MIN (damage->count, G_MAXINT64));
  json_object_set_int_member (object, "layer", damage->layer);
  json_object_set_int_member (object, "block", (gint64) MIN (damage->block, G_MAXINT64));
  json_object_set_int_member (object, "first_us", damage->first_us);
  json_object_set_int_member (object, "last_us", damage->last_us);
  return object;
}
