/* SPDX-License-Identifier: Apache-2.0 */
#include "quantity.h"

#include <string.h>

static gboolean
parse_digits (const char *text, gsize length, guint base, gint64 most, gint64 *ret_number)
{
  gint64 number = 0;

  if (length == 0)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      int digit = g_ascii_digit_value (text[i]);

      if (digit < 0 || (guint) digit >= base || number > (most - digit) / base)
        return FALSE;
      number = number * base + digit;
    }
  *ret_number = number;
  return TRUE;
}

gboolean
dn_quantity_parse_number (const char *text, guint base, gint64 most, gint64 *ret_number)
{
  return parse_digits (text, strlen (text), base, most, ret_number);
}

gboolean
dn_quantity_parse_bytes (const char *text, gint64 *ret_bytes)
{
  static const char units[] = "bkmgt";
  gsize length = strlen (text);
  const char *unit = units;
  gint64 number;

  if (length > 0 && g_ascii_isalpha (text[length - 1]))
    {
      unit = strchr (units, g_ascii_tolower (text[length - 1]));
      length--;
    }
  if (unit == NULL || !parse_digits (text, length, 10, G_MAXINT64 >> (10 * (unit - units)), &number)
      || number == 0)
    return FALSE;
  *ret_bytes = number << (10 * (unit - units));
  return TRUE;
}
