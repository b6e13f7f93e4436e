/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#include "../common/autofd.h"

#define READ_BYTES (64 * 1024)

struct DnTtrpcConnection
{
  int fd; /* owned; -1 when closed */
  const DnTtrpcConnectionEvents *events;
  gpointer user_data;
  DnTtrpcReader reader;
  GByteArray *backlog; /* owned: whole frames, the first maybe begun */
  guint in, out;       /* sources, 0: none */
};

static void
connection_clear (gpointer data)
{
  DnTtrpcConnection *connection = data;

  dn_ttrpc_connection_close (connection);
  dn_ttrpc_reader_clear (&connection->reader);
  g_byte_array_unref (connection->backlog);
}

DnTtrpcConnection *
dn_ttrpc_connection_ref (DnTtrpcConnection *connection)
{
  return g_rc_box_acquire (connection);
}

void
dn_ttrpc_connection_unref (DnTtrpcConnection *connection)
{
  g_rc_box_release_full (connection, connection_clear);
}

gboolean
dn_ttrpc_connection_is_open (const DnTtrpcConnection *connection)
{
  return connection->fd >= 0;
}

void
dn_ttrpc_connection_close (DnTtrpcConnection *connection)
{
  g_clear_handle_id (&connection->in, g_source_remove);
  g_clear_handle_id (&connection->out, g_source_remove);
  dn_fd_clear (&connection->fd);
}

static void
fail (DnTtrpcConnection *connection)
{
  if (connection->fd < 0)
    return;
  dn_ttrpc_connection_close (connection);
  connection->events->closed (connection, connection->user_data);
}

/* Hands out what is whole.  A handler may close the connection. */
static void
take_frames (DnTtrpcConnection *connection)
{
  DnTtrpcHeader header;
  const guint8 *data;
  DnTtrpcTaken taken;

  while (connection->fd >= 0
         && (taken = dn_ttrpc_reader_next (&connection->reader, &header, &data)) != DN_TTRPC_MORE)
    connection->events->frame (connection, &header, taken == DN_TTRPC_FRAME ? data : NULL,
                               connection->user_data);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  DnTtrpcConnection *connection = dn_ttrpc_connection_ref (user_data);
  g_autofree guint8 *bytes = g_malloc (READ_BYTES);
  ssize_t n = recv (fd, bytes, READ_BYTES, MSG_DONTWAIT);
  gboolean goes_on;

  (void) condition;
  if (n > 0)
    {
      dn_ttrpc_reader_add (&connection->reader, bytes, (gsize) n);
      take_frames (connection);
    }
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    fail (connection);
  goes_on = connection->fd >= 0;
  dn_ttrpc_connection_unref (connection);
  return goes_on;
}

/* Sends what the peer takes now.  Returns: FALSE when the connection is broken. */
static gboolean
flush (DnTtrpcConnection *connection)
{
  GByteArray *backlog = connection->backlog;

  while (backlog->len > 0)
    {
      ssize_t n = send (connection->fd, backlog->data, backlog->len, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno == EAGAIN;
      g_byte_array_remove_range (backlog, 0, (guint) n);
    }
  return TRUE;
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  DnTtrpcConnection *connection = user_data;

  (void) fd;
  (void) condition;
  if (!flush (connection))
    {
      /* The reading source tells: not from here, where the handler may be in the midst of it. */
      (void) shutdown (connection->fd, SHUT_RDWR);
      g_byte_array_set_size (connection->backlog, 0);
    }
  if (connection->backlog->len > 0)
    return G_SOURCE_CONTINUE;
  connection->out = 0;
  return G_SOURCE_REMOVE;
}

void
dn_ttrpc_connection_send (DnTtrpcConnection *connection, const DnTtrpcHeader *header,
                          const guint8 *data)
{
  guint8 bytes[DN_TTRPC_HEADER_BYTES];
  gsize size = DN_TTRPC_HEADER_BYTES + (gsize) header->length;

  if (connection->fd < 0)
    return;
  if (connection->backlog->len + size > DN_TTRPC_BACKLOG_MAX_BYTES)
    {
      (void) shutdown (connection->fd, SHUT_RDWR);
      return;
    }
  dn_ttrpc_header_encode (header, bytes);
  g_byte_array_append (connection->backlog, bytes, sizeof bytes);
  g_byte_array_append (connection->backlog, data, header->length);
  if (connection->out != 0)
    return;
  if (!flush (connection))
    (void) shutdown (connection->fd, SHUT_RDWR);
  else if (connection->backlog->len > 0)
    connection->out = g_unix_fd_add (connection->fd, G_IO_OUT, on_writable, connection);
}

DnTtrpcConnection *
dn_ttrpc_connection_new (int fd, const DnTtrpcConnectionEvents *events, gpointer user_data)
{
  DnTtrpcConnection *connection = g_rc_box_new0 (DnTtrpcConnection);

  connection->fd = fd;
  connection->events = events;
  connection->user_data = user_data;
  connection->backlog = g_byte_array_new ();
  dn_ttrpc_reader_init (&connection->reader);
  connection->in = g_unix_fd_add (fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, connection);
  return connection;
}
