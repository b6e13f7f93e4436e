/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/report/*.c launcher/cli/escape.c launcher/cli/table.c launcher/cli/units.c
   launcher/common/json.c launcher/common/error.c */
/* What the drawing says of hosts large and small, by its words: what does not fit is counted. */
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/report/flat.h"
#include "../../launcher/report/map.h"
#include "../../launcher/report/report.h"

static char *
draw (const char *document)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node
      = dn_json_parse (document, strlen (document), 1 << 20, "document", &error);

  g_assert_no_error (error);
  return dn_report_html (json_node_get_object (node));
}

static void
assert_says (const char *page, const char *what)
{
  if (strstr (page, what) == NULL)
    g_error ("the page does not say: %s", what);
}

static guint
count (const char *page, const char *what)
{
  guint times = 0;

  for (const char *at = strstr (page, what); at != NULL; at = strstr (at + 1, what))
    times++;
  return times;
}

/* @count times @text, with commas between. */
static char *
repeat (const char *text, guint times)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < times; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? "," : "", text);
  return g_string_free (out, FALSE);
}

/* "{"contexts":[...]}", all of one tenant and called tenant-0, tenant-1 ... */
static char *
building (guint contexts, const char *containers)
{
  GString *out = g_string_new ("{\"contexts\":[");

  for (guint i = 0; i < contexts; i++)
    g_string_append_printf (out,
                            "%s{\"name\":\"tenant-%u\",\"tenant\":\"tenant\",\"state\":\"running\","
                            "\"verdict\":\"good\",\"containers\":[%s]}",
                            i > 0 ? "," : "", i, containers);
  g_string_append (out, "]}");
  return g_string_free (out, FALSE);
}

static void
test_many_flats_are_drawn_compactly (void)
{
  g_autofree char *few = building (DN_MAP_COMPACT_ABOVE, "");
  g_autofree char *many = building (DN_MAP_COMPACT_ABOVE + 1, "");
  g_autofree char *large = draw (few), *compact = draw (many);
  g_autofree char *wall = g_strdup_printf ("width=\"182\" height=\"%d\"", DN_FLAT_HEIGHT - 2);
  g_autofree char *low
      = g_strdup_printf ("width=\"182\" height=\"%d\"", DN_FLAT_HEIGHT_COMPACT - 2);

  g_assert_cmpuint (count (large, wall), ==, DN_MAP_COMPACT_ABOVE);
  g_assert_cmpuint (count (compact, low), ==, DN_MAP_COMPACT_ABOVE + 1);
  assert_says (large, "tenant (1 of 8)");
  assert_says (compact, "tenant (9 of 9)");
  assert_says (compact, ">no containers<");
  /* Once drawn, once used in each of three maps. */
  g_assert_cmpuint (count (compact, "<g id=\"f"), ==, DN_MAP_COMPACT_ABOVE + 1);
  g_assert_cmpuint (count (compact, "<use href=\"#f"), ==, 3 * (DN_MAP_COMPACT_ABOVE + 1));
}

static void
test_what_does_not_fit_is_counted (void)
{
  g_autofree char *ports = repeat ("{\"host_port\":80},443,\"8080/udp\"", 1);
  g_autofree char *room = g_strdup_printf (
      "{\"name\":\"r\",\"state\":\"running\",\"ports\":[%s],\"listeners\":[]}", ports);
  g_autofree char *rooms = repeat (room, 8);
  g_autofree char *few = building (1, rooms), *many = building (DN_MAP_COMPACT_ABOVE + 1, rooms);
  g_autofree char *large = draw (few), *compact = draw (many);
  g_autofree char *one = building (DN_MAP_COMPACT_ABOVE + 1, "{\"ports\":[8443]}");
  g_autofree char *single = draw (one);

  /* Two rooms and six more; two windows, of which the second stands for two. */
  g_assert_cmpuint (count (large, "<g class=\"room on\" transform="), ==, 2);
  assert_says (large, ">+6</text>");
  assert_says (large, ">+2</text>");
  assert_says (large, "published: 80, 443, 8080/udp<br>nothing listens");
  assert_says (compact, ">+2</text>");
  assert_says (compact, ">24 ports</text>");
  assert_says (single, ">8443</text>");
}

