/* SPDX-License-Identifier: Apache-2.0 */
#include "flat.h"

#include "../cli/escape.h"
#include "../cli/table.h"
#include "facts.h"
#include "html.h"
#include "map-layout.h"
#include "value.h"
#include "view.h"
#include "window.h"

#include <string.h>

#define ROOMS_MAX 3
#define SQUARES_MAX 6
#define PADDING 10
#define ROOM_Y 48
#define ROOM_GAP 6
#define WINDOW_Y 22
#define WINDOW_WIDTH 32
#define WINDOW_HEIGHT 17
#define WINDOW_GAP 3
#define GLYPH 0.61 /* the widest of common fixed-width fonts, in its size */

char *
dn_flat_fit (const char *text, gint width, gdouble size)
{
  return dn_table_shorten (text, (guint) MAX (1, (gint) (width / (size * GLYPH))));
}

/* What tells flats of a tenant apart is the end of their names: its own name, which the block has,
 * goes first, then the middle. (transfer full) */
static char *
fit_name (const char *name, const char *tenant, gint width, gdouble size)
{
  guint room = (guint) (width / (size * GLYPH));
  glong length;
  g_autofree char *start = NULL, *end = NULL;

  if (dn_escape_width (name) > room && *tenant != '\0' && g_str_has_prefix (name, tenant)
      && name[strlen (tenant)] != '\0')
    {
      g_autofree char *rest = g_strconcat ("…", name + strlen (tenant), NULL);

      return fit_name (rest, "", width, size);
    }
  length = g_utf8_strlen (name, -1);
  if (dn_escape_width (name) <= room || length != (glong) dn_escape_width (name))
    return dn_flat_fit (name, width, size);
  start = g_utf8_substring (name, 0, room / 2);
  end = g_utf8_substring (name, length - (room - 1 - room / 2), -1);
  return g_strconcat (start, "…", end, NULL);
}

static gboolean
is_running (JsonObject *object)
{
  return g_str_equal (dn_facts_text (object, "state"), "running");
}

static const char *
room_classes (JsonObject *container)
{
  gboolean is_relaxed = dn_facts_length (dn_facts_array (container, "relaxations")) > 0
                        || dn_facts_length (dn_facts_array (container, "capabilities")) > 0;

  if (is_running (container))
    return is_relaxed ? "room on relaxed" : "room on";
  return is_relaxed ? "room off relaxed" : "room off";
}

static void
put_window (GString *out, const DnWindow *window, DnMapBox box, guint more)
{
  g_autofree char *count = g_strdup_printf ("+%u", more + 1);
  g_autofree char *label = dn_flat_fit (more > 0 ? count : window->label, box.width, 9.5);

  dn_html_put (out,
               "<rect class=\"win %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
               "<text class=\"w\" x=\"%d\" y=\"%d\">%s</text>",
               dn_window_classes[window->kind], box.x, box.y, box.width, box.height,
               box.x + box.width / 2, box.y + box.height / 2 + 4, label);
}

/* Two rows; the last window says how many there are besides. */
static void
put_windows (GString *out, JsonObject *container, gint width)
{
  g_autoptr (GPtrArray) windows = dn_window_list (container);
  guint per_row = dn_map_row_count (width - 8, WINDOW_WIDTH, WINDOW_GAP);
  guint shown = MIN (windows->len, 2 * per_row);

  for (guint i = 0; i < shown; i++)
    {
      DnMapBox box = dn_map_row_box (i, per_row, WINDOW_WIDTH, WINDOW_HEIGHT, WINDOW_GAP + 1);

      box.x = 5 + (gint) (i % per_row) * (WINDOW_WIDTH + WINDOW_GAP);
      box.y += WINDOW_Y;
      put_window (out, windows->pdata[i], box, i + 1 == shown ? windows->len - shown : 0);
    }
}

static void
put_room (GString *out, JsonObject *container, DnMapBox box)
{
  const char *name = dn_facts_text (container, "name");
  g_autofree char *label
      = dn_flat_fit (*name != '\0' ? name : dn_facts_text (container, "id"), box.width - 8, 11);

  dn_html_put (out,
               "<g class=\"%s\" transform=\"translate(%d %d)\"><rect class=\"in\" width=\"%d\" "
               "height=\"%d\"/><text class=\"r\" x=\"5\" y=\"15\">%s</text>",
               room_classes (container), box.x, box.y, box.width, box.height, label);
  put_windows (out, container, box.width);
  g_string_append (out, "</g>");
}

