/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/report/*.c launcher/cli/escape.c launcher/cli/table.c launcher/cli/units.c
   launcher/common/json.c launcher/common/error.c */
/* The audit's document as text and as page; `test-report text|html FILE [WIDTH]` prints one, which
 * test-report-page.py takes to a browser. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/common/json.h"
#include "../../launcher/report/report.h"
#include "golden.h"

#define FIXTURES "tests/golden/report/"
#define SIZE_MAX_BYTES (8 << 20)

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node
      = dn_json_parse (text, strlen (text), SIZE_MAX_BYTES, "document", &error);

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    g_error ("no document: %s", error != NULL ? error->message : "not an object");
  return json_object_ref (json_node_get_object (node));
}

static JsonObject *
load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  return parse (text);
}

int
main (int argc, char **argv)
{
  if (argc >= 3 && (g_str_equal (argv[1], "text") || g_str_equal (argv[1], "html")))
    {
      g_autoptr (JsonObject) document = load (argv[2]);
      g_autofree char *out
          = g_str_equal (argv[1], "html")
                ? dn_report_html (document)
                : dn_report_text (document, argc > 4, argc > 3 ? (guint) atoi (argv[3]) : 80);

      return fputs (out, stdout) == EOF;
    }
  g_test_init (&argc, &argv, NULL);
  return g_test_run ();
}
