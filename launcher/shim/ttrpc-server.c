/* SPDX-License-Identifier: Apache-2.0 */
#include "ttrpc-server.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>

#include "../common/autofd.h"
#include "shim/ttrpc.pb-c.h"

#define ACCEPT_PAUSE_MS 100 /* without descriptors, until some are free again */

struct DnTtrpcServer
{
  int fd; /* owned */
  guint source;
  GPtrArray *clients; /* Client, owned */
  DnTtrpcHandler handler;
  gpointer user_data;
};

typedef struct
{
  DnTtrpcServer *server;
  DnTtrpcConnection *connection; /* a reference */
  guint32 last_stream;           /* of the last request: streams only rise */
} Client;

static void
client_free (gpointer data)
{
  Client *client = data;

  dn_ttrpc_connection_close (client->connection);
  dn_ttrpc_connection_unref (client->connection);
  g_free (client);
}

static void
on_closed (DnTtrpcConnection *connection, gpointer user_data)
{
  Client *client = user_data;

  (void) connection;
  (void) g_ptr_array_remove_fast (client->server->clients, client);
}

static void
take_request (Client *client, DnCall *call, const guint8 *data, gsize size)
{
  DnTtrpcServer *server = client->server;
  Pb__Request *request = pb__request__unpack (NULL, size, data);

  if (request == NULL)
    {
      dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "request: cannot be read");
      return;
    }
  server->handler (call, request->service, request->method, request->payload.data,
                   request->payload.len, server->user_data);
  pb__request__free_unpacked (request, NULL);
}

static void
on_frame (DnTtrpcConnection *connection, const DnTtrpcHeader *header, const guint8 *data,
          gpointer user_data)
{
  Client *client = user_data;
  DnCall *call;

  if (header->type != DN_TTRPC_REQUEST)
    return; /* of a stream, which no method here has, or of a later protocol */
  call = dn_call_new (connection, header->stream);
  if (data == NULL)
    dn_call_fail (call, DN_STATUS_RESOURCE_EXHAUSTED, "message of %u bytes: over %d",
                  header->length, DN_TTRPC_DATA_MAX_BYTES);
  else if (header->stream % 2 == 0 || header->stream <= client->last_stream)
    dn_call_fail (call, DN_STATUS_INVALID_ARGUMENT, "stream %u: must be odd and over %u",
                  header->stream, client->last_stream);
  else
    {
      client->last_stream = header->stream;
      if (header->flags != 0)
        dn_call_fail (call, DN_STATUS_UNIMPLEMENTED, "streaming");
      else
        take_request (client, call, data, header->length);
    }
}

/* Only root's containerd gives orders here, as they are root's. */
static gboolean
may_speak (int fd)
{
  struct ucred peer;
  socklen_t size = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

static gboolean on_connection (int fd, GIOCondition condition, gpointer user_data);

static gboolean
resume (gpointer user_data)
{
  DnTtrpcServer *server = user_data;

  server->source = g_unix_fd_add (server->fd, G_IO_IN, on_connection, server);
  return G_SOURCE_REMOVE;
}

static gboolean
on_connection (int fd, GIOCondition condition, gpointer user_data)
{
  static const DnTtrpcConnectionEvents events = { .frame = on_frame, .closed = on_closed };
  DnTtrpcServer *server = user_data;
  dn_autofd int socket = accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  Client *client;

  (void) condition;
  if (socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
    {
      server->source = g_timeout_add (ACCEPT_PAUSE_MS, resume, server);
      return G_SOURCE_REMOVE;
    }
  if (socket < 0 || !may_speak (socket) || server->clients->len >= DN_TTRPC_CONNECTIONS_MAX)
    return G_SOURCE_CONTINUE;
  client = g_new0 (Client, 1);
  client->server = server;
  client->connection = dn_ttrpc_connection_new (g_steal_fd (&socket), &events, client);
  g_ptr_array_add (server->clients, client);
  return G_SOURCE_CONTINUE;
}

DnTtrpcServer *
dn_ttrpc_server_new (int fd, DnTtrpcHandler handler, gpointer user_data)
{
  DnTtrpcServer *server = g_new0 (DnTtrpcServer, 1);

  server->fd = fd;
  server->handler = handler;
  server->user_data = user_data;
  server->clients = g_ptr_array_new_with_free_func (client_free);
  (void) g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  (void) resume (server);
  return server;
}

void
dn_ttrpc_server_free (DnTtrpcServer *server)
{
  if (server == NULL)
    return;
  g_source_remove (server->source);
  g_ptr_array_unref (server->clients);
  dn_fd_clear (&server->fd);
  g_free (server);
}