static void
put_rooms (GString *out, JsonArray *containers)
{
  const gint room = DN_MAP_FLAT_WIDTH - 2 * PADDING;
  guint count = dn_facts_length (containers);
  guint shown = MIN (count, ROOMS_MAX);
  gint width = shown > 0 ? (room - (gint) (shown - 1) * ROOM_GAP) / (gint) shown : room;

  if (count == 0)
    dn_html_put (out, "<text class=\"s\" x=\"%d\" y=\"%d\">no containers</text>", PADDING,
                 ROOM_Y + 20);
  for (guint i = 0; i < shown; i++)
    {
      DnMapBox box = dn_map_row_box (i, shown, width, DN_FLAT_HEIGHT - ROOM_Y - PADDING, ROOM_GAP);

      box.x += PADDING;
      box.y += ROOM_Y;
      if (count > ROOMS_MAX && i + 1 == shown)
        dn_html_put (out, "<text class=\"r\" x=\"%d\" y=\"%d\">+%u</text>", box.x + 8,
                     box.y + box.height / 2 + 4, count - shown + 1);
      else
        put_room (out, dn_facts_nth (containers, i), box);
    }
}

/* One window for all ports that lead to the flat from outside of the host. */
static void
put_published (GString *out, JsonArray *containers)
{
  const DnMapBox box = { DN_MAP_FLAT_WIDTH - PADDING - 52, 43, 52, WINDOW_HEIGHT - 4 };
  guint count = 0;
  g_autofree char *label = NULL;

  for (guint i = 0; i < dn_facts_length (containers); i++)
    {
      JsonArray *ports = dn_facts_array (dn_facts_nth (containers, i), "ports");

      for (guint port = 0; port < dn_facts_length (ports); port++, count++)
        if (label == NULL)
          label = dn_view_published (json_array_get_element (ports, port));
    }
  if (count > 1)
    {
      g_free (label);
      label = g_strdup_printf ("%u ports", count);
    }
  if (count > 0)
    put_window (out, &(DnWindow){ DN_WINDOW_PUBLISHED, label }, box, 0);
}

/* A square for each room: enough to find the flat that stands out. */
static void
put_squares (GString *out, JsonArray *containers)
{
  guint count = dn_facts_length (containers);
  guint shown = MIN (count, SQUARES_MAX);
  gint x = PADDING;

  for (guint i = 0; i < shown; i++, x += 15)
    dn_html_put (out,
                 "<g class=\"%s\"><rect class=\"in\" x=\"%d\" y=\"43\" width=\"12\" "
                 "height=\"12\"/></g>",
                 room_classes (dn_facts_nth (containers, i)), x);
  if (count > shown)
    dn_html_put (out, "<text class=\"s\" x=\"%d\" y=\"53\">+%u</text>", x, count - shown);
  if (count == 0)
    dn_html_put (out, "<text class=\"s\" x=\"%d\" y=\"53\">no containers</text>", x);
  put_published (out, containers);
}

void
dn_flat_put (GString *out, JsonObject *context, guint index, gboolean is_compact)
{
  JsonArray *containers = dn_facts_array (context, "containers");
  DnReportVerdict verdict = dn_report_verdict_parse (dn_facts_text (context, "verdict"));
  const char *name = dn_facts_text (context, "name");
  g_autofree char *label = fit_name (*name != '\0' ? name : "?", dn_facts_text (context, "tenant"),
                                     DN_MAP_FLAT_WIDTH - 42, 13);
  g_autofree char *labels
      = dn_value_join (" · ", dn_facts_text (context, "stage"), dn_facts_text (context, "tier"),
                       is_running (context) ? "" : dn_facts_text (context, "state"), NULL);
  g_autofree char *below = dn_flat_fit (labels, DN_MAP_FLAT_WIDTH - 2 * PADDING, 11);

  dn_html_put (out,
               "<g id=\"f%u\" class=\"flat %s%s\"><rect class=\"wall\" x=\"1\" y=\"1\" "
               "width=\"%d\" height=\"%d\"/><text class=\"n\" x=\"%d\" y=\"21\">%s</text>"
               "<use href=\"#m-%s\" x=\"%d\" y=\"7\" width=\"20\" height=\"20\"/>"
               "<text class=\"s\" x=\"%d\" y=\"37\">%s</text>",
               index, dn_report_verdict_words[verdict], is_running (context) ? "" : " dark",
               DN_MAP_FLAT_WIDTH - 2, (is_compact ? DN_FLAT_HEIGHT_COMPACT : DN_FLAT_HEIGHT) - 2,
               PADDING, label, dn_report_verdict_words[verdict], DN_MAP_FLAT_WIDTH - 28, PADDING,
               below);
  if (is_compact)
    put_squares (out, containers);
  else
    put_rooms (out, containers);
  g_string_append (out, "</g>\n");
}
