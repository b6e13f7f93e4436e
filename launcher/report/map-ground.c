/* SPDX-License-Identifier: Apache-2.0 */
#include "map-ground.h"

#include "describe.h"
#include "facts.h"
#include "flat.h"
#include "html.h"
#include "map-layout.h"
#include "value.h"
#include "wrap.h"

#define LINE_HEIGHT 17
#define TEXT_SIZE 12
#define DOOR_WIDTH 58
#define DOOR_HEIGHT 58
#define DOOR_GAP 8
#define DOOR_ROWS 2
#define SHACK_HEIGHT 92
#define SHACK_GAP (DN_MAP_PITCH - DN_MAP_FLAT_WIDTH)
#define SHACK_ROWS 4
#define SKY 14
#define PATH_HEIGHT 30

void
dn_ground_put_definitions (GString *out)
{
  dn_html_put (out,
               "<g id=\"door\"><path class=\"door\" d=\"M8 44V14a6 6 0 0 1 6-6h30a6 6 0 0 1 6 "
               "6v30z\"/><circle class=\"knob\" cx=\"44\" cy=\"34\" r=\"2\"/></g>\n"
               "<g id=\"shack\"><path class=\"hut\" d=\"M12 34h160v%dH12z\"/>"
               "<path class=\"hut-roof\" d=\"M2 36L30 8h128l24 28z\"/></g>\n",
               SHACK_HEIGHT - 35);
}

static void
put_door (GString *out, JsonObject *listener, DnMapBox box, guint more)
{
  g_autofree char *port = dn_view_port (listener);
  g_autofree char *count = g_strdup_printf ("+%u", more + 1);
  g_autofree char *label = dn_flat_fit (more > 0 ? count : port, 36, 11);
  g_autofree char *below
      = dn_flat_fit (more > 0 ? "more" : dn_facts_text (listener, "process"), box.width + 4, 10);

  dn_html_put (out,
               "<a href=\"#listeners\"><title>Door: %s port %s, %s</title>"
               "<use href=\"#door\" x=\"%d\" y=\"%d\"/><text class=\"no\" x=\"%d\" "
               "y=\"%d\">%s</text><text class=\"d\" x=\"%d\" y=\"%d\">%s</text></a>\n",
               dn_facts_text (listener, "protocol"), port, dn_facts_text (listener, "process"),
               box.x, box.y, box.x + 29, box.y + 25, label, box.x + 29, box.y + 56, below);
}

void
dn_ground_put_floor (GString *out, const DnView *view, guint columns)
{
  const gint width = dn_map_width (columns), room = width - 2 * DN_MAP_MARGIN;
  g_autofree char *text = dn_describe_host (view);
  g_autoptr (GPtrArray) lines = dn_wrap_text (text, (guint) (room / (TEXT_SIZE * 0.61)));
  guint per_row = dn_map_row_count (room, DOOR_WIDTH, DOOR_GAP);
  guint shown = MIN (view->doors->len, per_row * DOOR_ROWS);
  guint rows = (shown + per_row - 1) / per_row;
  gint y = 14 + (gint) lines->len * LINE_HEIGHT;
  gint height = y + 12 + (gint) rows * (DOOR_HEIGHT + DOOR_GAP);

  dn_html_put (out,
               "<svg class=\"storey\" viewBox=\"0 0 %d %d\" role=\"group\"><title>Ground floor: "
               "the host itself</title><rect class=\"base\" width=\"%d\" height=\"%d\"/>\n",
               width, height, width, height);
  for (guint i = 0; i < lines->len; i++)
    dn_html_put (out, "<text class=\"g\" x=\"%d\" y=\"%d\">%s</text>", DN_MAP_MARGIN,
                 14 + 11 + (gint) i * LINE_HEIGHT, (const char *) lines->pdata[i]);
  for (guint i = 0; i < shown; i++)
    {
      DnMapBox box = dn_map_row_box (i, per_row, DOOR_WIDTH, DOOR_HEIGHT, DOOR_GAP);

      box.x += DN_MAP_MARGIN;
      box.y += y + 6;
      put_door (out, view->doors->pdata[i], box, i + 1 == shown ? view->doors->len - shown : 0);
    }
  g_string_append (out, "</svg>\n");
}

static void
put_shack (GString *out, const char *href, const char *name, const char *kind, DnMapBox box)
{
  g_autofree char *label = dn_flat_fit (*name != '\0' ? name : "?", DN_MAP_FLAT_WIDTH - 40, 12);
  g_autofree char *below = dn_flat_fit (kind, DN_MAP_FLAT_WIDTH - 40, 11);

  dn_html_put (out,
               "<a href=\"#%s\"><title>Outside: %s, %s</title><use href=\"#shack\" x=\"%d\" "
               "y=\"%d\"/><text class=\"n\" x=\"%d\" y=\"%d\">%s</text>"
               "<text class=\"s\" x=\"%d\" y=\"%d\">%s</text></a>\n",
               href, name, kind, box.x, box.y, box.x + 24, box.y + 58, label, box.x + 24,
               box.y + 76, below);
}

static void
put_outsider (GString *out, const DnView *view, guint index, DnMapBox box)
{
  if (index < view->outsiders->len)
    {
      JsonObject *machine = view->outsiders->pdata[index];
      g_autofree char *kind
          = dn_value_join (" ", "foreign VM,", dn_facts_text (machine, "hypervisor"), NULL);

      put_shack (out, "machines", dn_facts_text (machine, "name"), kind, box);
    }
  else
    {
      JsonObject *runtime = view->runtimes->pdata[index - view->outsiders->len];
      g_autofree char *kind
          = dn_value_join (" ", "runtime,", dn_facts_text (runtime, "kind"), NULL);

      put_shack (out, "runtimes", dn_facts_text (runtime, "name"), kind, box);
    }
}

/* How many shacks there are is in the tables too: the yard ends with a number. */
void
dn_ground_put_yard (GString *out, const DnView *view, guint columns)
{
  const gint width = dn_map_width (columns);
  guint all = view->outsiders->len + view->runtimes->len;
  guint shown = MIN (all, columns * SHACK_ROWS);
  gint height = PATH_HEIGHT + (gint) ((shown + columns - 1) / columns) * (SHACK_HEIGHT + SKY);

  dn_html_put (out,
               "<svg class=\"yard\" viewBox=\"0 0 %d %d\" role=\"group\"><title>The yard: what "
               "runs outside of the building</title><rect class=\"grass\" width=\"%d\" "
               "height=\"%d\"/>",
               width, height, width, height);
  for (guint i = 0; i < shown; i++)
    {
      DnMapBox box = dn_map_row_box (i, columns, DN_MAP_FLAT_WIDTH, SHACK_HEIGHT, SHACK_GAP);

      box.x += DN_MAP_MARGIN;
      box.y = (gint) (i / columns) * (SHACK_HEIGHT + SKY) + SKY;
      put_outsider (out, view, i, box);
    }
  dn_html_put (out, "<text class=\"g\" x=\"%d\" y=\"%d\">", DN_MAP_MARGIN, height - 10);
  if (all == 0)
    g_string_append (out, "Yard: nothing runs outside of the building");
  else if (all > shown)
    dn_html_put (out, "Yard: %u outside of the building, %u more in the tables", all, all - shown);
  else
    dn_html_put (out, "Yard: %u outside of the building", all);
  g_string_append (out, "</text></svg>\n");
}
