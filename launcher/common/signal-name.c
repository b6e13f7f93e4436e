/* SPDX-License-Identifier: Apache-2.0 */
#include "signal-name.h"

#include <signal.h>
#include <string.h>

#include "error.h"

/* The kernel's numbers, not SIGRTMIN, which the C library moves up for its own use. */
#define RTMIN_NUMBER 34

/* What follows RTMIN or RTMAX: nothing, or @sign and a distance. */
static int
parse_realtime (const char *name)
{
  gboolean is_min = g_ascii_strncasecmp (name, "RTMIN", 5) == 0;
  guint64 offset = 0;

  if (!is_min && g_ascii_strncasecmp (name, "RTMAX", 5) != 0)
    return -1;
  name += 5;
  if (*name != '\0'
      && (*name != (is_min ? '+' : '-')
          || !g_ascii_string_to_unsigned (name + 1, 10, 0, DN_SIGNAL_NUMBER_MAX - RTMIN_NUMBER,
                                          &offset, NULL)))
    return -1;
  return is_min ? RTMIN_NUMBER + (int) offset : DN_SIGNAL_NUMBER_MAX - (int) offset;
}

int
dn_signal_from_text (const char *text)
{
  const char *name = g_ascii_strncasecmp (text, "SIG", 3) == 0 ? text + 3 : text;
  guint64 number;

  if (g_ascii_string_to_unsigned (text, 10, 1, DN_SIGNAL_NUMBER_MAX, &number, NULL))
    return (int) number;
  for (int i = 1; i < RTMIN_NUMBER; i++)
    if (sigabbrev_np (i) != NULL && g_ascii_strcasecmp (sigabbrev_np (i), name) == 0)
      return i;
  return parse_realtime (name);
}

gboolean
dn_signal_parse (const char *text, guint *ret_signal, GError **error)
{
  int number = dn_signal_from_text (text);

  if (number < 0)
    return dn_throw (error, DN_ERROR_USAGE, "'%s': no signal; write for instance TERM or 15", text);
  *ret_signal = (guint) number;
  return TRUE;
}
