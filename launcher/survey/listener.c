/* SPDX-License-Identifier: Apache-2.0 */
#include "listener.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "fact.h"
#include "root-file.h"
#include "service.h"

#define TABLE_MAX_BYTES (32 * 1024 * 1024)
#define LISTENERS_MAX 16384

/* include/net/tcp_states.h: LISTEN; of UDP, a socket that nobody connected. */
#define STATE_LISTEN 0x0A
#define STATE_UNCONNECTED 0x07
/* include/uapi/linux/net.h */
#define UNIX_ACCEPTS 0x10000

static const struct
{
  const char *protocol;
  const char *table;
  guint state;
} tables[] = {
  { "tcp", "/proc/net/tcp", STATE_LISTEN },
  { "tcp6", "/proc/net/tcp6", STATE_LISTEN },
  { "udp", "/proc/net/udp", STATE_UNCONNECTED },
  { "udp6", "/proc/net/udp6", STATE_UNCONNECTED },
};

typedef struct
{
  const char *protocol;
  char *text; /* owned; of the address */
  const char *exposure;
  guint port;
  guint uid;
  guint64 inode;
} Internet;

/* The kernel prints an address as the words of memory that it is: 8 digits for each 4 bytes.
 * Returns: the number of bytes, 0 for what is no address */
static gsize
parse_address (const char *digits, guint8 bytes[16])
{
  gsize size = strlen (digits) / 2;

  if ((size != 4 && size != 16) || digits[2 * size] != '\0')
    return 0;
  for (gsize i = 0; i < size / 4; i++)
    {
      guint word;

      if (sscanf (digits + 8 * i, "%8x", &word) != 1)
        return 0;
      memcpy (bytes + 4 * i, &word, sizeof word);
    }
  return size;
}

static const char *
name_exposure (const guint8 *bytes, gsize size)
{
  static const guint8 any[16] = { 0 };
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };
  static const guint8 loopback6[16] = { [15] = 1 };

  if (size == 16 && memcmp (bytes, mapped, sizeof mapped) == 0)
    return name_exposure (bytes + 12, 4);
  if (memcmp (bytes, any, size) == 0)
    return "all";
  if (size == 4 ? bytes[0] == 127 : memcmp (bytes, loopback6, size) == 0)
    return "loopback";
  return "address";
}

/* (transfer full) in @ret->text.  Returns: FALSE for a line of something else than a listener */
static gboolean
parse_internet (const char *line, guint wanted_state, Internet *ret)
{
  char local[33], text[INET6_ADDRSTRLEN];
  guint8 bytes[16];
  guint state;
  gsize size;

  if (sscanf (line,
              " %*d: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %u %*d %" G_GUINT64_FORMAT,
              local, &ret->port, &state, &ret->uid, &ret->inode)
          != 5
      || state != wanted_state)
    return FALSE;
  size = parse_address (local, bytes);
  if (size == 0 || inet_ntop (size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == NULL)
    return FALSE;
  ret->text = g_strdup (text);
  ret->exposure = name_exposure (bytes, size);
  return TRUE;
}

static void
set_process (JsonObject *listener, const DnProcess *process)
{
  dn_fact_set_number (listener, "pid", process != NULL ? process->pid : -1);
  dn_fact_set_text (listener, "process", process != NULL ? process->program : NULL);
}

static void
add_internet (JsonArray *listeners, const Internet *found, const DnProcess *process)
{
  JsonObject *listener = json_object_new ();
  const DnService *service
      = dn_service_find (found->port, process != NULL ? process->program : NULL);

  json_object_set_string_member (listener, "protocol", found->protocol);
  json_object_set_string_member (listener, "address", found->text);
  json_object_set_int_member (listener, "port", found->port);
  json_object_set_null_member (listener, "path");
  json_object_set_string_member (listener, "exposure", found->exposure);
  set_process (listener, process);
  json_object_set_int_member (listener, "uid", found->uid);
  dn_fact_set_text (listener, "service", service != NULL ? service->name : NULL);
  json_array_add_object_element (listeners, listener);
}

static void
add_unix (JsonArray *listeners, const char *line, const DnProcessList *list)
{
  guint flags;
  guint64 inode;
  int path_at = 0;
  const DnProcess *process;
  JsonObject *listener;

  if (sscanf (line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %" G_GUINT64_FORMAT " %n", &flags, &inode,
              &path_at)
          != 2
      || (flags & UNIX_ACCEPTS) == 0 || path_at == 0)
    return;
  process = dn_process_list_find_socket (list, inode);
  listener = json_object_new ();
  json_object_set_string_member (listener, "protocol", "unix");
  json_object_set_null_member (listener, "address");
  json_object_set_null_member (listener, "port");
  dn_fact_set_text (listener, "path", line[path_at] != '\0' ? line + path_at : NULL);
  json_object_set_string_member (listener, "exposure", "loopback");
  set_process (listener, process);
  dn_fact_set_number (listener, "uid", process != NULL ? (gint64) process->uid : -1);
  json_object_set_null_member (listener, "service");
  json_array_add_object_element (listeners, listener);
}

JsonArray *
dn_listener_read (const char *root, const DnProcessList *list)
{
  JsonArray *listeners = json_array_new ();
  g_autofree char *unix_text = dn_root_file_read (root, "/proc/net/unix", TABLE_MAX_BYTES);
  g_auto (GStrv) unix_lines = g_strsplit (unix_text != NULL ? unix_text : "", "\n", -1);

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autofree char *text = dn_root_file_read (root, tables[i].table, TABLE_MAX_BYTES);
      g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

      for (guint k = 0; lines[k] != NULL && json_array_get_length (listeners) < LISTENERS_MAX; k++)
        {
          Internet found = { .protocol = tables[i].protocol };

          if (parse_internet (lines[k], tables[i].state, &found))
            add_internet (listeners, &found, dn_process_list_find_socket (list, found.inode));
          g_free (found.text);
        }
    }
  for (guint k = 0; unix_lines[k] != NULL && json_array_get_length (listeners) < LISTENERS_MAX; k++)
    add_unix (listeners, unix_lines[k], list);
  return listeners;
}
