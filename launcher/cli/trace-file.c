/* SPDX-License-Identifier: Apache-2.0 */
#include "trace-file.h"

#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "../common/json.h"
#include "answer.h"

void
dn_trace_file_init (DnTraceFile *trace, char *path)
{
  trace->path = path;
  trace->client = json_array_new ();
  trace->start_us = trace->phase_us = g_get_monotonic_time ();
}

void
dn_trace_file_clear (DnTraceFile *trace)
{
  g_clear_pointer (&trace->path, g_free);
  g_clear_pointer (&trace->client, json_array_unref);
}

void
dn_trace_file_mark (DnTraceFile *trace, const char *name, gint64 end_us)
{
  gint64 end = end_us != 0 ? end_us : g_get_monotonic_time ();
  JsonObject *phase = json_object_new ();

  json_object_set_string_member (phase, "name", name);
  json_object_set_int_member (phase, "start_us", trace->phase_us - trace->start_us);
  json_object_set_int_member (phase, "end_us", end - trace->start_us);
  json_array_add_object_element (trace->client, phase);
  trace->phase_us = end;
}

/* Not g_file_set_contents_full(): it either replaces the file, which must not happen to
 * /dev/stderr, or leaves the end of a longer one that was there (GLib 2.74). */
static gboolean
write_text (const char *path, const char *text, GError **error)
{
  FILE *file = fopen (path, "we");
  gboolean is_written;

  if (file == NULL)
    return dn_throw_errno (error, "--trace: '%s'", path);
  is_written = fputs (text, file) >= 0;
  if (fclose (file) != 0 || !is_written)
    return dn_throw_errno (error, "--trace: '%s'", path);
  return TRUE;
}

gboolean
dn_trace_file_write (DnTraceFile *trace, JsonObject *answer, GError **error)
{
  JsonObject *sent = answer != NULL ? dn_answer_object (answer, "trace") : NULL;
  JsonArray *phases = sent != NULL ? dn_answer_array (sent, "phases") : NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  JsonObject *object;

  if (trace->path == NULL)
    return TRUE;
  object = json_object_new ();
  json_object_set_array_member (object, "phases",
                                phases != NULL ? json_array_ref (phases) : json_array_new ());
  json_object_set_array_member (object, "client", json_array_ref (trace->client));
  json_node_take_object (node, object);
  text = dn_json_to_text (node, TRUE);
  line = g_strconcat (text, "\n", NULL);
  return write_text (trace->path, line, error);
}
