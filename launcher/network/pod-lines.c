/* SPDX-License-Identifier: Apache-2.0 */
/* Of pod-network.h: what danchi-gateway says of a pod's card.  It is of our own making, and still
 * read strictly: what it says becomes what a guest believes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../common/error.h"
#include "pod-network.h"

#define WORDS_MAX 6
#define MTU_MAX 65535

static gboolean
read_mac (const char *text, guint8 ret_mac[DN_MAC_BYTES])
{
  guint octets[DN_MAC_BYTES];
  int end = -1;

  if (sscanf (text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &octets[0], &octets[1], &octets[2], &octets[3],
              &octets[4], &octets[5], &end)
          != DN_MAC_BYTES
      || end < 0 || text[end] != '\0')
    return FALSE;
  for (guint i = 0; i < DN_MAC_BYTES; i++)
    ret_mac[i] = (guint8) octets[i];
  return TRUE;
}

static gboolean
read_number (const char *text, guint64 max, guint64 *ret_number)
{
  return g_ascii_string_to_unsigned (text, 10, 0, max, ret_number, NULL);
}

/* "-": none, where that may be.  All of a record are of one family. */
static gboolean
read_address (const char *text, gboolean may_be_none, DnPodRecord *record, guint8 ret_address[16])
{
  const guint8 family = strchr (text, ':') != NULL ? 6 : 4;

  if (may_be_none && strcmp (text, "-") == 0)
    return TRUE;
  if (record->family != 0 && record->family != family)
    return FALSE;
  record->family = family;
  return inet_pton (family == 4 ? AF_INET : AF_INET6, text, ret_address) == 1;
}

static gboolean
read_prefix (const char *text, DnPodRecord *record)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 2);
  guint64 bits;

  if (g_strv_length (parts) != 2 || !read_address (parts[0], FALSE, record, record->address)
      || !read_number (parts[1], record->family == 4 ? 32 : 128, &bits))
    return FALSE;
  record->bits = (guint8) bits;
  return TRUE;
}

static gboolean
read_route (char *const *words, DnPodRecord *record)
{
  guint64 metric, flags;

  record->kind = DN_POD_ROUTE;
  if (!read_prefix (words[1], record) || !read_address (words[2], TRUE, record, record->via)
      || !read_address (words[3], TRUE, record, record->source)
      || !read_number (words[4], G_MAXUINT32, &metric)
      || !read_number (words[5], DN_POD_ROUTE_ONLINK | DN_POD_ROUTE_LINK, &flags))
    return FALSE;
  record->metric = (guint32) metric;
  record->flags = (guint8) flags;
  return TRUE;
}

/* Returns: whether it is one, and what it says. */
static gboolean
read_record (char *const *words, guint count, DnPodRecord *record)
{
  if (count == 2 && strcmp (words[0], "address") == 0)
    {
      record->kind = DN_POD_ADDRESS;
      return read_prefix (words[1], record);
    }
  if (count == 6 && strcmp (words[0], "route") == 0)
    return read_route (words, record);
  if (count == 3 && strcmp (words[0], "neighbour") == 0)
    {
      record->kind = DN_POD_NEIGHBOUR;
      return read_address (words[1], FALSE, record, record->address)
             && read_mac (words[2], record->via);
    }
  return FALSE;
}

/* Of the card itself.  Returns: whether it is such a line. */
static gboolean
read_card (char *const *words, guint count, DnMsgPodNetwork *message)
{
  guint64 mtu;

  if (count != 2)
    return FALSE;
  if (strcmp (words[0], "card") == 0)
    return TRUE;
  if (strcmp (words[0], "mac") == 0)
    return read_mac (words[1], message->mac);
  if (strcmp (words[0], "peer") == 0)
    return read_mac (words[1], message->peer_mac);
  if (strcmp (words[0], "mtu") != 0 || !read_number (words[1], MTU_MAX, &mtu))
    return FALSE;
  message->mtu = (guint32) mtu;
  return TRUE;
}

gboolean
dn_pod_network_parse (const char *lines, guint8 *records, DnMsgPodNetwork *ret_message,
                      GError **error)
{
  static const guint8 nobody[DN_MAC_BYTES];
  g_autofree DnPodRecord *found = g_new0 (DnPodRecord, DN_POD_RECORDS_MAX);
  g_auto (GStrv) all = g_strsplit (lines, "\n", -1);
  DnMsgPodNetwork message = { .records = records };
  gsize count = 0;

  for (char **line = all; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", WORDS_MAX + 1);
      const guint length = g_strv_length (words);

      if (**line == '\0' || read_card (words, length, &message))
        continue;
      if (count == DN_POD_RECORDS_MAX || !read_record (words, length, &found[count]))
        return dn_throw (error, DN_ERROR_FAILED, "danchi-gateway: '%s' is nothing about a pod",
                         *line);
      count++;
    }
  if (message.mtu == 0 || memcmp (message.mac, nobody, sizeof nobody) == 0)
    return dn_throw (error, DN_ERROR_FAILED,
                     "danchi-gateway: an answer about a pod without a card");
  message.records_bytes = (guint32) dn_pod_records_encode (found, count, records);
  *ret_message = message;
  return TRUE;
}

void
dn_pod_promise_clear (DnPodPromise *promise)
{
  g_clear_pointer (&promise->card, g_free);
  g_clear_pointer (&promise->addresses, g_free);
  g_clear_pointer (&promise->ways, g_free);
}

static char *
format_address (const DnPodRecord *record, const guint8 *bytes)
{
  char text[INET6_ADDRSTRLEN] = "";

  (void) inet_ntop (record->family == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  return g_strdup_printf ("%s/%u", text, record->bits);
}

/* (transfer full) */
static char *
join_or_none (GPtrArray *words)
{
  g_ptr_array_add (words, NULL);
  return words->len > 1 ? g_strjoinv (" ", (char **) words->pdata) : g_strdup ("none");
}

gboolean
dn_pod_network_promise_parse (const char *lines, DnPodPromise *ret_promise, GError **error)
{
  g_autofree guint8 *records = g_malloc (DN_POD_RECORDS_MAX * DN_POD_RECORD_BYTES);
  g_autofree DnPodRecord *found = g_new0 (DnPodRecord, DN_POD_RECORDS_MAX);
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) ways = g_ptr_array_new_with_free_func (g_free);
  DnMsgPodNetwork message;
  const guint8 *mac = message.mac;
  int count;

  if (!dn_pod_network_parse (lines, records, &message, error))
    return FALSE;
  count = dn_pod_records_decode (message.records, message.records_bytes, found);
  for (int i = 0; i < count; i++)
    {
      if (found[i].kind == DN_POD_ADDRESS)
        g_ptr_array_add (addresses, format_address (&found[i], found[i].address));
      else if (found[i].kind == DN_POD_ROUTE && !dn_pod_record_is_empty (found[i].via))
        g_ptr_array_add (ways, format_address (&found[i], found[i].via));
    }
  ret_promise->card = g_strdup_printf ("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                                       mac[3], mac[4], mac[5]);
  ret_promise->addresses = join_or_none (addresses);
  ret_promise->ways = join_or_none (ways);
  return TRUE;
}
