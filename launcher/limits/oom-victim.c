/* SPDX-License-Identifier: Apache-2.0 */
#include "oom-victim.h"

#include "../common/names.h"

void
dn_oom_victim_take (DnOomVictim *oom, const DnMsgOomVictim *message, gint64 now_us)
{
  g_autofree char *program = dn_text_clean (message->program, DN_PROGRAM_BYTES);

  oom->has_victim = oom->is_fresh = TRUE;
  oom->pid = message->pid;
  oom->uid = message->uid;
  oom->memory_bytes = message->memory_bytes;
  oom->time_us = now_us;
  g_strlcpy (oom->program, program, sizeof oom->program);
}

void
dn_oom_victim_count (DnOomVictim *oom)
{
  oom->count++;
  /* One without a name came after the last that has one. */
  oom->has_victim = oom->is_fresh;
  oom->is_fresh = FALSE;
}

gboolean
dn_oom_victim_can_be_first (const DnOomVictim *oom)
{
  return !oom->has_victim || oom->pid <= 1;
}

char *
dn_oom_victim_reason (const DnOomVictim *oom)
{
  if (!oom->has_victim)
    return g_strdup ("it used more memory than its limit allows");
  return g_strdup_printf ("it used more memory than its limit allows: %s had %" G_GUINT64_FORMAT
                          " MiB",
                          oom->program, oom->memory_bytes >> 20);
}

JsonObject *
dn_oom_victim_to_json (const DnOomVictim *oom)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "count", (gint64) oom->count);
  if (!oom->has_victim)
    return object;
  json_object_set_string_member (object, "program", oom->program);
  json_object_set_int_member (object, "pid", oom->pid);
  json_object_set_int_member (object, "uid", oom->uid);
  json_object_set_int_member (object, "memory_bytes", (gint64) oom->memory_bytes);
  json_object_set_int_member (object, "time_us", oom->time_us);
  return object;
}

char **
dn_oom_victim_to_attributes (const DnOomVictim *oom)
{
  GPtrArray *words = g_ptr_array_new ();

  if (oom->has_victim)
    {
      g_ptr_array_add (words, g_strdup ("program"));
      g_ptr_array_add (words, g_strdup (oom->program));
      g_ptr_array_add (words, g_strdup ("pid"));
      g_ptr_array_add (words, g_strdup_printf ("%u", oom->pid));
      g_ptr_array_add (words, g_strdup ("uid"));
      g_ptr_array_add (words, g_strdup_printf ("%u", oom->uid));
      g_ptr_array_add (words, g_strdup ("memory_bytes"));
      g_ptr_array_add (words, g_strdup_printf ("%" G_GUINT64_FORMAT, oom->memory_bytes));
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}
