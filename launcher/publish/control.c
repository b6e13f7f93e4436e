/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../confined/say.h"
#include "publisher.h"

static void
drop_connection (DnPublisher *publisher, const char *reason)
{
  DnPublishControl *control = &publisher->control;

  if (control->connection.fd < 0)
    return;
  if (reason != NULL)
    dn_say ("control connection closed: %s", reason);
  dn_loop_close (&publisher->loop, &control->connection);
}

static void
tell (DnPublisher *publisher, uint16_t type, const uint8_t *payload, int size)
{
  DnPublishControl *control = &publisher->control;

  if (control->connection.fd >= 0
      && dn_publish_send (control->connection.fd, type, payload, size, NULL) < 0)
    drop_connection (publisher, "danchid does not read");
}

static void
tell_done (DnPublisher *publisher, int result)
{
  DnMsgPublishDone done = { .error = (uint32_t) -result };
  uint8_t payload[DN_PUBLISH_PACKET_BYTES];

  tell (publisher, DN_MSG_PUBLISH_DONE, payload,
        dn_msg_publish_done_pack (&done, payload, sizeof payload));
}

void
dn_publish_control_ask (DnPublisher *publisher)
{
  for (DnDialKind kind = 0; publisher->control.connection.fd >= 0 && kind < DN_DIAL_KINDS; kind++)
    {
      bool is_used = publisher->dials[kind].count > 0;
      DnMsgPublishWant want
          = { .is_udp = dn_dial_kind_is_udp (kind), .family = dn_dial_kind_family (kind) };
      uint8_t payload[DN_PUBLISH_PACKET_BYTES];

      for (const DnPort *port = publisher->ports; port != NULL && !is_used; port = port->next)
        is_used = port->kind == kind;
      want.count
          = is_used ? (uint16_t) dn_dial_stock_ask (&publisher->dials[kind], publisher->loop.now_ns)
                    : 0;
      if (want.count > 0)
        tell (publisher, DN_MSG_PUBLISH_WANT, payload,
              dn_msg_publish_want_pack (&want, payload, sizeof payload));
    }
}

static int
add (DnPublisher *publisher, const uint8_t *payload, size_t size, DnFdList *fds)
{
  DnMsgPublishAdd order;
  int r = dn_msg_publish_add_unpack (payload, size, &order);
  int fd;

  if (r < 0 || fds->count != 1)
    return -EPROTO;
  fd = fds->fds[0];
  fds->count = 0;
  r = dn_port_add (publisher, &order, fd);
  tell_done (publisher, r);
  return 0;
}

static int
remove_ports (DnPublisher *publisher, const uint8_t *payload, size_t size)
{
  DnMsgPublishRemove order;

  if (dn_msg_publish_remove_unpack (payload, size, &order) < 0)
    return -EPROTO;
  dn_port_remove (publisher, order.container);
  tell_done (publisher, 0);
  return 0;
}

static int
take_dials (DnPublisher *publisher, const uint8_t *payload, size_t size, DnFdList *fds)
{
  DnMsgPublishDials dials;
  DnDialStock *stock;

  if (dn_msg_publish_dials_unpack (payload, size, &dials) < 0 || fds->count == 0
      || (dials.family != 4 && dials.family != 6))
    return -EPROTO;
  stock = &publisher->dials[dn_dial_kind (dials.is_udp, dials.family)];
  for (size_t i = 0; i < fds->count; i++)
    dn_dial_stock_add (stock, fds->fds[i]);
  fds->count = 0;
  stock->is_wanted = false;
  dn_port_retry (publisher);
  return 0;
}

