/* SPDX-License-Identifier: Apache-2.0 */
#include "health-record.h"

#include <string.h>

const char *
dn_health_status_word (int status)
{
  switch (status)
    {
    case DN_HEALTH_HEALTHY:
      return "healthy";
    case DN_HEALTH_UNHEALTHY:
      return "unhealthy";
    default:
      return "starting";
    }
}

static const char *
outcome_word (int outcome)
{
  switch (outcome)
    {
    case DN_HEALTH_ENDED:
      return "ended";
    case DN_HEALTH_LATE:
      return "timed-out";
    default:
      return "not-run";
    }
}

void
dn_health_record_clear (DnHealthRecord *record)
{
  for (guint i = 0; i < record->count; i++)
    g_free (record->results[i].output);
  *record = (DnHealthRecord){ 0 };
}

void
dn_health_record_begin (DnHealthRecord *record, gboolean has_check)
{
  dn_health_record_clear (record);
  record->has_check = has_check;
  record->status = DN_HEALTH_STARTING;
}

static void
add_result (DnHealthRecord *record, const DnMsgHealth *message, gint64 now_us)
{
  if (record->count == DN_HEALTH_RECORD_CHECKS)
    {
      g_free (record->results[0].output);
      memmove (record->results, record->results + 1,
               (DN_HEALTH_RECORD_CHECKS - 1) * sizeof record->results[0]);
      record->count--;
    }
  record->results[record->count++]
      = (DnHealthCheckResult){ .told_us = now_us,
                               .took_us = message->took_us,
                               .outcome = message->outcome,
                               .code = message->code,
                               .output = g_utf8_make_valid (message->output, -1) };
}

gboolean
dn_health_record_take (DnHealthRecord *record, const DnMsgHealth *message, gint64 now_us)
{
  int before = record->status;

  if (message->status < DN_HEALTH_STARTING || message->status > DN_HEALTH_UNHEALTHY
      || message->outcome < DN_HEALTH_ENDED || message->outcome > DN_HEALTH_NOT_RUN
      || message->checks <= record->checks)
    return FALSE;
  /* Also of a run that a danchid before this one began. */
  record->has_check = TRUE;
  record->status = message->status;
  record->failures = message->failures;
  record->checks = message->checks;
  add_result (record, message, now_us);
  return record->status != before;
}

JsonObject *
dn_health_record_to_json (const DnHealthRecord *record)
{
  JsonObject *object = json_object_new ();
  JsonArray *log = json_array_new ();

  json_object_set_string_member (object, "status", dn_health_status_word (record->status));
  json_object_set_int_member (object, "failing_streak", record->failures);
  json_object_set_int_member (object, "checks", (gint64) MIN (record->checks, G_MAXINT64));
  for (guint i = 0; i < record->count; i++)
    {
      const DnHealthCheckResult *result = &record->results[i];
      JsonObject *entry = json_object_new ();

      json_object_set_int_member (entry, "ended_us", result->told_us);
      json_object_set_int_member (entry, "took_us", (gint64) MIN (result->took_us, G_MAXINT64));
      json_object_set_string_member (entry, "outcome", outcome_word (result->outcome));
      if (result->outcome == DN_HEALTH_ENDED)
        json_object_set_int_member (entry, "exit_code", result->code);
      json_object_set_string_member (entry, "output", result->output);
      json_array_add_object_element (log, entry);
    }
  json_object_set_array_member (object, "log", log);
  return object;
}
