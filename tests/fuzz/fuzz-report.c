/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/report/*.c launcher/cli/escape.c launcher/cli/table.c launcher/cli/units.c
   launcher/common/json.c launcher/common/error.c */
/* Packages: glib-2.0 json-glib-1.0 */

/* Any document is drawn, without a control character in the text or a tag of its own in the page.
 */
#include "../../launcher/common/json.h"
#include "../../launcher/report/report.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL, *html = NULL;

  if (size < 1)
    return 0;
  node = dn_json_parse ((const char *) data + 1, size - 1, 16384, "input", NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  text = dn_report_text (json_node_get_object (node), FALSE, data[0]);
  html = dn_report_html (json_node_get_object (node));
  for (const char *at = text; *at != '\0'; at++)
    if ((guchar) *at < 0x20 && *at != '\n')
      g_error ("a control character: %.40s", at);
  if (!g_utf8_validate (text, -1, NULL) || !g_utf8_validate (html, -1, NULL))
    g_error ("no UTF-8");
  if (strstr (html, "<script") != NULL || strstr (html, "<img") != NULL)
    g_error ("a tag that is not ours");
  return 0;
}
