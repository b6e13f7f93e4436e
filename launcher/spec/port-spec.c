/* SPDX-License-Identifier: Apache-2.0 */
#include "port-spec.h"

#include <arpa/inet.h>
#include <string.h>

#include "../common/error.h"

/* First and last, both in it. */
typedef struct
{
  guint16 first;
  guint16 last;
} Range;

GArray *
dn_ports_new (void)
{
  return g_array_new (FALSE, TRUE, sizeof (DnPort));
}

const char *
dn_port_protocol (gboolean is_udp)
{
  return is_udp ? "udp" : "tcp";
}

/* What a user typed may be anything: shown as it can be shown. */
static gboolean
refuse (const char *what, const char *text, const char *why, GError **error)
{
  g_autofree char *shown = g_utf8_make_valid (text, (gssize) strnlen (text, 200));

  for (char *at = shown; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = '?';
  return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': %s", what, shown, why);
}

static const char grammar[] = "must be [ADDRESS:][HOSTPORT:]PORT[/tcp|udp], as 8080:80";

/* Digits alone: no sign, blank or other base, as strtol(3) would have it. */
static gboolean
read_port (const char *text, gsize length, guint16 *ret_port)
{
  guint number = 0;

  if (length == 0 || length > 5)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (text[i]))
        return FALSE;
      number = number * 10 + (guint) (text[i] - '0');
    }
  if (number == 0 || number > G_MAXUINT16)
    return FALSE;
  *ret_port = (guint16) number;
  return TRUE;
}

static gboolean
read_range (const char *text, gsize length, Range *ret_range)
{
  const char *dash = memchr (text, '-', length);
  gsize first = dash != NULL ? (gsize) (dash - text) : length;
  Range range;

  if (!read_port (text, first, &range.first))
    return FALSE;
  range.last = range.first;
  if (dash != NULL && !read_port (dash + 1, length - first - 1, &range.last))
    return FALSE;
  if (range.last < range.first)
    return FALSE;
  *ret_range = range;
  return TRUE;
}

static guint
count (const Range *range)
{
  return 1u + range->last - range->first;
}

/* Takes "/tcp" or "/udp" off the end of the text of @length bytes. */
static gboolean
take_protocol (const char *text, gsize *length, gboolean *ret_is_udp)
{
  const char *slash = memchr (text, '/', *length);
  const char *word = slash != NULL ? slash + 1 : "tcp";
  gsize size = slash != NULL ? *length - (gsize) (word - text) : 3;

  if (size != 3
      || (g_ascii_strncasecmp (word, "tcp", 3) != 0 && g_ascii_strncasecmp (word, "udp", 3) != 0))
    return FALSE;
  *ret_is_udp = g_ascii_tolower (word[0]) == 'u';
  if (slash != NULL)
    *length = (gsize) (slash - text);
  return TRUE;
}

