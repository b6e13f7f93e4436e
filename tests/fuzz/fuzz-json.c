/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/common/json.c launcher/common/error.c */
/* Packages: glib-2.0 json-glib-1.0 */

/* What is taken is written and taken again. */
#include "../../launcher/common/json.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (JsonNode) node = dn_json_parse ((const char *) data, size, 4096, "input", NULL);
  g_autoptr (JsonNode) again = NULL;
  g_autofree char *text = NULL;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return 0;
  text = dn_json_to_text (node, FALSE);
  again = dn_json_parse (text, strlen (text), 65536, "output", NULL);
  if (again == NULL)
    g_error ("not taken again: %s", text);
  return 0;
}
