/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include "facts.h"
#include "flat.h"
#include "html.h"
#include "map-ground.h"
#include "map-layout.h"

#define ROOF_HEIGHT 92
#define SIGN_HEIGHT 40

/* Shapes and glyphs, so that no mark needs its colour to be told from another. */
static const char marks[]
    = "<symbol id=\"m-good\" viewBox=\"0 0 20 20\"><circle class=\"mf\" cx=\"10\" cy=\"10\" "
      "r=\"9\"/>"
      "<path class=\"mg\" d=\"M5.5 10.5l3 3 6-7\"/></symbol>\n"
      "<symbol id=\"m-attention\" viewBox=\"0 0 20 20\"><path class=\"mf\" d=\"M10 1.5L19 18H1z\"/>"
      "<path class=\"mg\" d=\"M10 7.5v5M10 14.6v1.4\"/></symbol>\n"
      "<symbol id=\"m-bad\" viewBox=\"0 0 20 20\"><path class=\"mf\" "
      "d=\"M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z\"/>"
      "<path class=\"mg\" d=\"M6.5 6.5l7 7m0-7l-7 7\"/></symbol>\n"
      "<symbol id=\"m-unknown\" viewBox=\"0 0 20 20\"><path class=\"mf\" "
      "d=\"M10 .8L19.2 10 10 19.2.8 10z\"/>"
      "<path class=\"mg\" d=\"M7.6 8a2.4 2.4 0 1 1 2.4 2.6V12M10 13.6v1.2\"/></symbol>\n"
      "<symbol id=\"m-note\" viewBox=\"0 0 20 20\"><rect class=\"mf\" x=\"2\" y=\"2\" "
      "width=\"16\" height=\"16\" rx=\"3\"/>"
      "<path class=\"mg\" d=\"M10 9v5M10 5.6v.6\"/></symbol>\n";

static void
put_definitions (GString *out, const DnView *view)
{
  g_string_append (out,
                   "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n");
  g_string_append (out, marks);
  for (guint i = 0; i < view->contexts->len; i++)
    dn_flat_put (out, view->contexts->pdata[i], i, view->contexts->len > DN_MAP_COMPACT_ABOVE);
  dn_ground_put_definitions (out);
  g_string_append (out, "</defs></svg>\n");
}

static void
put_roof (GString *out, const DnView *view, guint columns)
{
  const gint width = dn_map_width (columns);
  DnReportVerdict verdict
      = dn_report_verdict_parse (dn_facts_text (view->document, "summary.verdict"));
  const char *host = dn_facts_text (view->document, "host.hostname");
  g_autofree char *name = dn_flat_fit (*host != '\0' ? host : "?", MIN (width - 140, 460), 18);
  const gint sign = (gint) (g_utf8_strlen (name, -1) * 11) + 60;

  dn_html_put (out,
               "<svg class=\"roof\" viewBox=\"0 0 %d %d\" role=\"img\"><title>The building: "
               "host %s</title><desc>Verdict: %s. %u contexts as flats.</desc>",
               width, ROOF_HEIGHT, name, dn_report_verdict_words[verdict], view->contexts->len);
  dn_html_put (out,
               "<path class=\"pole\" d=\"M%d 62V22m-14 8h28m-22 9h16M%d 62V34\"/>"
               "<path class=\"roof-tiles\" d=\"M0 %dL34 58H%dL%d %dz\"/>",
               width - 90, 100, ROOF_HEIGHT, width - 34, width, ROOF_HEIGHT);
  dn_html_put (out,
               "<rect class=\"sign %s\" x=\"%d\" y=\"22\" width=\"%d\" height=\"%d\"/>"
               "<use class=\"%s\" href=\"#m-%s\" x=\"%d\" y=\"31\" width=\"22\" height=\"22\"/>"
               "<text class=\"host\" x=\"%d\" y=\"48\">%s</text></svg>\n",
               dn_report_verdict_words[verdict], (width - sign) / 2, sign, SIGN_HEIGHT,
               dn_report_verdict_words[verdict], dn_report_verdict_words[verdict],
               (width - sign) / 2 + 12, (width - sign) / 2 + 42, name);
}

static void
put_flat (GString *out, const DnView *view, guint index, DnMapBox box)
{
  JsonObject *context = view->contexts->pdata[index];
  guint rooms = dn_facts_length (dn_facts_array (context, "containers"));

  dn_html_put (
      out,
      "<a href=\"#c%u\"><title>%s: %s, %u container%s</title>"
      "<use href=\"#f%u\" x=\"%d\" y=\"%d\"/></a>\n",
      index, dn_facts_text (context, "name"),
      dn_report_verdict_words[dn_report_verdict_parse (dn_facts_text (context, "verdict"))], rooms,
      rooms == 1 ? "" : "s", index, box.x, box.y);
}