/* A step at a time: the socket's buffer holds that much. */
static int
list (DnPublisher *publisher, const uint8_t *request, size_t size)
{
  DnMsgPublishListed listed = { .count = publisher->port_count };
  uint8_t payload[DN_PUBLISH_PACKET_BYTES];
  DnMsgPublishList order;
  uint32_t number = 0;

  if (dn_msg_publish_list_unpack (request, size, &order) < 0)
    return -EPROTO;
  for (DnPort *port = publisher->ports; port != NULL; port = port->next, number++)
    {
      DnMsgPublishPort message;

      if (number < order.first || number - order.first >= DN_PUBLISH_LIST_STEP)
        continue;
      dn_port_describe (port, &message);
      tell (publisher, DN_MSG_PUBLISH_PORT, payload,
            dn_msg_publish_port_pack (&message, payload, sizeof payload));
    }
  tell (publisher, DN_MSG_PUBLISH_LISTED, payload,
        dn_msg_publish_listed_pack (&listed, payload, sizeof payload));
  return 0;
}

static int
handle (DnPublisher *publisher, const DnFrameHeader *header, const uint8_t *payload, DnFdList *fds)
{
  switch (header->type)
    {
    case DN_MSG_PUBLISH_ADD:
      return add (publisher, payload, header->length, fds);
    case DN_MSG_PUBLISH_REMOVE:
      return remove_ports (publisher, payload, header->length);
    case DN_MSG_PUBLISH_DIALS:
      return take_dials (publisher, payload, header->length, fds);
    case DN_MSG_PUBLISH_LIST:
      return list (publisher, payload, header->length);
    case DN_MSG_PUBLISH_QUIT:
      publisher->is_ending = true;
      return 0;
    default:
      return -EPROTO;
    }
}

static void
connection_ready (void *data, uint32_t events)
{
  DnPublisher *publisher = data;
  DnPublishControl *control = &publisher->control;
  uint8_t bytes[DN_PUBLISH_PACKET_BYTES];
  DnFdList fds = DN_FD_LIST_INIT;
  DnFrameHeader header;
  int r = dn_publish_receive (control->connection.fd, DN_SENDER_HOST, bytes, &header, &fds);

  (void) events;
  if (r == 1)
    r = handle (publisher, &header, bytes + DN_FRAME_HEADER_BYTES, &fds);
  else if (r == 0) /* danchid went away; that is no news */
    r = -ECONNRESET;
  dn_fd_list_clear (&fds);
  if (r < 0 && r != -EAGAIN)
    drop_connection (publisher, r == -EPROTO ? "danchid sent an order that is malformed" : NULL);
}

static void
listener_ready (void *data, uint32_t events)
{
  DnPublisher *publisher = data;
  DnPublishControl *control = &publisher->control;
  int fd = accept4 (control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct ucred peer = { .uid = (uid_t) -1 };
  socklen_t size = sizeof peer;

  (void) events;
  if (fd < 0)
    return; /* the other side gave up meanwhile */
  /* The socket's directory keeps others away; the kernel's word for who it is counts. */
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != control->owner_uid)
    {
      dn_say ("control connection refused: uid %u", peer.uid);
      (void) close (fd);
      return;
    }
  drop_connection (publisher, NULL);
  control->connection.fd = fd;
  for (DnDialKind kind = 0; kind < DN_DIAL_KINDS; kind++)
    dn_dial_stock_forget_asked (&publisher->dials[kind]);
  (void) dn_loop_want (&publisher->loop, &control->connection, EPOLLIN);
}

int
dn_publish_control_init (DnPublisher *publisher, int listen_fd, uid_t owner_uid)
{
  DnPublishControl *control = &publisher->control;

  control->listener = (DnSource){ .fd = listen_fd, .ready = listener_ready, .data = publisher };
  control->connection = (DnSource){ .fd = -1, .ready = connection_ready, .data = publisher };
  control->owner_uid = owner_uid;
  return dn_loop_want (&publisher->loop, &control->listener, EPOLLIN);
}

void
dn_publish_control_clear (DnPublisher *publisher)
{
  dn_loop_close (&publisher->loop, &publisher->control.connection);
  dn_loop_close (&publisher->loop, &publisher->control.listener);
}
