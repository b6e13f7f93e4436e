/* SPDX-License-Identifier: Apache-2.0 */
/* Links: guest-agent/agent/socket-table.c launcher/daemon/listener-json.c
 * launcher/daemon/json-build.c launcher/common/names.c launcher/common/error.c protocol/protocol.c
 * protocol/pack.c */
/* Packages: glib-2.0 json-glib-1.0 */
/* The first byte says which file of /proc/net the rest is; then each byte string is what a guest
 * may send as well: whatever comes, what is found packs, and what is shown is printable. */
#include <stdlib.h>
#include <string.h>

#include "../../guest-agent/agent/socket-table.h"
#include "../../launcher/daemon/listener-json.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_text (JsonObject *object, const char *name)
{
  const char *text = json_object_get_string_member_with_default (object, name, "");

  if (!g_utf8_validate (text, -1, NULL))
    abort ();
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text))
      abort ();
}

static void
check_entry (const DnMsgListenerEntry *entry)
{
  g_autoptr (JsonObject) object = dn_listener_to_json (entry);

  if (object == NULL)
    return;
  check_text (object, "path");
  check_text (object, "process");
  check_text (object, "address");
}

static void
check_table (DnListenerProtocol protocol, const uint8_t *data, size_t size)
{
  FILE *file = fmemopen ((void *) data, size, "r");
  DnSocketTable table;

  if (file == NULL || dn_socket_table_init (&table) < 0)
    abort ();
  dn_socket_table_add (&table, protocol, file);
  for (size_t i = 0; i < table.count; i++)
    {
      uint8_t bytes[512];

      if (dn_msg_listener_entry_pack (&table.items[i].entry, bytes, sizeof bytes) < 0)
        abort ();
      check_entry (&table.items[i].entry);
    }
  dn_socket_table_clear (&table);
  (void) fclose (file);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  DnMsgListenerEntry entry;

  if (size < 2)
    return 0;
  check_table ((DnListenerProtocol) (DN_LISTENER_TCP + data[0] % DN_LISTENER_UNIX), data + 1,
               size - 1);
  if (dn_msg_listener_entry_unpack (data + 1, size - 1, &entry) == 0)
    check_entry (&entry);
  return 0;
}
