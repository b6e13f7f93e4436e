/* SPDX-License-Identifier: Apache-2.0 */
#include "ulimit.h"

#include <string.h>

#include "../common/error.h"
#include "quantity.h"

static const struct
{
  const char *name;
  const char *type; /* NULL: refused */
} limits[] = {
  { "core", "RLIMIT_CORE" },
  { "cpu", "RLIMIT_CPU" },
  { "data", "RLIMIT_DATA" },
  { "fsize", "RLIMIT_FSIZE" },
  { "locks", "RLIMIT_LOCKS" },
  { "memlock", "RLIMIT_MEMLOCK" },
  { "msgqueue", "RLIMIT_MSGQUEUE" },
  { "nofile", "RLIMIT_NOFILE" },
  { "nproc", "RLIMIT_NPROC" },
  { "rss", "RLIMIT_RSS" },
  { "sigpending", "RLIMIT_SIGPENDING" },
  { "stack", "RLIMIT_STACK" },
  { "as", "RLIMIT_AS" },
  /* With these a process takes the processor from the other containers of its guest, and from the
   * agent that would have to stop it. */
  { "nice", NULL },
  { "rtprio", NULL },
  { "rttime", NULL },
};

static gboolean
parse_value (const char *text, gint64 *ret_value)
{
  if (g_str_equal (text, "-1") || g_str_equal (text, "unlimited"))
    {
      *ret_value = DN_ULIMIT_NONE;
      return TRUE;
    }
  return dn_quantity_parse_number (text, 10, G_MAXINT64, ret_value);
}

static gboolean
find_type (const char *name, const char *text, const char **ret_type, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      if (!g_str_equal (limits[i].name, name))
        continue;
      if (limits[i].type == NULL)
        return dn_throw (error, DN_ERROR_DENIED,
                         "--ulimit '%s': not permitted\n"
                         "use --cpu-shares to give a container more of the processor",
                         text);
      *ret_type = limits[i].type;
      return TRUE;
    }
  return dn_throw (error, DN_ERROR_USAGE,
                   "--ulimit '%s': no limit of that name\n"
                   "known are as core cpu data fsize locks memlock msgqueue nofile nproc rss "
                   "sigpending stack",
                   text);
}

gboolean
dn_ulimit_parse (const char *text, DnUlimit *ret_ulimit, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (text, "=", 2);
  g_auto (GStrv) values = NULL;
  DnUlimit ulimit = { NULL, 0, 0 };

  if (g_strv_length (halves) == 2)
    values = g_strsplit (halves[1], ":", 2);
  if (values == NULL || values[0] == NULL || !parse_value (values[0], &ulimit.soft)
      || !parse_value (values[1] != NULL ? values[1] : values[0], &ulimit.hard))
    return dn_throw (error, DN_ERROR_USAGE,
                     "--ulimit '%s': not NAME=SOFT[:HARD]\nfor instance nofile=1024:4096", text);
  if (!find_type (halves[0], text, &ulimit.type, error))
    return FALSE;
  if (ulimit.hard != DN_ULIMIT_NONE && (ulimit.soft == DN_ULIMIT_NONE || ulimit.soft > ulimit.hard))
    return dn_throw (error, DN_ERROR_USAGE, "--ulimit '%s': the soft limit is above the hard one",
                     text);
  if (g_str_equal (ulimit.type, "RLIMIT_NOFILE")
      && (ulimit.hard == DN_ULIMIT_NONE || ulimit.hard > DN_ULIMIT_NOFILE_MAX))
    return dn_throw (error, DN_ERROR_USAGE, "--ulimit '%s': the most is %d", text,
                     DN_ULIMIT_NOFILE_MAX);
  *ret_ulimit = ulimit;
  return TRUE;
}

/* Limits that are for profiles alone. */
static const struct
{
  const char *name;
  const char *type;
} barred[] = { { "nice", "RLIMIT_NICE" }, { "rtprio", "RLIMIT_RTPRIO" } };

gboolean
dn_ulimit_parse_any (const char *text, DnUlimit *ret_ulimit, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (barred); i++)
    {
      g_autofree char *once = g_strconcat (barred[i].name, "=0", NULL);
      g_autofree char *twice = g_strconcat (barred[i].name, "=0:0", NULL);

      if (g_str_equal (text, once) || g_str_equal (text, twice))
        {
          *ret_ulimit = (DnUlimit){ barred[i].type, 0, 0 };
          return TRUE;
        }
    }
  return dn_ulimit_parse (text, ret_ulimit, error);
}

const char *
dn_ulimit_name (const DnUlimit *ulimit)
{
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    if (g_strcmp0 (limits[i].type, ulimit->type) == 0)
      return limits[i].name;
  for (guint i = 0; i < G_N_ELEMENTS (barred); i++)
    if (g_str_equal (barred[i].type, ulimit->type))
      return barred[i].name;
  g_return_val_if_reached (NULL);
}
