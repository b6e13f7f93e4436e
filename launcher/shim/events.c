/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../common/autofd.h"
#include "connection.h"
#include "shim/events.pb-c.h"
#include "shim/ttrpc.pb-c.h"
#include "timestamp.h"

#define SERVICE "containerd.services.events.ttrpc.v1.Events"

struct DnEvents
{
  char *path; /* owned; NULL: nobody wants any */
  char *name_space;
  GQueue queue; /* GBytes, owned: requests; the first one is under way while is_sent */
  DnTtrpcConnection *connection; /* a reference; NULL: none */
  guint32 stream;                /* of the last request */
  gboolean is_sent;
  guint tries; /* of the first one */
  guint timer; /* of the answer, or until the next try */
};

static void go_on (DnEvents *events);

static gboolean
on_retry (gpointer user_data)
{
  DnEvents *events = user_data;

  events->timer = 0;
  go_on (events);
  return G_SOURCE_REMOVE;
}

/* The connection is of no more use: another one later. */
static void
give_up (DnEvents *events)
{
  if (events->connection != NULL)
    {
      dn_ttrpc_connection_close (events->connection);
      g_clear_pointer (&events->connection, dn_ttrpc_connection_unref);
    }
  if (events->is_sent && ++events->tries >= DN_EVENTS_TRIES)
    {
      g_warning ("an event was not taken in %u tries", events->tries);
      g_bytes_unref (g_queue_pop_head (&events->queue));
      events->tries = 0;
    }
  events->is_sent = FALSE;
  g_clear_handle_id (&events->timer, g_source_remove);
  events->timer = g_timeout_add (DN_EVENTS_RETRY_MS, on_retry, events);
}

static gboolean
on_no_answer (gpointer user_data)
{
  DnEvents *events = user_data;

  events->timer = 0;
  give_up (events);
  return G_SOURCE_REMOVE;
}

static void
on_closed (DnTtrpcConnection *connection, gpointer user_data)
{
  (void) connection;
  give_up (user_data);
}

static void
log_refusal (const guint8 *data, gsize size)
{
  Pb__Response *response = pb__response__unpack (NULL, size, data);

  if (response != NULL && response->status != NULL && response->status->code != 0)
    g_warning ("event refused: code %d", response->status->code);
  if (response != NULL)
    pb__response__free_unpacked (response, NULL);
}

static void
on_frame (DnTtrpcConnection *connection, const DnTtrpcHeader *header, const guint8 *data,
          gpointer user_data)
{
  DnEvents *events = user_data;

  (void) connection;
  if (header->type != DN_TTRPC_RESPONSE || header->stream != events->stream || !events->is_sent)
    return;
  /* A refusal is an answer, too: the same event would be refused again. */
  if (data != NULL)
    log_refusal (data, header->length);
  g_bytes_unref (g_queue_pop_head (&events->queue));
  events->is_sent = FALSE;
  events->tries = 0;
  g_clear_handle_id (&events->timer, g_source_remove);
  go_on (events);
}

static gboolean
dial (DnEvents *events)
{
  static const DnTtrpcConnectionEvents handlers = { .frame = on_frame, .closed = on_closed };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  /* Not blocking: a containerd whose queue is full is tried again like one that is away. */
  dn_autofd int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (g_strlcpy (address.sun_path, events->path, sizeof address.sun_path) >= sizeof address.sun_path
      || fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return FALSE;
  events->connection = dn_ttrpc_connection_new (g_steal_fd (&fd), &handlers, events);
  events->stream = 0;
  return TRUE;
}

/* Sends the next one, where there is one and none is under way. */
static void
go_on (DnEvents *events)
{
  DnTtrpcHeader header = { .type = DN_TTRPC_REQUEST };
  GBytes *first = g_queue_peek_head (&events->queue);

  if (first == NULL || events->is_sent || events->timer != 0)
    return;
  if (events->connection == NULL && !dial (events))
    {
      give_up (events);
      return;
    }
  events->stream = events->stream == 0 ? 1 : events->stream + 2;
  header.stream = events->stream;
  header.length = (guint32) g_bytes_get_size (first);
  events->is_sent = TRUE;
  events->timer = g_timeout_add (DN_EVENTS_ANSWER_MS, on_no_answer, events);
  dn_ttrpc_connection_send (events->connection, &header, g_bytes_get_data (first, NULL));
}

DnEvents *
dn_events_new (const char *address, const char *name_space)
{
  DnEvents *events = g_new0 (DnEvents, 1);
  const char *path = address != NULL ? address : "";

  if (g_str_has_prefix (path, "unix://"))
    path += strlen ("unix://");
  events->path = *path != '\0' ? g_strdup (path) : NULL;
  events->name_space = g_strdup (name_space);
  g_queue_init (&events->queue);
  return events;
}

void
dn_events_free (DnEvents *events)
{
  if (events == NULL)
    return;
  g_clear_handle_id (&events->timer, g_source_remove);
  if (events->connection != NULL)
    {
      dn_ttrpc_connection_close (events->connection);
      dn_ttrpc_connection_unref (events->connection);
    }
  g_queue_clear_full (&events->queue, (GDestroyNotify) g_bytes_unref);
  g_free (events->path);
  g_free (events->name_space);
  g_free (events);
}

gboolean
dn_events_are_pending (const DnEvents *events)
{
  return events->queue.length > 0;
}

static ProtobufCBinaryData
pack (const ProtobufCMessage *message)
{
  ProtobufCBinaryData data = { .len = protobuf_c_message_get_packed_size (message) };

  data.data = g_malloc (data.len + 1);
  (void) protobuf_c_message_pack (message, data.data);
  return data;
}

/* The request, whole, so that a queue of them is a queue of bytes. */
static GBytes *
make_request (const DnEvents *events, const char *topic, const ProtobufCMessage *message)
{
  g_autofree char *type = g_strconcat ("containerd.events.", message->descriptor->short_name, NULL);
  Pb__Timestamp timestamp = PB__TIMESTAMP__INIT;
  Pb__Any any = PB__ANY__INIT;
  Pb__Envelope envelope = PB__ENVELOPE__INIT;
  Pb__ForwardRequest forward = PB__FORWARD_REQUEST__INIT;
  Pb__Request request = PB__REQUEST__INIT;
  ProtobufCBinaryData data;

  dn_timestamp_fill (&timestamp, g_get_real_time ());
  any.type_url = type;
  any.value = pack (message);
  envelope.timestamp = &timestamp;
  envelope.namespace_ = events->name_space;
  envelope.topic = (char *) topic;
  envelope.event = &any;
  forward.envelope = &envelope;
  request.service = (char *) SERVICE;
  request.method = (char *) "Forward";
  request.payload = pack (&forward.base);
  request.timeout_nano = (gint64) DN_EVENTS_ANSWER_MS * 1000 * 1000;
  data = pack (&request.base);
  g_free (any.value.data);
  g_free (request.payload.data);
  return g_bytes_new_take (data.data, data.len);
}

void
dn_events_publish (DnEvents *events, const char *topic, const ProtobufCMessage *message)
{
  if (events->path == NULL)
    return;
  if (events->queue.length >= DN_EVENTS_MAX)
    {
      g_warning ("event %s dropped: %d wait already", topic, DN_EVENTS_MAX);
      return;
    }
  g_queue_push_tail (&events->queue, make_request (events, topic, message));
  go_on (events);
}
