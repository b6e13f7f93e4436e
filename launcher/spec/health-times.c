/* SPDX-License-Identifier: Apache-2.0 */
#include "health-times.h"

#include "../common/error.h"

static gboolean
check_time (const char *flag, gint64 ns, gint64 least_ns, GError **error)
{
  return ns == 0 || (ns >= least_ns && ns <= DN_HEALTH_TIME_MOST_NS)
         || dn_throw (error, DN_ERROR_USAGE, "%s: must be from 100 ms to a day", flag);
}

gboolean
dn_health_has_times (const DnContainerOptions *o)
{
  return o->health_interval_ns != 0 || o->health_timeout_ns != 0 || o->health_start_ns != 0
         || o->health_start_interval_ns != 0 || o->health_retries != 0;
}

gboolean
dn_health_times_check (const DnContainerOptions *o, GError **error)
{
  if (o->has_no_health_check && (o->health_command != NULL || dn_health_has_times (o)))
    return dn_throw (error, DN_ERROR_USAGE, "--no-healthcheck and --health-* exclude each other");
  if (o->health_command != NULL && o->health_command[0] == '\0')
    return dn_throw (error, DN_ERROR_USAGE,
                     "--health-cmd: is empty\nuse --no-healthcheck for none");
  if (o->health_retries < 0 || o->health_retries > DN_HEALTH_RETRIES_MOST)
    return dn_throw (error, DN_ERROR_USAGE, "--health-retries: must be from 1 to %d",
                     DN_HEALTH_RETRIES_MOST);
  return check_time ("--health-interval", o->health_interval_ns, DN_HEALTH_TIME_LEAST_NS, error)
         && check_time ("--health-timeout", o->health_timeout_ns, DN_HEALTH_TIME_LEAST_NS, error)
         && check_time ("--health-start-period", o->health_start_ns, DN_HEALTH_TIME_LEAST_NS, error)
         && check_time ("--health-start-interval", o->health_start_interval_ns,
                        DN_HEALTH_TIME_LEAST_NS, error);
}
