/* SPDX-License-Identifier: Apache-2.0 */
/* json-glib writes the byte 0x1f as it is, and numbers like 2e+53.0: why dn_json_to_text() exists.
 */
#include <json-glib/json-glib.h>
#include <string.h>

#include "assume.h"

int
main (void)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;

  json_node_take_array (node, json_array_new ());
  json_array_add_string_element (json_node_get_array (node), "\x1f");
  json_array_add_double_element (json_node_get_array (node), 2e53);
  text = json_to_string (node, FALSE);
  ASSUME (strchr (text, 0x1f) != NULL, "0x1f comes out unescaped");
  ASSUME (strstr (text, "e+53.0") != NULL, "an exponent is followed by .0");
  return 0;
}
