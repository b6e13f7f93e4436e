/* SPDX-License-Identifier: Apache-2.0 */
#include "health-options.h"

#include <string.h>

#include "answer.h"
#include "limit-options.h"
#include "options.h"
#include "units.h"

#define RETRIES_MOST 1000

void
dn_health_options_clear (DnHealthOptions *options)
{
  char **const texts[] = { &options->command,      &options->interval,       &options->timeout,
                           &options->start_period, &options->start_interval, &options->retries };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (texts[i], g_free);
}

void
dn_health_options_fill (DnHealthOptions *options, GOptionEntry *ret_rows)
{
  const GOptionEntry rows[DN_HEALTH_OPTIONS_ROWS] = {
    { "health-cmd", 0, 0, G_OPTION_ARG_FILENAME, &options->command,
      "Check its health by this line of its shell, in place of the image's check", "COMMAND" },
    { "health-interval", 0, 0, G_OPTION_ARG_FILENAME, &options->interval,
      "Time from one check to the next (30s)", "TIME" },
    { "health-timeout", 0, 0, G_OPTION_ARG_FILENAME, &options->timeout,
      "Time a check may take (30s)", "TIME" },
    { "health-start-period", 0, 0, G_OPTION_ARG_FILENAME, &options->start_period,
      "Time at the start in which failures do not count (0s)", "TIME" },
    { "health-start-interval", 0, 0, G_OPTION_ARG_FILENAME, &options->start_interval,
      "Time between checks meanwhile (5s)", "TIME" },
    { "health-retries", 0, 0, G_OPTION_ARG_FILENAME, &options->retries,
      "Failures one after the other that make it unhealthy (3)", "NUMBER" },
    { "no-healthcheck", 0, 0, G_OPTION_ARG_NONE, &options->is_off,
      "Do not check its health, whatever the image says", NULL },
    DN_OPTION_END,
  };

  memcpy (ret_rows, rows, sizeof rows);
}

static gboolean
set_time (JsonObject *args, const char *member, const char *flag, const char *text, GError **error)
{
  gint64 us;

  if (text == NULL)
    return TRUE;
  if (!dn_units_parse_duration (text, &us, error))
    {
      g_prefix_error (error, "%s: ", flag);
      return FALSE;
    }
  json_object_set_int_member (args, member, MIN (us, G_MAXINT64 / 1000) * 1000);
  return TRUE;
}

gboolean
dn_health_options_to_args (const DnHealthOptions *o, JsonObject *args, GError **error)
{
  dn_args_set_text (args, "health_command", o->command);
  if (o->is_off)
    json_object_set_boolean_member (args, "has_no_health_check", TRUE);
  return set_time (args, "health_interval_ns", "--health-interval", o->interval, error)
         && set_time (args, "health_timeout_ns", "--health-timeout", o->timeout, error)
         && set_time (args, "health_start_ns", "--health-start-period", o->start_period, error)
         && set_time (args, "health_start_interval_ns", "--health-start-interval",
                      o->start_interval, error)
         && dn_limit_set_int (args, "health_retries", "--health-retries", o->retries, 1,
                              RETRIES_MOST, error);
}
