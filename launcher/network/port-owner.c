/* SPDX-License-Identifier: Apache-2.0 */
#include "port-owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP_LISTEN 0x0a
/* A table of a host with more sockets is not looked through for an error's sake. */
#define TABLE_MAX_BYTES (16 * 1024 * 1024)

guint64
dn_port_owner_find_inode (const char *table, const DnPortSought *sought)
{
  for (const char *line = strchr (table, '\n'); line != NULL; line = strchr (line, '\n'))
    {
      char address[33];
      unsigned local, state;
      unsigned long long inode;

      line++;
      /* sl local:port remote:port state tx:rx tr:when retransmits uid timeout inode */
      if (sscanf (line,
                  " %*u: %32[0-9A-Fa-f]:%4x %*32[0-9A-Fa-f]:%*4x %2x %*s %*s %*s %*u %*u %llu",
                  address, &local, &state, &inode)
              == 4
          && local == sought->port && (sought->is_udp || state == TCP_LISTEN) && inode != 0
          && (!sought->is_everywhere || address[strspn (address, "0")] == '\0'))
        return inode;
    }
  return 0;
}

static guint64
read_inode (const char *name, const DnPortSought *sought)
{
  g_autofree char *path = g_strdup_printf ("/proc/1/net/%s", name);
  g_autofree char *table = NULL;
  gsize size;

  return g_file_get_contents (path, &table, &size, NULL) && size <= TABLE_MAX_BYTES
             ? dn_port_owner_find_inode (table, sought)
             : 0;
}

static gboolean
has_descriptor (const char *pid, const char *wanted)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/fd", pid);
  g_autoptr (GDir) fds = g_dir_open (path, 0, NULL);
  const char *fd;

  while (fds != NULL && (fd = g_dir_read_name (fds)) != NULL)
    {
      g_autofree char *link = g_strdup_printf ("%s/%s", path, fd);
      char target[64];
      ssize_t size = readlink (link, target, sizeof target - 1);

      if (size > 0)
        {
          target[size] = '\0';
          if (strcmp (target, wanted) == 0)
            return TRUE;
        }
    }
  return FALSE;
}

/* A program chooses its name itself: shown without what a terminal would act on. */
static void
read_name (const char *pid, DnPortOwner *owner)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/comm", pid);
  g_autofree char *name = NULL;

  owner->pid = atoi (pid);
  if (!g_file_get_contents (path, &name, NULL, NULL))
    name = g_strdup ("?");
  g_strlcpy (owner->name, g_strchomp (name), sizeof owner->name);
  for (char *at = owner->name; *at != '\0'; at++)
    if (!g_ascii_isprint (*at))
      *at = '?';
}

gboolean
dn_port_owner_find (const DnPortSought *sought, DnPortOwner *ret_owner)
{
  guint64 inode = read_inode (sought->is_udp ? "udp" : "tcp", sought);
  g_autofree char *wanted = NULL;
  g_autoptr (GDir) processes = NULL;
  const char *pid;

  if (inode == 0)
    inode = read_inode (sought->is_udp ? "udp6" : "tcp6", sought);
  if (inode == 0)
    return FALSE;
  wanted = g_strdup_printf ("socket:[%" G_GUINT64_FORMAT "]", inode);
  processes = g_dir_open ("/proc", 0, NULL);
  while (processes != NULL && (pid = g_dir_read_name (processes)) != NULL)
    if (g_ascii_isdigit (*pid) && has_descriptor (pid, wanted))
      {
        read_name (pid, ret_owner);
        return TRUE;
      }
  return FALSE;
}
