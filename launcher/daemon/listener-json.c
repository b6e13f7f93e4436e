/* SPDX-License-Identifier: Apache-2.0 */
#include "listener-json.h"

#include <arpa/inet.h>
#include <string.h>

#include "../common/names.h"
#include "json-build.h"

static const char *const protocol_words[] = {
  [DN_LISTENER_TCP] = "tcp",   [DN_LISTENER_TCP6] = "tcp6", [DN_LISTENER_UDP] = "udp",
  [DN_LISTENER_UDP6] = "udp6", [DN_LISTENER_UNIX] = "unix",
};

/* An IPv6 socket may be bound to an address of IPv4's, written ::ffff:A.B.C.D. */
static const guint8 mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static gboolean
is_all_zero (const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    if (bytes[i] != 0)
      return FALSE;
  return TRUE;
}

static const char *
exposure_of (int family, const guint8 *address)
{
  static const guint8 loopback6[DN_ADDRESS_BYTES] = { [DN_ADDRESS_BYTES - 1] = 1 };
  gboolean is_mapped = family == AF_INET6 && memcmp (address, mapped_prefix, 12) == 0;
  const guint8 *four = is_mapped ? address + 12 : address;

  if (family == AF_INET || is_mapped)
    return four[0] == 127 ? "loopback" : is_all_zero (four, 4) ? "all" : "address";
  if (memcmp (address, loopback6, sizeof loopback6) == 0)
    return "loopback";
  return is_all_zero (address, DN_ADDRESS_BYTES) ? "all" : "address";
}

static void
add_inet (JsonObject *object, const DnMsgListenerEntry *entry)
{
  gboolean is_six = entry->protocol == DN_LISTENER_TCP6 || entry->protocol == DN_LISTENER_UDP6;
  int family = is_six ? AF_INET6 : AF_INET;
  char text[INET6_ADDRSTRLEN];

  json_object_set_string_member (object, "address",
                                 inet_ntop (family, entry->address, text, sizeof text));
  json_object_set_int_member (object, "port", entry->port);
  json_object_set_null_member (object, "path");
  json_object_set_string_member (object, "exposure", exposure_of (family, entry->address));
}

static void
add_unix (JsonObject *object, const DnMsgListenerEntry *entry)
{
  g_autofree char *path = dn_text_clean (entry->path, DN_SOCKET_PATH_BYTES);

  json_object_set_null_member (object, "address");
  json_object_set_null_member (object, "port");
  json_object_set_string_member (object, "path", path);
  json_object_set_string_member (object, "exposure", "loopback");
}

JsonObject *
dn_listener_to_json (const DnMsgListenerEntry *entry)
{
  g_autofree char *program = dn_text_clean (entry->program, DN_PROGRAM_BYTES);
  JsonObject *object;

  if (entry->protocol < DN_LISTENER_TCP || entry->protocol > DN_LISTENER_UNIX)
    return NULL;
  object = json_object_new ();
  json_object_set_string_member (object, "protocol", protocol_words[entry->protocol]);
  if (entry->protocol == DN_LISTENER_UNIX)
    add_unix (object, entry);
  else
    add_inet (object, entry);
  if (entry->pid != 0)
    json_object_set_int_member (object, "pid", entry->pid);
  else
    json_object_set_null_member (object, "pid");
  dn_json_set_text_or_null (object, "process", program[0] != '\0' ? program : NULL);
  json_object_set_int_member (object, "uid", entry->uid);
  return object;
}