/* The address of @length bytes, brackets and all, in its one form. */
static gboolean
read_address (const char *text, gsize length, char ret_address[INET6_ADDRSTRLEN])
{
  char copy[INET6_ADDRSTRLEN + 2];
  struct in6_addr v6;
  struct in_addr v4;
  gboolean has_brackets;

  if (length == 1 && *text == '*')
    return g_strlcpy (ret_address, DN_PORT_ANY, INET6_ADDRSTRLEN) > 0;
  if (length == 0 || length >= sizeof copy)
    return FALSE;
  has_brackets = text[0] == '[' && text[length - 1] == ']';
  if (has_brackets)
    {
      text++;
      length -= MIN (length, 2);
    }
  memcpy (copy, text, length);
  copy[length] = '\0';
  if (!has_brackets && inet_pton (AF_INET, copy, &v4) == 1)
    return inet_ntop (AF_INET, &v4, ret_address, INET6_ADDRSTRLEN) != NULL;
  /* Of one written into the other's form it would have to be guessed which is meant. */
  if (has_brackets && inet_pton (AF_INET6, copy, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED (&v6)
      && !IN6_IS_ADDR_V4COMPAT (&v6))
    return inet_ntop (AF_INET6, &v6, ret_address, INET6_ADDRSTRLEN) != NULL;
  return FALSE;
}

/* ADDRESS and HOST of "[[ADDRESS:]HOST:]" before the last colon, at @text[@length]. */
static gboolean
read_host (const char *text, gsize length, DnPort *port, Range *ret_host, GError **error)
{
  const char *colon = memrchr (text, ':', length);
  const char *host = text;
  gsize host_length = length;

  if (length > 0 && text[length - 1] == ']') /* [::1]:80, without a host port */
    return refuse ("--publish", text,
                   "an address needs a host port, which may be empty: ADDRESS::PORT", error);
  if (colon != NULL)
    {
      gsize address_length = (gsize) (colon - text);

      host = colon + 1;
      host_length = length - address_length - 1;
      if (!read_address (text, address_length, port->address))
        return refuse ("--publish", text,
                       "the address must be one of this host's as a number, IPv6 in brackets: "
                       "0.0.0.0, [::1]\nwithout an address it is the loopback",
                       error);
    }
  *ret_host = (Range){ 0 };
  if (colon != NULL && host_length == 0) /* ADDRESS::PORT */
    return TRUE;
  if (!read_range (host, host_length, ret_host))
    return refuse ("--publish", text,
                   "the host port must be a number of 1 to 65535, or a range FIRST-LAST of them",
                   error);
  return TRUE;
}

static gboolean
append (const DnPort *port, const Range *host, const Range *container, const char *text,
        GArray *ports, GError **error)
{
  /* A range for one port is a choice. */
  gboolean is_choice = count (container) == 1 || host->first == 0;

  if (!is_choice && count (host) != count (container))
    return refuse ("--publish", text, "the two ranges must have the same number of ports", error);
  if (count (container) > DN_PORTS_MAX - MIN (ports->len, DN_PORTS_MAX))
    return dn_throw (error, DN_ERROR_LIMIT, "--publish: more than %d ports", DN_PORTS_MAX);
  for (guint i = 0; i < count (container); i++)
    {
      DnPort one = *port;

      one.container = (guint16) (container->first + i);
      one.host_first = is_choice ? host->first : (guint16) (host->first + i);
      one.host_last = is_choice ? host->last : one.host_first;
      g_array_append_val (ports, one);
    }
  return TRUE;
}

gboolean
dn_port_parse (const char *text, GArray *ports, GError **error)
{
  gsize length = strnlen (text, DN_PORT_TEXT_MAX_BYTES + 1);
  Range host = { 0 }, container;
  DnPort port = { 0 };
  const char *colon;

  if (length > DN_PORT_TEXT_MAX_BYTES || length == 0)
    return refuse ("--publish", text, grammar, error);
  if (!take_protocol (text, &length, &port.is_udp))
    return refuse ("--publish", text, "the protocol must be tcp or udp", error);
  colon = memrchr (text, ':', length);
  if (colon == text) /* ":80" */
    return refuse ("--publish", text, grammar, error);
  if (colon != NULL && !read_host (text, (gsize) (colon - text), &port, &host, error))
    return FALSE;
  colon = colon != NULL ? colon + 1 : text;
  if (!read_range (colon, length - (gsize) (colon - text), &container))
    return refuse ("--publish", text,
                   "the container's port must be a number of 1 to 65535, or a range FIRST-LAST "
                   "of them",
                   error);
  return append (&port, &host, &container, text, ports, error);
}

static gboolean
has_exposed (const GArray *ports, guint16 container, gboolean is_udp)
{
  for (guint i = 0; i < ports->len; i++)
    {
      const DnPort *port = &g_array_index (ports, DnPort, i);

      if (port->container == container && port->is_udp == is_udp)
        return TRUE;
    }
  return FALSE;
}

gboolean
dn_port_parse_exposed (const char *text, const char *what, GArray *ports, GError **error)
{
  gsize length = strnlen (text, DN_PORT_TEXT_MAX_BYTES + 1);
  guint had = ports->len;
  gboolean is_udp;
  Range range;

  if (length > DN_PORT_TEXT_MAX_BYTES || !take_protocol (text, &length, &is_udp)
      || !read_range (text, length, &range))
    return refuse (what, text, "must be PORT[-LAST][/tcp|udp], with ports of 1 to 65535", error);
  for (guint number = range.first; number <= range.last; number++)
    {
      DnPort port = { .container = (guint16) number, .is_udp = is_udp };

      if (has_exposed (ports, port.container, is_udp))
        continue;
      if (ports->len >= DN_PORTS_EXPOSED_MAX)
        {
          g_array_set_size (ports, had);
          return dn_throw (error, DN_ERROR_LIMIT, "%s: more than %d ports", what,
                           DN_PORTS_EXPOSED_MAX);
        }
      g_array_append_val (ports, port);
    }
  return TRUE;
}

/* Whether both would have to have the same socket: only what is certain by their words. */
static gboolean
collide (const DnPort *a, const DnPort *b)
{
  return a->is_udp == b->is_udp && strcmp (a->address, b->address) == 0 && a->host_first != 0
         && a->host_first == a->host_last && b->host_first == b->host_last
         && a->host_first == b->host_first;
}

GArray *
dn_ports_parse (char **texts, GError **error)
{
  g_autoptr (GArray) ports = dn_ports_new ();

  for (; texts != NULL && *texts != NULL; texts++)
    if (!dn_port_parse (*texts, ports, error))
      return NULL;
  for (guint i = 0; i < ports->len; i++)
    for (guint j = 0; j < i; j++)
      {
        const DnPort *port = &g_array_index (ports, DnPort, i);

        if (collide (port, &g_array_index (ports, DnPort, j)))
          {
            dn_throw (error, DN_ERROR_USAGE, "--publish: host port %u/%s is named twice",
                      port->host_first, dn_port_protocol (port->is_udp));
            return NULL;
          }
      }
  return g_steal_pointer (&ports);
}

gboolean
dn_port_is_loopback (const DnPort *port)
{
  struct in_addr v4;

  if (strcmp (port->address, DN_PORT_LOOPBACK) == 0 || strcmp (port->address, "::1") == 0)
    return TRUE;
  return inet_pton (AF_INET, port->address, &v4) == 1
         && (ntohl (v4.s_addr) >> 24) == IN_LOOPBACKNET;
}

guint
dn_port_hosts (const DnPort *port, DnHostPort ret_hosts[2])
{
  static const char *const loopback[] = { "127.0.0.1", "::1" }, *const any[] = { "0.0.0.0", "::" };
  const char *const one[] = { port->address };
  gboolean is_loopback = strcmp (port->address, DN_PORT_LOOPBACK) == 0;
  gboolean is_pair = is_loopback || strcmp (port->address, DN_PORT_ANY) == 0;
  const char *const *addresses = !is_pair ? one : is_loopback ? loopback : any;

  for (guint i = 0; i < (is_pair ? 2 : 1); i++)
    {
      gboolean is_v6 = strchr (addresses[i], ':') != NULL;

      ret_hosts[i] = (DnHostPort){ .family = is_v6 ? 6 : 4, .is_udp = port->is_udp };
      (void) inet_pton (is_v6 ? AF_INET6 : AF_INET, addresses[i], ret_hosts[i].address);
    }
  return is_pair ? 2 : 1;
}

char *
dn_port_format_host (const char *address, guint16 host_port)
{
  const char *shown = strcmp (address, DN_PORT_LOOPBACK) == 0 ? "localhost" : address;

  return strchr (shown, ':') != NULL ? g_strdup_printf ("[%s]:%u", shown, host_port)
                                     : g_strdup_printf ("%s:%u", shown, host_port);
}
