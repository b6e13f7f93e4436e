/* SPDX-License-Identifier: Apache-2.0 */
/* json-glib takes what is no JSON and converts in silence: why launcher/common/json.c scans first
 * and reads by a table. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "assume.h"

static JsonNode *
load (const char *text, gboolean *ret_is_fine)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  *ret_is_fine = json_parser_load_from_data (parser, text, -1, NULL);
  return json_parser_steal_root (parser);
}

int
main (void)
{
  static const char *const lax[]
      = { "{\"a\":1,\"a\":2}", "/* c */ {}", "{'a':1}", "[\"\\x\"]", "[01]", "[0x10]" };
  gboolean is_fine;
  g_autoptr (JsonNode) empty = load ("", &is_fine), object = NULL;
  JsonObject *members;

  ASSUME (is_fine && empty == NULL, "an empty text loads, with no root");
  for (guint i = 0; i < G_N_ELEMENTS (lax); i++)
    {
      g_autoptr (JsonNode) node = load (lax[i], &is_fine);

      ASSUME (is_fine && node != NULL, "json-glib takes %s", lax[i]);
    }
  object = load ("{\"text\":\"12\",\"half\":1.9,\"yes\":true,\"large\":99999999999999999999}",
                 &is_fine);
  ASSUME (is_fine, "the example loads");
  members = json_node_get_object (object);
  ASSUME (json_object_get_int_member (members, "text") == 0, "a text reads as the integer 0");
  ASSUME (json_object_get_int_member (members, "half") == 1, "1.9 reads as the integer 1");
  ASSUME (json_object_get_int_member (members, "yes") == 1, "true reads as the integer 1");
  ASSUME (json_object_get_int_member (members, "large") == -1, "a large integer reads as -1");
  return 0;
}
