/* SPDX-License-Identifier: Apache-2.0 */
#include "host-servers.h"

#include <string.h>

#define FILE_NAME "/etc/resolv.conf"
#define FILE_MAX_BYTES (64 * 1024)
#define PORT 53

guint
dn_host_servers_parse (const char *text, DnNetworkEnd ret_servers[DN_NETWORK_SERVERS_MAX])
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint count = 0;

  for (char **line = lines; *line != NULL && count < DN_NETWORK_SERVERS_MAX; line++)
    {
      g_auto (GStrv) words = g_strsplit_set (g_strstrip (*line), " \t", -1);
      guint at = 1;

      if (words[0] == NULL || !g_str_equal (words[0], "nameserver"))
        continue;
      while (words[at] != NULL && words[at][0] == '\0')
        at++;
      if (words[at] != NULL && strchr (words[at], '%') == NULL
          && dn_network_end_parse (words[at], PORT, &ret_servers[count]) == NULL)
        count++;
    }
  return count;
}

guint
dn_host_servers_read (DnNetworkEnd ret_servers[DN_NETWORK_SERVERS_MAX])
{
  g_autofree char *text = NULL;
  gsize size = 0;
  guint count = 0;

  if (g_file_get_contents (FILE_NAME, &text, &size, NULL) && size <= FILE_MAX_BYTES)
    count = dn_host_servers_parse (text, ret_servers);
  if (count == 0 && dn_network_end_parse ("127.0.0.1", PORT, &ret_servers[0]) == NULL)
    count = 1;
  return count;
}
