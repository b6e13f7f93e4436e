/* SPDX-License-Identifier: Apache-2.0 */
#include "control-server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../confined/say.h"
#include "orders.h"
#include "outbox.h"
#include "router.h"

static void
drop_connection (DnRouter *router, const char *reason)
{
  DnControlServer *control = &router->control;

  if (control->connection.fd < 0)
    return;
  dn_say ("control connection closed: %s", reason);
  dn_loop_close (&router->loop, &control->connection);
  dn_fd_list_clear (&control->fds);
  dn_backlog_clear (&control->outbox);
}

void
dn_control_server_put (DnRouter *router, uint16_t type, const uint8_t *payload, size_t size)
{
  DnControlServer *control = &router->control;

  if (control->connection.fd < 0)
    return;
  if (dn_backlog_length (&control->outbox) == 0)
    control->progress_ns = router->loop.now_ns;
  if (dn_outbox_put (&control->outbox, type, 0, payload, size) < 0)
    drop_connection (router, "danchid does not read");
}

bool
dn_control_server_is_full (const DnRouter *router)
{
  return dn_backlog_length (&router->control.outbox) > DN_CONTROL_OUTBOX_SOFT_BYTES;
}

void
dn_control_server_adjust (DnRouter *router)
{
  DnControlServer *control = &router->control;
  uint32_t events = (router->channel.is_full ? 0 : EPOLLIN | EPOLLRDHUP)
                    | (dn_backlog_length (&control->outbox) > 0 ? EPOLLOUT : 0);

  if (control->connection.fd >= 0)
    (void) dn_loop_want (&router->loop, &control->connection, events);
}

void
dn_control_server_flush (DnRouter *router)
{
  DnControlServer *control = &router->control;
  int64_t sent;

  if (control->connection.fd < 0)
    return;
  sent = dn_outbox_flush (&control->outbox, control->connection.fd);
  if (sent < 0)
    {
      drop_connection (router, "danchid went away");
      return;
    }
  if (sent > 0)
    control->progress_ns = router->loop.now_ns;
  else if (dn_control_server_is_full (router)
           && router->loop.now_ns - control->progress_ns > DN_CONTROL_STALL_NS)
    {
      drop_connection (router, "danchid does not read");
      return;
    }
  dn_control_server_adjust (router);
}

/* Handles the whole frames that were read. */
static void
process_input (DnRouter *router)
{
  DnControlServer *control = &router->control;
  uint64_t serial = control->serial;

  while (control->connection.fd >= 0 && control->serial == serial)
    {
      DnFrameHeader header;
      const uint8_t *payload;
      int r = dn_frame_reader_next (&control->reader, &header, &payload);

      if (r == 0)
        return;
      if (r > 0)
        r = dn_order_handle (router, &header, payload, &control->fds);
      if (r < 0)
        {
          drop_connection (router, "danchid sent an order that is malformed");
          return;
        }
    }
}

static void
connection_ready (void *data, uint32_t events)
{
  DnRouter *router = data;
  DnControlServer *control = &router->control;
  uint8_t *space;
  size_t size;
  ssize_t n;

  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
    return; /* EPOLLOUT: the end of the turn sends */
  space = dn_frame_reader_space (&control->reader, &size);
  n = dn_fdpass_receive (control->connection.fd, space, size, &control->fds);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      drop_connection (router, n == 0 ? "danchid went away" : "it cannot be read");
      return;
    }
  dn_frame_reader_added (&control->reader, (size_t) n);
  process_input (router);
}

static void
tell_drained (DnRouter *router, DnProcess *process)
{
  if (!process->is_drained)
    return;
  process->is_drained = false; /* settling says it again */
  dn_process_settle (router, process);
}

/* What danchid may have missed while it was away. */
static void
tell_what_is (DnRouter *router)
{
  const DnMsgReady *ready = &router->channel.ready;
  DnMsgLinkUp up = { .generation = router->channel.generation };
  DnMsgMilestone milestone = { .number = router->console.scanner.last };
  uint8_t payload[512];

  if (milestone.number > 0)
    dn_router_tell (router, DN_MSG_MILESTONE, payload,
                    dn_msg_milestone_pack (&milestone, payload, sizeof payload));
  if (dn_channel_is_up (router))
    {
      memcpy (up.boot_id, ready->boot_id, sizeof up.boot_id);
      memcpy (up.kernel, ready->kernel, sizeof up.kernel);
      memcpy (up.agent_version, ready->agent_version, sizeof up.agent_version);
      up.memory_bytes = ready->memory_bytes;
      up.processors = ready->processors;
      dn_router_tell (router, DN_MSG_LINK_UP, payload,
                      dn_msg_link_up_pack (&up, payload, sizeof payload));
    }
  dn_process_for_each (router, tell_drained);
}

static void
listener_ready (void *data, uint32_t events)
{
  DnRouter *router = data;
  DnControlServer *control = &router->control;
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
  drop_connection (router, "a newer one came");
  control->connection.fd = fd;
  control->serial++;
  control->progress_ns = router->loop.now_ns;
  dn_frame_reader_init (&control->reader, &dn_control_all_wire, DN_SENDER_HOST);
  tell_what_is (router);
  dn_control_server_adjust (router);
}

int
dn_control_server_init (DnRouter *router, int listen_fd, uid_t owner_uid)
{
  DnControlServer *control = &router->control;

  memset (control, 0, offsetof (DnControlServer, reader));
  control->listener = (DnSource){ .fd = listen_fd, .ready = listener_ready, .data = router };
  control->connection = (DnSource){ .fd = -1, .ready = connection_ready, .data = router };
  control->owner_uid = owner_uid;
  control->fds.count = 0;
  control->outbox = (DnBacklog) DN_BACKLOG_INIT (DN_CONTROL_OUTBOX_MAX_BYTES);
  return dn_loop_want (&router->loop, &control->listener, EPOLLIN);
}

void
dn_control_server_clear (DnRouter *router)
{
  dn_loop_close (&router->loop, &router->control.connection);
  dn_loop_close (&router->loop, &router->control.listener);
  dn_fd_list_clear (&router->control.fds);
  dn_backlog_clear (&router->control.outbox);
}
