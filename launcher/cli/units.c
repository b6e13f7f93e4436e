/* SPDX-License-Identifier: Apache-2.0 */
#include "units.h"

#include <string.h>

#include "../common/error.h"

#define SIZE_MAX_BYTES ((gint64) 1 << 62)
#define CPUS_MAX 4096
#define DURATION_MAX_US ((gint64) 10 * 366 * 24 * 3600 * G_USEC_PER_SEC)

/* Digits, perhaps with a dot and more digits (".5" too): strtod would take "inf", "0x1p3" and " +1"
 * as well. Returns: where it ended, or NULL */
static const char *
parse_decimal (const char *text, double *ret_number)
{
  const char *at = text;

  while (g_ascii_isdigit (*at))
    at++;
  if ((at == text && *at != '.') || at - text > 18)
    return NULL;
  if (*at == '.')
    {
      const char *dot = at++;

      while (g_ascii_isdigit (*at))
        at++;
      if (at == dot + 1)
        return NULL;
    }
  *ret_number = g_ascii_strtod (text, NULL);
  return at;
}

gboolean
dn_units_parse_size (const char *text, gint64 *ret_bytes, GError **error)
{
  static const char units[] = "bkmgtp";
  const char *at, *unit;
  double number, factor = 1;

  at = parse_decimal (text, &number);
  if (at == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': no size; write for instance 512m or 1.5g", text);
  if (*at != '\0')
    {
      unit = strchr (units, g_ascii_tolower (*at));
      if (unit == NULL || *unit == '\0')
        return dn_throw (error, DN_ERROR_USAGE, "'%s': unknown unit; there are b k m g t", text);
      for (; unit > units; unit--)
        factor *= 1024;
      at++;
      if (factor > 1 && (g_ascii_strcasecmp (at, "b") == 0 || g_ascii_strcasecmp (at, "ib") == 0))
        at += strlen (at);
      if (*at != '\0')
        return dn_throw (error, DN_ERROR_USAGE, "'%s': unknown unit; there are b k m g t", text);
    }
  if (number * factor < 1 || number * factor > (double) SIZE_MAX_BYTES)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': the size is out of range", text);
  *ret_bytes = (gint64) (number * factor);
  return TRUE;
}

gboolean
dn_units_parse_cpus (const char *text, double *ret_cpus, GError **error)
{
  double number;
  const char *at = parse_decimal (text, &number);
  const char *dot = strchr (text, '.');

  if (at == NULL || *at != '\0' || (dot != NULL && strlen (dot) > 4))
    return dn_throw (error, DN_ERROR_USAGE, "'%s': no number of processors; write for instance 1.5",
                     text);
  if (number <= 0 || number > CPUS_MAX)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': must be over 0 and at most %d", text, CPUS_MAX);
  *ret_cpus = number;
  return TRUE;
}

gboolean
dn_units_parse_int (const char *text, gint64 least, gint64 most, gint64 *ret_number, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!g_ascii_string_to_signed (text, 10, least, most, ret_number, &local))
    return dn_throw (error, DN_ERROR_USAGE,
                     "'%s': must be a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, text,
                     least, most);
  return TRUE;
}

static gint64
find_unit_us (const char **at)
{
  static const struct
  {
    const char *name;
    gint64 us;
  } units[] = {
    { "ms", 1000 },
    { "us", 1 },
    { "s", G_USEC_PER_SEC },
    { "m", 60 * G_USEC_PER_SEC },
    { "h", 3600 * (gint64) G_USEC_PER_SEC },
    { "d", 24 * 3600 * (gint64) G_USEC_PER_SEC },
  };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_str_has_prefix (*at, units[i].name))
      {
        *at += strlen (units[i].name);
        return units[i].us;
      }
  return 0;
}

/* Microseconds, or a negative number for what is no duration. */
static double
parse_duration (const char *text)
{
  const char *at = text;
  double total = 0;

  do
    {
      double number;
      gint64 unit;

      at = parse_decimal (at, &number);
      if (at == NULL)
        return -1;
      /* A bare number is seconds, but only alone: "1h30" may be meant either way. */
      unit = *at == '\0' && strspn (text, "0123456789.") == strlen (text) ? G_USEC_PER_SEC
                                                                          : find_unit_us (&at);
      if (unit == 0)
        return -1;
      total += number * (double) unit;
    }
  while (*at != '\0');
  return total;
}

