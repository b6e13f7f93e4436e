/* SPDX-License-Identifier: Apache-2.0 */
/* What containers publish on this host: who can reach it. */
#include <string.h>

#include "../cli/answer.h"
#include "finding-private.h"

/* Whoever has one of these may be taken for a service of the host's own. */
#define LOW_PORTS 1024

/* The word of the rule that the address @host, or the port on it, is a matter of. */
static gboolean
is_about (const char *word, const char *host, gint64 port)
{
  gboolean is_everywhere = g_str_equal (host, "0.0.0.0") || g_str_equal (host, "::");

  if (g_str_equal (word, "low"))
    return port > 0 && port < LOW_PORTS;
  if (g_str_equal (word, "everywhere"))
    return is_everywhere;
  return *host != '\0' && !is_everywhere && !g_str_has_prefix (host, "127.")
         && !g_str_equal (host, "::1");
}

static void
find_port (DnFindingLook *look, JsonObject *container, const char *context)
{
  JsonArray *ports = dn_answer_array (container, "ports");

  for (guint i = 0; i < dn_answer_length (ports); i++)
    {
      JsonObject *port = dn_answer_nth (ports, i);
      const char *host = port != NULL ? dn_answer_text (port, "address") : "";
      gint64 number = port != NULL ? dn_answer_int (port, "host_port", 0) : 0;

      if (is_about (look->rule->argument, host, number))
        dn_finding_add (
            look, dn_answer_text (container, "name"), context,
            "its %s port %" G_GINT64_FORMAT " is published on %s%s, port %" G_GINT64_FORMAT,
            dn_answer_text (port, "protocol"), dn_answer_int (port, "port", 0), host,
            strspn (host, "0.:") == strlen (host) ? ", every address of this host" : "", number);
    }
}

void
dn_find_port (DnFindingLook *look)
{
  dn_finding_each_container (look, find_port);
}
