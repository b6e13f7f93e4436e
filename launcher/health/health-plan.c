/* SPDX-License-Identifier: Apache-2.0 */
#include "health-plan.h"

#include "../common/error.h"

void
dn_health_plan_clear (DnHealthPlan *plan)
{
  g_clear_pointer (&plan->command, g_strfreev);
}

/* "CMD" and a command, "CMD-SHELL" and a line for the shell, "NONE"; anything else is none. */
static char **
image_command (const DnImage *image)
{
  char **test = image != NULL ? image->healthcheck : NULL;

  if (test == NULL || test[0] == NULL || test[1] == NULL)
    return NULL;
  if (g_str_equal (test[0], "CMD"))
    return g_strdupv (test + 1);
  if (g_str_equal (test[0], "CMD-SHELL") && test[2] == NULL)
    return g_strdupv ((char *[]){ "/bin/sh", "-c", test[1], NULL });
  return NULL;
}

/* 0: the image does not say. */
static gint64
image_number (const DnImage *image, const char *name)
{
  for (char **at = image != NULL ? image->health_times : NULL; at != NULL && *at != NULL; at++)
    {
      g_auto (GStrv) pair = g_strsplit (*at, "=", 2);
      gint64 number;

      if (pair[0] != NULL && pair[1] != NULL && g_str_equal (pair[0], name)
          && g_ascii_string_to_signed (pair[1], 10, 0, G_MAXINT64, &number, NULL))
        return number;
    }
  return 0;
}

static gint64
choose_time (gint64 own_ns, const DnImage *image, const char *name, gint64 default_ns)
{
  gint64 ns = own_ns != 0 ? own_ns : image_number (image, name);

  return ns == 0 ? default_ns : CLAMP (ns, DN_HEALTH_TIME_LEAST_NS, DN_HEALTH_TIME_MOST_NS);
}

gboolean
dn_health_plan_make (const DnContainerOptions *o, const DnImage *image, DnHealthPlan *ret_plan,
                     GError **error)
{
  gint64 retries = o->health_retries != 0 ? o->health_retries : image_number (image, "retries");

  *ret_plan = (DnHealthPlan){ 0 };
  if (o->has_no_health_check)
    return TRUE;
  ret_plan->command = o->health_command != NULL
                          ? g_strdupv ((char *[]){ "/bin/sh", "-c", o->health_command, NULL })
                          : image_command (image);
  if (ret_plan->command == NULL)
    return !dn_health_has_times (o)
           || dn_throw (error, DN_ERROR_USAGE,
                        "--health-*: the image has no check of its health\ngive one with "
                        "--health-cmd");
  ret_plan->interval_ns
      = choose_time (o->health_interval_ns, image, "interval_ns", DN_HEALTH_INTERVAL_NS);
  ret_plan->timeout_ns
      = choose_time (o->health_timeout_ns, image, "timeout_ns", DN_HEALTH_TIMEOUT_NS);
  ret_plan->start_ns = choose_time (o->health_start_ns, image, "start_period_ns", 0);
  ret_plan->start_interval_ns = choose_time (o->health_start_interval_ns, image,
                                             "start_interval_ns", DN_HEALTH_START_INTERVAL_NS);
  ret_plan->retries = retries == 0 ? DN_HEALTH_RETRIES : CLAMP (retries, 1, DN_HEALTH_RETRIES_MOST);
  return TRUE;
}
