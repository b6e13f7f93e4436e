/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"

#include "../cli/units.h"

#include <string.h>

#define DIGITS 12

char *
dn_value_short_digest (const char *digest)
{
  const char *colon = strchr (digest, ':');
  const char *digits = colon != NULL ? colon + 1 : digest;

  return g_utf8_substring (digits, 0, MIN (g_utf8_strlen (digits, -1), DIGITS));
}

char *
dn_value_size (gint64 bytes)
{
  return bytes < 0 ? g_strdup ("") : dn_units_format_size (bytes);
}

char *
dn_value_time (const char *time)
{
  g_autoptr (GDateTime) moment = g_date_time_new_from_iso8601 (time, NULL);
  g_autoptr (GDateTime) utc = moment != NULL ? g_date_time_to_utc (moment) : NULL;

  return utc != NULL ? g_date_time_format (utc, "%Y-%m-%d %H:%M UTC") : g_strdup (time);
}

char *
dn_value_address (const char *address, const char *port)
{
  if (*address == '\0')
    return g_strdup (port);
  return g_strdup_printf (strchr (address, ':') != NULL ? "[%s]:%s" : "%s:%s", address, port);
}

char *
dn_value_age (gint64 days)
{
  if (days < 0)
    return g_strdup ("age unknown");
  return days == 1 ? g_strdup ("1 day") : g_strdup_printf ("%" G_GINT64_FORMAT " days", days);
}

char *
dn_value_join (const char *separator, ...)
{
  GString *out = g_string_new (NULL);
  const char *part;
  va_list parts;

  va_start (parts, separator);
  while ((part = va_arg (parts, const char *)) != NULL)
    if (*part != '\0')
      g_string_append_printf (out, "%s%s", out->len > 0 ? separator : "", part);
  va_end (parts);
  return g_string_free (out, FALSE);
}
