/* SPDX-License-Identifier: Apache-2.0 */
#include "log-print.h"

#include <json-glib/json-glib.h>

#include "../common/json.h"

/* A record that waits for go_live: at most the tail's lines, and at most what the log's cap holds.
 */
typedef struct
{
  DnLogRecord record; /* text: owned */
  guint64 line;
  gboolean is_line_start;
} Kept;

struct DnLogPrinter
{
  DnLogPrinting printing;
  gboolean is_live;
  GQueue kept;                           /* of Kept *, owned */
  guint64 lines;                         /* started so far */
  guint64 line_of[DN_LOG_DANCHI + 1];    /* the line a source is in, */
  gboolean is_within[DN_LOG_DANCHI + 1]; /* while its last record was partial */
};

static void
kept_free (gpointer data)
{
  Kept *kept = data;

  g_free ((gpointer) kept->record.text);
  g_free (kept);
}

DnLogPrinter *
dn_log_printer_new (const DnLogPrinting *printing)
{
  DnLogPrinter *printer = g_new0 (DnLogPrinter, 1);

  printer->printing = *printing;
  printer->is_live = printing->tail < 0;
  g_queue_init (&printer->kept);
  return printer;
}

void
dn_log_printer_free (DnLogPrinter *printer)
{
  if (printer == NULL)
    return;
  g_queue_clear_full (&printer->kept, kept_free);
  g_free (printer);
}

static char *
format_time (gint64 time_ns)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_ns / 1000000000);
  g_autofree char *seconds = time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%S") : NULL;

  return g_strdup_printf ("%s.%09dZ", seconds != NULL ? seconds : "0000-00-00T00:00:00",
                          (int) (time_ns % 1000000000));
}

static void
print_json (const DnLogPrinter *printer, const DnLogRecord *record)
{
  static const char *const sources[]
      = { [DN_LOG_STDOUT] = "stdout", [DN_LOG_STDERR] = "stderr", [DN_LOG_DANCHI] = "danchi" };
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *time = format_time (record->time_ns);
  g_autofree char *text = NULL;
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "time", time);
  json_object_set_string_member (object, "source", sources[record->source]);
  if (record->source == DN_LOG_DANCHI)
    {
      json_object_set_int_member (object, "dropped_lines", (gint64) record->dropped_lines);
      json_object_set_int_member (object, "dropped_bytes", (gint64) record->dropped_bytes);
    }
  else
    {
      g_autofree char *valid
          = g_utf8_make_valid ((const char *) record->text, (gssize) record->text_bytes);

      json_object_set_string_member (object, "text", valid);
      json_object_set_boolean_member (object, "is_partial", record->is_partial);
    }
  json_node_take_object (node, object);
  text = dn_json_to_text (node, FALSE);
  fprintf (printer->printing.out, "%s\n", text);
}

static void
print_record (const DnLogPrinter *printer, const DnLogRecord *record, gboolean is_line_start)
{
  FILE *file = record->source == DN_LOG_STDOUT ? printer->printing.out : printer->printing.err;

  if (printer->printing.is_json)
    {
      print_json (printer, record);
      return;
    }
  if (record->source == DN_LOG_DANCHI)
    {
      fflush (printer->printing.out);
      fprintf (file,
               "danchi: %" G_GUINT64_FORMAT " lines (%" G_GUINT64_FORMAT
               " bytes) are missing here: written faster than the log takes\n",
               record->dropped_lines, record->dropped_bytes);
      return;
    }
  if (is_line_start && printer->printing.has_times)
    {
      g_autofree char *time = format_time (record->time_ns);

      fprintf (file, "%s ", time);
    }
  fwrite (record->text, 1, record->text_bytes, file);
  if (!record->is_partial)
    fputc ('\n', file);
}

static void
keep (DnLogPrinter *printer, const DnLogRecord *record, guint64 line, gboolean is_line_start)
{
  Kept *kept = g_new0 (Kept, 1);
  guint64 tail = (guint64) printer->printing.tail;

  kept->record = *record;
  kept->record.text = g_memdup2 (record->text, record->text_bytes);
  kept->line = line;
  kept->is_line_start = is_line_start;
  g_queue_push_tail (&printer->kept, kept);
  while (!g_queue_is_empty (&printer->kept)
         && ((Kept *) g_queue_peek_head (&printer->kept))->line + tail <= printer->lines)
    kept_free (g_queue_pop_head (&printer->kept));
}

void
dn_log_printer_add (DnLogPrinter *printer, const DnLogRecord *record)
{
  gboolean is_line_start = !printer->is_within[record->source];

  if (record->time_ns < printer->printing.since_ns)
    return;
  /* A note of danchi's belongs to the line before it and is not counted as one. */
  if (record->source == DN_LOG_DANCHI)
    printer->line_of[record->source] = printer->lines;
  else if (is_line_start)
    printer->line_of[record->source] = ++printer->lines;
  if (record->source != DN_LOG_DANCHI)
    printer->is_within[record->source] = record->is_partial;
  if (printer->is_live)
    print_record (printer, record, is_line_start);
  else
    keep (printer, record, printer->line_of[record->source], is_line_start);
}

void
dn_log_printer_go_live (DnLogPrinter *printer)
{
  guint64 tail = (guint64) printer->printing.tail;
  Kept *kept;

  if (printer->is_live)
    return;
  printer->is_live = TRUE;
  while ((kept = g_queue_pop_head (&printer->kept)) != NULL)
    {
      /* The end of a line whose start fell out is behind one that did not: skipped here. */
      if (kept->line + tail > printer->lines)
        print_record (printer, &kept->record, kept->is_line_start);
      kept_free (kept);
    }
}