static void
test_the_yard_and_the_doors_are_counted (void)
{
  g_autofree char *machines = repeat ("{\"name\":\"m\"}", 40);
  g_autofree char *listeners
      = repeat ("{\"protocol\":\"tcp\",\"port\":1,\"exposure\":\"all\",\"process\":\"p\"}", 90);
  g_autofree char *document
      = g_strdup_printf ("{\"machines\":[%s],\"listeners\":[%s]}", machines, listeners);
  g_autofree char *page = draw (document);

  assert_says (page, "Yard: 40 outside of the building, 16 more in the tables");
  assert_says (page, "Yard: 40 outside of the building, 32 more in the tables");
  assert_says (page, ">more</text>");
}

static void
test_a_name_keeps_what_tells_it_apart (void)
{
  static const struct
  {
    const char *name;
    const char *tenant;
    const char *drawn;
  } cases[] = {
    { "short", "short", ">short<" },
    { "tenant-database-1", "tenant", ">tenant-database-1<" },
    { "tenant-database-12345", "tenant", ">…-database-12345<" },
    { "tenant-database-12345", "other", ">tenant-d…se-12345<" },
    { "aaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaa", ">aaaaaaaa…aaaaaaaa<" },
    { "tenant-abcdefghijklmnopqrstuvw", "tenant", ">…-abcdef…pqrstuvw<" },
    { "團地團地團地團地團地團地", "", ">團地團地團地團地…<" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *document = g_strdup_printf (
          "{\"contexts\":[{\"name\":\"%s\",\"tenant\":\"%s\"}]}", cases[i].name, cases[i].tenant);
      g_autofree char *page = draw (document);
      const char *flat = strstr (page, "<text class=\"n\"");

      if (!g_str_has_prefix (strchr (flat, '>'), cases[i].drawn))
        g_error ("%s: %.60s", cases[i].name, strchr (flat, '>'));
      g_assert_nonnull (strstr (page, cases[i].name));
    }
}

static void
test_an_info_is_a_note (void)
{
  static const char document[] = "{\"findings\":[{\"severity\":\"info\",\"text\":\" so it is\"}]}";
  g_autoptr (JsonNode) node = dn_json_parse (document, sizeof document - 1, 1024, "document", NULL);
  g_autofree char *text = dn_report_text (json_node_get_object (node), TRUE, 80);
  g_autofree char *page = draw (document);

  assert_says (text, "\033[1mINFO\033[0m\n    so it is\n");
  assert_says (page, "<tr class=\"note\">");
}

/* A document that was not read from text may be deeper than a parser allows. */
static void
test_what_is_too_deep_is_left_out (void)
{
  g_autoptr (JsonObject) top = json_object_new ();
  JsonObject *at = top;
  g_autofree char *text = NULL;

  for (guint i = 0; i < 5000; i++)
    {
      JsonObject *below = json_object_new ();

      json_object_set_object_member (at, "host", below);
      at = below;
    }
  text = dn_report_text (top, FALSE, 80);
  assert_says (text, "an unnamed host");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report-drawing/many-flats-are-drawn-compactly",
                   test_many_flats_are_drawn_compactly);
  g_test_add_func ("/report-drawing/what-does-not-fit-is-counted",
                   test_what_does_not_fit_is_counted);
  g_test_add_func ("/report-drawing/the-yard-and-the-doors-are-counted",
                   test_the_yard_and_the_doors_are_counted);
  g_test_add_func ("/report-drawing/a-name-keeps-what-tells-it-apart",
                   test_a_name_keeps_what_tells_it_apart);
  g_test_add_func ("/report-drawing/an-info-is-a-note", test_an_info_is_a_note);
  g_test_add_func ("/report-drawing/what-is-too-deep-is-left-out",
                   test_what_is_too_deep_is_left_out);
  return g_test_run ();
}
