/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

/* More phases than any start has; further ones are not kept. */
#define PHASES_MAX 64

typedef struct
{
  char *name; /* owned */
  gint64 start_us;
} Phase;

struct DnTrace
{
  GMutex lock;
  gint64 zero_us;
  GArray *phases; /* Phase */
};

static void
clear_phase (gpointer phase)
{
  g_free (((Phase *) phase)->name);
}

DnTrace *
dn_trace_new (void)
{
  DnTrace *trace = g_new0 (DnTrace, 1);

  g_mutex_init (&trace->lock);
  trace->zero_us = g_get_monotonic_time ();
  trace->phases = g_array_new (FALSE, FALSE, sizeof (Phase));
  g_array_set_clear_func (trace->phases, clear_phase);
  return trace;
}

void
dn_trace_free (DnTrace *trace)
{
  if (trace == NULL)
    return;
  g_array_unref (trace->phases);
  g_mutex_clear (&trace->lock);
  g_free (trace);
}

void
dn_trace_begin (DnTrace *trace, const char *name)
{
  Phase phase = { .start_us = g_get_monotonic_time () - trace->zero_us };
  guint count;

  g_mutex_lock (&trace->lock);
  count = trace->phases->len;
  if (count < PHASES_MAX
      && (count == 0 || !g_str_equal (g_array_index (trace->phases, Phase, count - 1).name, name)))
    {
      phase.name = g_strdup (name);
      g_array_append_val (trace->phases, phase);
    }
  g_mutex_unlock (&trace->lock);
}

JsonObject *
dn_trace_to_json (DnTrace *trace)
{
  JsonObject *object = json_object_new ();
  JsonArray *array = json_array_new ();
  gint64 now_us = g_get_monotonic_time () - trace->zero_us;

  g_mutex_lock (&trace->lock);
  for (guint i = 0; i < trace->phases->len; i++)
    {
      const Phase *phase = &g_array_index (trace->phases, Phase, i);
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "name", phase->name);
      json_object_set_int_member (entry, "start_us", phase->start_us);
      json_object_set_int_member (entry, "end_us",
                                  i + 1 < trace->phases->len ? phase[1].start_us : now_us);
      json_array_add_object_element (array, entry);
    }
  g_mutex_unlock (&trace->lock);
  json_object_set_array_member (object, "phases", array);
  return object;
}
