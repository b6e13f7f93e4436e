/* SPDX-License-Identifier: Apache-2.0 */
#include "port-words.h"

#include <string.h>

#include "answer.h"
#include "escape.h"

char *
dn_port_words_host (JsonObject *port)
{
  g_autofree char *address = dn_escape_text (dn_answer_text (port, "address"), -1);
  gint64 number = dn_answer_int (port, "host_port", 0);

  return strchr (address, ':') != NULL ? g_strdup_printf ("[%s]:%" G_GINT64_FORMAT, address, number)
                                       : g_strdup_printf ("%s:%" G_GINT64_FORMAT, address, number);
}

/* Of one that is published, for the one without which an image's word is not needed. */
static char *
inner (JsonObject *port)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT "/%s", dn_answer_int (port, "port", 0),
                          dn_answer_text (port, "protocol"));
}

char *
dn_port_words (JsonObject *container)
{
  JsonArray *ports = dn_answer_array (container, "ports");
  JsonArray *exposed = dn_answer_array (container, "exposed_ports");
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) words = g_string_new (NULL);

  for (guint i = 0; i < dn_answer_length (ports); i++)
    {
      JsonObject *port = dn_answer_nth (ports, i);
      g_autofree char *host = port != NULL ? dn_port_words_host (port) : NULL;
      char *to = port != NULL ? inner (port) : NULL;

      if (port == NULL)
        continue;
      g_string_append_printf (words, "%s%s->%s", words->len > 0 ? ", " : "", host, to);
      g_hash_table_add (seen, to);
    }
  for (guint i = 0; i < dn_answer_length (exposed); i++)
    {
      JsonNode *node = json_array_get_element (exposed, i);
      const char *text
          = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                ? json_node_get_string (node)
                : "";
      g_autofree char *whole
          = strchr (text, '/') != NULL ? g_strdup (text) : g_strconcat (text, "/tcp", NULL);
      g_autofree char *safe = dn_escape_text (text, -1);

      if (*text != '\0' && !g_hash_table_contains (seen, whole))
        g_string_append_printf (words, "%s%s", words->len > 0 ? ", " : "", safe);
    }
  return g_string_free (g_steal_pointer (&words), FALSE);
}
