/* SPDX-License-Identifier: Apache-2.0 */
#include "socket-table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's numbers of states, printed as they are. */
#define STATE_LISTEN 0x0a    /* TCP_LISTEN */
#define STATE_UNCONNECTED 7  /* TCP_CLOSE, which is a UDP socket's without a peer */
#define UNIX_ACCEPTS 0x10000 /* __SO_ACCEPTCON */

int
dn_socket_table_init (DnSocketTable *table)
{
  *table = (DnSocketTable){ .items = calloc (DN_SOCKET_TABLE_MAX, sizeof (DnSocket)) };
  return table->items != NULL ? 0 : -ENOMEM;
}

void
dn_socket_table_clear (DnSocketTable *table)
{
  free (table->items);
  *table = (DnSocketTable){ 0 };
}

/* Addresses are printed as 32-bit words in the machine's own order. */
static bool
parse_address (const char *text, size_t words, uint8_t *ret_address)
{
  for (size_t i = 0; i < words; i++)
    {
      uint32_t word;

      if (sscanf (text + 8 * i, "%8" SCNx32, &word) != 1)
        return false;
      memcpy (ret_address + 4 * i, &word, sizeof word);
    }
  return true;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 12345 ..." */
static bool
parse_inet (DnListenerProtocol protocol, const char *line, DnSocket *ret_socket)
{
  bool is_tcp = protocol == DN_LISTENER_TCP || protocol == DN_LISTENER_TCP6;
  size_t words = protocol == DN_LISTENER_TCP6 || protocol == DN_LISTENER_UDP6 ? 4 : 1;
  DnSocket found = { .entry = { .protocol = (uint8_t) protocol } };
  char address[33];
  unsigned port;
  unsigned state;

  if (sscanf (line,
              " %*u: %32[0-9A-F]:%4X %*32[0-9A-F]:%*4X %2X %*8X:%*8X %*2X:%*8X %*8X %" SCNu32
              " %*d %" SCNu64,
              address, &port, &state, &found.entry.uid, &found.inode)
          != 5
      || strlen (address) != 8 * words || state != (is_tcp ? STATE_LISTEN : STATE_UNCONNECTED)
      || port == 0 || !parse_address (address, words, found.entry.address))
    return false;
  found.entry.port = (uint16_t) port;
  *ret_socket = found;
  return true;
}

/* "0000000012345678: 00000002 00000000 00010000 0001 01 23456 /run/socket"; a path has everything
 * behind one blank, and unbound sockets have none. */
static bool
parse_unix (const char *line, DnSocket *ret_socket)
{
  DnSocket found = { .entry = { .protocol = DN_LISTENER_UNIX } };
  unsigned flags;
  int end = 0;

  if (sscanf (line, "%*x: %*8X %*8X %8X %*4X %*2X %" SCNu64 "%n", &flags, &found.inode, &end) != 2
      || end == 0 || (flags & UNIX_ACCEPTS) == 0)
    return false;
  line += end;
  if (*line == ' ')
    (void) snprintf (found.entry.path, sizeof found.entry.path, "%.*s",
                     (int) strcspn (line + 1, "\n"), line + 1);
  *ret_socket = found;
  return true;
}

bool
dn_socket_parse (DnListenerProtocol protocol, const char *line, DnSocket *ret_socket)
{
  return protocol == DN_LISTENER_UNIX ? parse_unix (line, ret_socket)
                                      : parse_inet (protocol, line, ret_socket);
}

void
dn_socket_table_add (DnSocketTable *table, DnListenerProtocol protocol, FILE *file)
{
  char *line = NULL;
  size_t size = 0;
  size_t lines = 0;

  /* With one line more than is read, the file is not all. */
  while (getline (&line, &size, file) > 0)
    {
      DnSocket found;

      if (lines++ == DN_SOCKET_TABLE_LINES_MAX)
        {
          table->left_out++;
          break;
        }
      if (!dn_socket_parse (protocol, line, &found))
        continue;
      if (table->count < DN_SOCKET_TABLE_MAX)
        table->items[table->count++] = found;
      else
        table->left_out++;
    }
  free (line);
}

void
dn_socket_table_read (DnSocketTable *table, pid_t tid)
{
  static const char *const files[] = {
    [DN_LISTENER_TCP] = "tcp",   [DN_LISTENER_TCP6] = "tcp6", [DN_LISTENER_UDP] = "udp",
    [DN_LISTENER_UDP6] = "udp6", [DN_LISTENER_UNIX] = "unix",
  };

  for (size_t i = DN_LISTENER_TCP; i <= DN_LISTENER_UNIX; i++)
    {
      char path[64];
      FILE *file;

      (void) snprintf (path, sizeof path, "/proc/%d/net/%s", (int) tid, files[i]);
      file = fopen (path, "re"); /* a kernel without IPv6 has no such file */
      if (file == NULL)
        continue;
      dn_socket_table_add (table, (DnListenerProtocol) i, file);
      (void) fclose (file);
    }
}
