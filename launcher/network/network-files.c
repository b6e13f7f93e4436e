/* SPDX-License-Identifier: Apache-2.0 */
#include "network-files.h"

#include <arpa/inet.h>
#include <string.h>

#include "../common/error.h"
#include "../spec/port-spec.h"

#define SHORT_ID_BYTES 12

/* Adds a line; FALSE: it has no room any more. */
static gboolean
add_line (GString *text, const char *address, const char *names)
{
  if (text->len + strlen (address) + strlen (names) + 2 > DN_CARD_FILE_BYTES)
    return FALSE;
  g_string_append_printf (text, "%s\t%s\n", address, names);
  return TRUE;
}

static void
add_member (GString *text, const DnNetworkMember *member, const char *names)
{
  char address[INET6_ADDRSTRLEN];

  if (inet_ntop (AF_INET, &member->address4, address, sizeof address) != NULL)
    (void) add_line (text, address, names);
  if (inet_ntop (AF_INET6, &member->address6, address, sizeof address) != NULL)
    (void) add_line (text, address, names);
}

char *
dn_network_hosts (const char *hostname, const char *name, char **add_hosts,
                  const DnNetworkMember *own, const GPtrArray *others)
{
  GString *text
      = g_string_new ("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
  g_autofree char *both = g_str_equal (hostname, name) ? g_strdup (hostname)
                                                       : g_strconcat (hostname, " ", name, NULL);

  for (char **host = add_hosts; host != NULL && *host != NULL; host++)
    {
      const char *colon = strchr (*host, ':');
      g_autofree char *alias = g_strndup (*host, (gsize) (colon - *host));

      (void) add_line (text, colon + 1, alias);
    }
  if (own != NULL)
    add_member (text, own, both);
  else
    (void) add_line (text, "127.0.0.1", both);
  for (guint i = 0; others != NULL && i < others->len; i++)
    {
      const DnNetworkMember *member = others->pdata[i];
      g_autofree char *names
          = member->hostname == NULL || g_str_equal (member->hostname, member->name)
                ? g_strdup (member->name)
                : g_strconcat (member->name, " ", member->hostname, NULL);

      if (own == NULL || strcmp (member->container, own->container) != 0)
        add_member (text, member, names);
    }
  return g_string_free (text, FALSE);
}

static void
add_servers (GString *text, char **dns, const DnNetworkMember *own, gboolean has_resolver)
{
  char address[INET6_ADDRSTRLEN];

  for (char **server = dns; server != NULL && *server != NULL; server++)
    g_string_append_printf (text, "nameserver %s\n", *server);
  if ((dns != NULL && dns[0] != NULL) || own == NULL || !has_resolver)
    return;
  if (inet_ntop (AF_INET, &own->plan.gateway4, address, sizeof address) != NULL)
    g_string_append_printf (text, "nameserver %s\n", address);
  if (inet_ntop (AF_INET6, &own->plan.gateway6, address, sizeof address) != NULL)
    g_string_append_printf (text, "nameserver %s\n", address);
}

char *
dn_network_resolv_conf (const DnContainerOptions *options, const DnNetworkMember *own,
                        gboolean has_resolver)
{
  GString *text = g_string_new (NULL);
  g_autofree char *search = NULL;

  add_servers (text, options->dns, own, has_resolver);
  if (options->dns_search != NULL && options->dns_search[0] != NULL)
    {
      search = g_strjoinv (" ", options->dns_search);
      /* As docker has it: a dot alone is no domain. */
      if (!g_str_equal (search, "."))
        g_string_append_printf (text, "search %s\n", search);
    }
  if (text->len == 0)
    g_string_append (text, "# none\n");
  return g_string_free (text, FALSE);
}

static gint
compare_ports (gconstpointer a, gconstpointer b)
{
  const DnCardPort *one = a;
  const DnCardPort *other = b;

  if (one->protocol != other->protocol)
    return one->protocol < other->protocol ? -1 : 1;
  return one->first < other->first ? -1 : one->first > other->first;
}

/* Sorted, those that touch or overlap as one. */
static GArray *
merge (const GArray *ports)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (DnCardPort));
  GArray *merged = g_array_new (FALSE, FALSE, sizeof (DnCardPort));

  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);
      const DnCardPort range = { port->is_udp ? DN_CARD_PORT_UDP : DN_CARD_PORT_TCP,
                                 port->container, port->container };

      g_array_append_val (all, range);
    }
  g_array_sort (all, compare_ports);
  for (guint i = 0; i < all->len; i++)
    {
      const DnCardPort *next = &g_array_index (all, DnCardPort, i);
      DnCardPort *last
          = merged->len > 0 ? &g_array_index (merged, DnCardPort, merged->len - 1) : NULL;

      if (last != NULL && last->protocol == next->protocol && next->first <= last->last + 1)
        last->last = MAX (last->last, next->last);
      else
        g_array_append_val (merged, *next);
    }
  return merged;
}

GArray *
dn_network_ports (char **exposed, const DnContainerOptions *options, GError **error)
{
  g_autoptr (GArray) published = dn_ports_parse (options->publish, error);
  g_autoptr (GArray) ports = dn_ports_new ();
  g_autoptr (GArray) merged = NULL;

  if (published == NULL)
    return NULL;
  for (char **text = exposed; text != NULL && *text != NULL; text++)
    (void) dn_port_parse_exposed (*text, "EXPOSE", ports, NULL);
  for (char **text = options->expose; text != NULL && *text != NULL; text++)
    if (!dn_port_parse_exposed (*text, "--expose", ports, error))
      return NULL;
  g_array_append_vals (ports, published->data, published->len);
  merged = merge (ports);
  if (merged->len > DN_CARD_PORTS_MAX)
    {
      dn_throw (error, DN_ERROR_LIMIT,
                "container: its exposed ports are more than %d ranges\n"
                "expose fewer, or such that follow one another",
                DN_CARD_PORTS_MAX);
      return NULL;
    }
  return g_steal_pointer (&merged);
}

char *
dn_network_port_format (const DnCardPort *port)
{
  const char *protocol = port->protocol == DN_CARD_PORT_UDP ? "udp" : "tcp";

  return port->first == port->last
             ? g_strdup_printf ("%u/%s", port->first, protocol)
             : g_strdup_printf ("%u-%u/%s", port->first, port->last, protocol);
}
