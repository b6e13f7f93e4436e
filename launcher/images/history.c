/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <string.h>

#define EMPTY "empty "
#define LAYER "layer "

GArray *
dn_history_match (char **created_by, char **steps, guint layers)
{
  GArray *history = g_array_new (FALSE, FALSE, sizeof (DnHistoryStep));
  guint count = g_strv_length (created_by);
  gboolean is_known = g_strv_length (steps) == count;
  guint made = 0;

  for (guint i = 0; is_known && i < count; i++)
    made += g_str_has_prefix (steps[i], LAYER);
  is_known = is_known && made == layers;
  made = 0;
  for (guint i = 0; i < count; i++)
    {
      DnHistoryStep step
          = { .created = "", .created_by = created_by[i], .layer = DN_HISTORY_UNKNOWN };

      if (g_strv_length (steps) == count
          && (g_str_has_prefix (steps[i], EMPTY) || g_str_has_prefix (steps[i], LAYER)))
        step.created = steps[i] + strlen (EMPTY);
      if (is_known)
        step.layer = g_str_has_prefix (steps[i], LAYER) ? (gint) made++ : DN_HISTORY_NO_LAYER;
      g_array_append_val (history, step);
    }
  return history;
}
