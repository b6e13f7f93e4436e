/* SPDX-License-Identifier: Apache-2.0 */
#include "restart-policy.h"

#include <string.h>

#include "../common/error.h"

#define DELAY_LEAST_MS 100
#define DELAY_MOST_MS 60000
#define RAN_LONG_US (10 * G_USEC_PER_SEC)

static gboolean
refuse (const char *text, GError **error)
{
  return dn_throw (error, DN_ERROR_USAGE,
                   "--restart '%.40s': is no policy\nuse no, always, unless-stopped, on-failure or "
                   "on-failure:N",
                   text);
}

gboolean
dn_restart_policy_parse (const char *text, DnRestartPolicy *ret_policy, GError **error)
{
  static const char *const words[] = { "no", "always", "unless-stopped", "on-failure" };
  const char *colon;

  *ret_policy = (DnRestartPolicy){ DN_RESTART_NO, 0 };
  if (text == NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (text, words[i]))
      {
        ret_policy->when = (DnRestartWhen) i;
        return TRUE;
      }
  colon = strchr (text, ':');
  if (colon == NULL || !g_str_has_prefix (text, "on-failure:"))
    return refuse (text, error);
  ret_policy->when = DN_RESTART_ON_FAILURE;
  return g_ascii_string_to_unsigned (colon + 1, 10, 1, DN_RESTART_MOST, &ret_policy->most, NULL)
         || dn_throw (error, DN_ERROR_USAGE,
                      "--restart '%.40s': how often must be a number from 1 to %d", text,
                      DN_RESTART_MOST);
}

gboolean
dn_restart_policy_wants (const DnRestartPolicy *policy, const DnRestartFacts *facts)
{
  switch (policy->when)
    {
    case DN_RESTART_NO:
      return FALSE;
    case DN_RESTART_ALWAYS:
      return !facts->is_stopped || facts->is_at_start;
    case DN_RESTART_UNLESS_STOPPED:
      return !facts->is_stopped;
    case DN_RESTART_ON_FAILURE:
      return !facts->is_stopped && facts->exit_code != 0
             && (policy->most == 0 || facts->restarts < policy->most);
    }
  g_assert_not_reached ();
}

gboolean
dn_restart_policy_is_anew (gint64 ran_us)
{
  return ran_us >= RAN_LONG_US;
}

guint
dn_restart_policy_delay_ms (guint delay_ms, gint64 ran_us)
{
  if (delay_ms == 0 || dn_restart_policy_is_anew (ran_us))
    return DELAY_LEAST_MS;
  return MIN (delay_ms * 2, DELAY_MOST_MS);
}
