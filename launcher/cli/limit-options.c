/* SPDX-License-Identifier: Apache-2.0 */
#include "limit-options.h"

#include <string.h>

#include "options.h"
#include "units.h"

void
dn_limit_options_clear (DnLimitOptions *options)
{
  g_clear_pointer (&options->memory, g_free);
  g_clear_pointer (&options->cpus, g_free);
  g_clear_pointer (&options->cpu_shares, g_free);
  g_clear_pointer (&options->pids_limit, g_free);
}

void
dn_limit_options_fill (DnLimitOptions *options, GOptionEntry *ret_rows)
{
  const GOptionEntry rows[DN_LIMIT_OPTIONS_ROWS] = {
    { "memory", 'm', 0, G_OPTION_ARG_FILENAME, &options->memory, "Memory limit; -1 for none",
      "SIZE" },
    { "cpus", 0, 0, G_OPTION_ARG_FILENAME, &options->cpus, "How many processors' time", "NUMBER" },
    { "cpu-shares", 'c', 0, G_OPTION_ARG_FILENAME, &options->cpu_shares,
      "Weight against other containers of the context", "NUMBER" },
    { "pids-limit", 0, 0, G_OPTION_ARG_FILENAME, &options->pids_limit,
      "How many processes and threads; -1 for no limit", "NUMBER" },
    DN_OPTION_END,
  };

  memcpy (ret_rows, rows, sizeof rows);
}

gboolean
dn_limit_set_size (JsonObject *args, const char *member, const char *flag, const char *text,
                   gboolean may_be_none, GError **error)
{
  gint64 bytes = -1;

  if (text == NULL)
    return TRUE;
  if (!(may_be_none && g_str_equal (text, "-1")) && !dn_units_parse_size (text, &bytes, error))
    {
      g_prefix_error (error, "%s: ", flag);
      return FALSE;
    }
  json_object_set_int_member (args, member, bytes);
  return TRUE;
}

gboolean
dn_limit_set_int (JsonObject *args, const char *member, const char *flag, const char *text,
                  gint64 least, gint64 most, GError **error)
{
  gint64 number;

  if (text == NULL)
    return TRUE;
  if (!dn_units_parse_int (text, least, most, &number, error))
    {
      g_prefix_error (error, "%s: ", flag);
      return FALSE;
    }
  json_object_set_int_member (args, member, number);
  return TRUE;
}

gboolean
dn_limit_options_to_args (const DnLimitOptions *options, JsonObject *args, GError **error)
{
  double cpus;

  if (options->cpus != NULL)
    {
      if (!dn_units_parse_cpus (options->cpus, &cpus, error))
        {
          g_prefix_error (error, "--cpus: ");
          return FALSE;
        }
      json_object_set_double_member (args, "cpus", cpus);
    }
  return dn_limit_set_size (args, "memory_bytes", "--memory", options->memory, TRUE, error)
         && dn_limit_set_int (args, "cpu_shares", "--cpu-shares", options->cpu_shares, 2, 262144,
                              error)
         && dn_limit_set_int (args, "pids_limit", "--pids-limit", options->pids_limit, -1, 4194304,
                              error);
}