gboolean
dn_units_parse_duration (const char *text, gint64 *ret_us, GError **error)
{
  double total = parse_duration (text);

  if (total < 0 || total > (double) DURATION_MAX_US)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': no duration; write for instance 90s or 1h30m",
                     text);
  *ret_us = (gint64) total;
  return TRUE;
}

static gboolean
parse_epoch (const char *text, gint64 *ret_us)
{
  gsize whole = strspn (text, "0123456789");
  const char *dot = text + whole;
  gint64 us;

  if (whole == 0 || whole > 12)
    return FALSE;
  us = g_ascii_strtoll (text, NULL, 10) * G_USEC_PER_SEC;
  if (*dot == '.')
    {
      gint64 factor = 100000;
      gsize decimals = strspn (dot + 1, "0123456789");

      if (decimals == 0 || decimals > 9 || dot[1 + decimals] != '\0')
        return FALSE;
      for (gsize i = 0; i < decimals && factor > 0; i++, factor /= 10)
        us += (dot[1 + i] - '0') * factor;
    }
  else if (*dot != '\0')
    return FALSE;
  *ret_us = us;
  return TRUE;
}

gboolean
dn_units_parse_time (const char *text, gint64 now_us, gint64 *ret_us, GError **error)
{
  gint64 duration;

  if (parse_epoch (text, ret_us))
    return TRUE;
  if (strchr (text, '-') != NULL)
    {
      g_autoptr (GTimeZone) zone = g_time_zone_new_local ();
      g_autofree char *full
          = strlen (text) == strlen ("2026-11-22")         ? g_strconcat (text, "T00:00:00", NULL)
            : strlen (text) == strlen ("2026-11-22T04:00") ? g_strconcat (text, ":00", NULL)
                                                           : g_strdup (text);
      g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (full, zone);

      if (time != NULL)
        {
          *ret_us
              = g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time);
          return TRUE;
        }
    }
  else if (dn_units_parse_duration (text, &duration, NULL))
    {
      *ret_us = now_us - duration;
      return TRUE;
    }
  return dn_throw (error, DN_ERROR_USAGE,
                   "'%s': no time; write 2026-11-22T04:00:00Z, seconds since 1970, or 10m", text);
}

char *
dn_units_format_size (gint64 bytes)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
  double size = (double) bytes;
  guint unit = 0;

  while (size >= 1024 && unit + 1 < G_N_ELEMENTS (units))
    {
      size /= 1024;
      unit++;
    }
  if (unit == 0 || size >= 100 || (double) (gint64) size == size)
    return g_strdup_printf ("%.0f%s", size, units[unit]);
  return g_strdup_printf ("%.*f%s", size >= 10 ? 1 : 2, size, units[unit]);
}

char *
dn_units_format_duration (gint64 us)
{
  gint64 seconds = MAX (us, 0) / G_USEC_PER_SEC;
  gint64 minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

  if (seconds < 1)
    return g_strdup ("Less than a second");
  if (seconds == 1)
    return g_strdup ("1 second");
  if (seconds < 60)
    return g_strdup_printf ("%d seconds", (int) seconds);
  if (minutes == 1)
    return g_strdup ("About a minute");
  if (minutes < 60)
    return g_strdup_printf ("%d minutes", (int) minutes);
  if (hours == 1)
    return g_strdup ("About an hour");
  if (hours < 48)
    return g_strdup_printf ("%d hours", (int) hours);
  if (days < 14)
    return g_strdup_printf ("%d days", (int) days);
  if (days < 61)
    return g_strdup_printf ("%d weeks", (int) (days / 7));
  if (days < 730)
    return g_strdup_printf ("%d months", (int) (days / 30));
  return g_strdup_printf ("%d years", (int) (days / 365));
}

char *
dn_units_format_ago (gint64 then_us, gint64 now_us)
{
  g_autofree char *length = NULL;

  if (then_us <= 0)
    return g_strdup ("-");
  length = dn_units_format_duration (now_us - then_us);
  return g_strdup_printf ("%s ago", length);
}

char *
dn_units_format_cpu_time (gint64 us)
{
  gint64 seconds = MAX (us, 0) / G_USEC_PER_SEC;

  if (seconds >= 3600)
    return g_strdup_printf ("%" G_GINT64_FORMAT ":%02d:%02d", seconds / 3600,
                            (int) (seconds / 60 % 60), (int) (seconds % 60));
  return g_strdup_printf ("%d:%02d", (int) (seconds / 60), (int) (seconds % 60));
}