static void
put_block (GString *out, const DnView *view, const DnMapLayout *layout, const DnMapBlock *block)
{
  const DnTenant *tenant = &g_array_index (view->tenants, DnTenant, block->tenant);
  DnMapBox box = dn_map_block_box (layout, block);
  g_autofree char *part = block->parts > 1
                              ? g_strdup_printf (" (%u of %u)", block->part, block->parts)
                              : g_strdup ("");
  g_autofree char *name = dn_flat_fit (*tenant->name != '\0' ? tenant->name : "no tenant",
                                       box.width - 16 - (gint) g_utf8_strlen (part, -1) * 8, 12);

  dn_html_put (out,
               "<rect class=\"block\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
               "<text class=\"tenant\" x=\"%d\" y=\"%d\">%s%s</text>\n",
               box.x, box.y, box.width, box.height, box.x + 8, box.y + 17, name, part);
  for (guint i = 0; i < block->count; i++)
    put_flat (out, view, block->first + i, dn_map_flat_box (layout, block, i));
}

static void
put_storey (GString *out, const DnView *view, const DnMapLayout *layout, guint number)
{
  GArray *storey = layout->storeys->pdata[number];
  const gint width = dn_map_width (layout->columns), height = dn_map_storey_height (layout);

  dn_html_put (out,
               "<svg class=\"storey\" viewBox=\"0 0 %d %d\" role=\"group\"><title>Storey "
               "%u</title><rect class=\"concrete\" width=\"%d\" height=\"%d\"/>"
               "<path class=\"slab\" d=\"M0 %dH%d\"/>\n",
               width, height, layout->storeys->len - number, width, height, height - 2, width);
  for (guint i = 0; i < storey->len; i++)
    put_block (out, view, layout, &g_array_index (storey, DnMapBlock, i));
  g_string_append (out, "</svg>\n");
}

static void
put_empty_storey (GString *out, guint columns)
{
  const gint width = dn_map_width (columns);

  dn_html_put (out,
               "<svg class=\"storey\" viewBox=\"0 0 %d 72\" role=\"img\"><title>No flats</title>"
               "<rect class=\"concrete\" width=\"%d\" height=\"72\"/>"
               "<rect class=\"vacant\" x=\"%d\" y=\"14\" width=\"%d\" height=\"44\"/>"
               "<text class=\"tenant\" x=\"%d\" y=\"41\">no contexts: nobody lives here</text>"
               "</svg>\n",
               width, width, DN_MAP_MARGIN, width - 2 * DN_MAP_MARGIN, DN_MAP_MARGIN + 14);
}

/* No wider than it must be: for its flats, the shacks in the yard and the sign on the roof. */
static guint
choose_columns (const DnMapLayout *layout, const DnView *view)
{
  guint shacks = view->outsiders->len + view->runtimes->len;

  return CLAMP (MAX (dn_map_layout_used (layout), shacks), 2, layout->columns);
}

static void
put_building (GString *out, const DnView *view, guint columns_max)
{
  g_autofree guint *sizes = g_new (guint, view->tenants->len + 1);
  g_autoptr (DnMapLayout) layout = NULL;
  guint columns;

  for (guint i = 0; i < view->tenants->len; i++)
    sizes[i] = g_array_index (view->tenants, DnTenant, i).count;
  layout = dn_map_layout_new (sizes, view->tenants->len, columns_max,
                              view->contexts->len > DN_MAP_COMPACT_ABOVE ? DN_FLAT_HEIGHT_COMPACT
                                                                         : DN_FLAT_HEIGHT);
  columns = choose_columns (layout, view);
  layout->columns = columns;
  dn_html_put (out, "<div class=\"map m%u\" style=\"max-width:%dpx\">\n", columns_max,
               dn_map_width (columns));
  put_roof (out, view, columns);
  for (guint i = 0; i < layout->storeys->len; i++)
    put_storey (out, view, layout, i);
  if (layout->storeys->len == 0)
    put_empty_storey (out, columns);
  dn_ground_put_floor (out, view, columns);
  dn_ground_put_yard (out, view, columns);
  g_string_append (out, "</div>\n");
}

void
dn_map_put (GString *out, const DnView *view)
{
  static const guint widths[] = { 6, 4, 2 };

  put_definitions (out, view);
  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    put_building (out, view, widths[i]);
}
