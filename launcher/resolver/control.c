/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../confined/say.h"
#include "ask.h"
#include "cache.h"
#include "gateway-link.h"

static void
drop_connection (DnResolver *resolver, const char *reason)
{
  DnControl *control = &resolver->control;

  if (control->connection.fd < 0)
    return;
  if (reason != NULL)
    dn_say ("control connection closed: %s", reason);
  dn_loop_close (&resolver->loop, &control->connection);
  dn_fd_list_clear (&control->fds);
  control->is_telling = false;
}

/* The table that is being told. */
static DnTable *
other_table (DnResolver *resolver)
{
  return &resolver->tables_of[resolver->table == &resolver->tables_of[0]];
}

/* The table that a name is to go into. */
static DnTable *
table_for_names (DnResolver *resolver)
{
  return resolver->control.is_telling ? other_table (resolver) : resolver->table;
}

static int
begin (DnResolver *resolver, const uint8_t *payload, size_t size)
{
  DnTable *table = other_table (resolver);
  DnMsgResolverBegin message;

  if (dn_msg_resolver_begin_unpack (payload, size, &message) < 0 || message.has_public > 1
      || message.servers > DN_NETWORK_SERVERS_MAX)
    return -EPROTO;
  dn_table_clear (table);
  table->has_public = message.has_public != 0;
  table->server_count = message.servers;
  resolver->control.is_telling = true;
  return 0;
}

static int
add_rule (DnResolver *resolver, const uint8_t *payload, size_t size)
{
  DnMsgResolverRule message;
  int r = dn_msg_resolver_rule_unpack (payload, size, &message);

  if (!resolver->control.is_telling)
    return -EPROTO;
  return r < 0 ? r : dn_table_add_rule (other_table (resolver), &message);
}

static int
add_name (DnResolver *resolver, const uint8_t *payload, size_t size)
{
  DnMsgResolverName message;
  int r = dn_msg_resolver_name_unpack (payload, size, &message);

  r = r < 0 ? r : dn_table_add_name (table_for_names (resolver), &message);
  /* More names than there is room for: those that are there go on to be served. */
  if (r == -ENOSPC)
    dn_say ("names: no room for more than %d", DN_RESOLVER_NAMES_MAX);
  return r == -ENOSPC ? 0 : r;
}

static int
remove_name (DnResolver *resolver, const uint8_t *payload, size_t size)
{
  DnMsgResolverUnname message;
  int r = dn_msg_resolver_unname_unpack (payload, size, &message);

  if (r == 0)
    dn_table_remove_names (table_for_names (resolver), message.guest, message.slot);
  return r;
}

/* What was asked and kept by the old rules is gone with them. */
static int
commit (DnResolver *resolver)
{
  if (!resolver->control.is_telling)
    return -EPROTO;
  dn_ask_clear_all (resolver);
  dn_cache_clear (resolver);
  resolver->table = other_table (resolver);
  resolver->control.is_telling = false;
  resolver->tables++;
  return 0;
}

static int
set_gateway (DnResolver *resolver)
{
  DnFdList *fds = &resolver->control.fds;
  int fd;

  if (fds->count != 1)
    return -EPROTO;
  fd = fds->fds[0];
  fds->count = 0;
  dn_gateway_link_set (resolver, fd);
  return 0;
}

static int
probe (DnResolver *resolver, const uint8_t *payload, size_t size)
{
  const DnResolverCounts *counts = &resolver->counts;
  DnMsgResolverProbe message;
  DnMsgResolverProbed probed;
  uint8_t bytes[DN_FRAME_HEADER_BYTES + 128];
  int length;

  if (dn_msg_resolver_probe_unpack (payload, size, &message) < 0)
    return -EPROTO;
  probed = (DnMsgResolverProbed){ .request = message.request,
                                  .tables = resolver->tables,
                                  .rules = (uint32_t) (resolver->table->allow_count
                                                       + resolver->table->deny_count),
                                  .names = (uint32_t) resolver->table->name_count,
                                  .has_gateway = resolver->gateway.socket.fd >= 0,
                                  .queries = counts->queries,
                                  .refused = counts->refused,
                                  .dropped = counts->dropped,
                                  .asked = counts->asked,
                                  .failed = counts->failed,
                                  .rebound = counts->rebound,
                                  .pinned = counts->pinned };
  length = dn_msg_resolver_probed_pack (&probed, bytes + DN_FRAME_HEADER_BYTES, 128);
  if (length < 0)
    return length;
  dn_frame_encode_header (bytes, DN_MSG_RESOLVER_PROBED, 0, (uint32_t) length);
  /* danchid reads what it asks for: if not, it asks on another connection. */
  return send (resolver->control.connection.fd, bytes, DN_FRAME_HEADER_BYTES + (size_t) length,
               MSG_DONTWAIT | MSG_NOSIGNAL)
                 == DN_FRAME_HEADER_BYTES + length
             ? 0
             : -EPIPE;
}

void
dn_control_want_gateway (DnResolver *resolver)
{
  uint8_t frame[DN_FRAME_HEADER_BYTES];

  dn_frame_encode_header (frame, DN_MSG_RESOLVER_WANT, 0, 0);
  /* Without danchid, or where it does not read: the next one that comes brings one anyway. */
  if (resolver->control.connection.fd >= 0)
    (void) !send (resolver->control.connection.fd, frame, sizeof frame,
                  MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
handle (DnResolver *resolver, const DnFrameHeader *header, const uint8_t *payload)
{
  switch (header->type)
    {
    case DN_MSG_RESOLVER_BEGIN:
      return begin (resolver, payload, header->length);
    case DN_MSG_RESOLVER_RULE:
      return add_rule (resolver, payload, header->length);
    case DN_MSG_RESOLVER_NAME:
      return add_name (resolver, payload, header->length);
    case DN_MSG_RESOLVER_UNNAME:
      return remove_name (resolver, payload, header->length);
    case DN_MSG_RESOLVER_COMMIT:
      return commit (resolver);
    case DN_MSG_RESOLVER_GATEWAY:
      return set_gateway (resolver);
    case DN_MSG_RESOLVER_PROBE:
      return probe (resolver, payload, header->length);
    case DN_MSG_RESOLVER_QUIT:
      resolver->is_ending = true;
      return 0;
    default:
      return -EPROTO;
    }
}

static void
process_input (DnResolver *resolver)
{
  DnControl *control = &resolver->control;

  while (control->connection.fd >= 0 && !resolver->is_ending)
    {
      DnFrameHeader header;
      const uint8_t *payload;
      int r = dn_frame_reader_next (&control->reader, &header, &payload);

      if (r == 0)
        return;
      if (r > 0)
        r = handle (resolver, &header, payload);
      if (r < 0)
        drop_connection (resolver, "danchid sent what is malformed");
    }
}

static void
connection_ready (void *data, uint32_t events)
{
  DnResolver *resolver = data;
  DnControl *control = &resolver->control;
  uint8_t *space;
  size_t size;
  ssize_t n;

  (void) events;
  space = dn_frame_reader_space (&control->reader, &size);
  n = dn_fdpass_receive (control->connection.fd, space, size, &control->fds);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      drop_connection (resolver, n < 0 ? "it cannot be read" : NULL);
      return;
    }
  dn_frame_reader_added (&control->reader, (size_t) n);
  process_input (resolver);
}

static void
listener_ready (void *data, uint32_t events)
{
  DnResolver *resolver = data;
  DnControl *control = &resolver->control;
  int fd = accept4 (control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct ucred peer = { .uid = (uid_t) -1 };
  socklen_t size = sizeof peer;

  (void) events;
  if (fd < 0)
    return;
  /* The socket's directory keeps others away; the kernel's word for who it is counts. */
  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != control->owner_uid)
    {
      dn_say ("control connection refused: uid %u", peer.uid);
      (void) close (fd);
      return;
    }
  drop_connection (resolver, NULL);
  control->connection.fd = fd;
  dn_frame_reader_init (&control->reader, &dn_resolver_wire, DN_SENDER_HOST);
  (void) dn_loop_want (&resolver->loop, &control->connection, EPOLLIN | EPOLLRDHUP);
}

int
dn_control_init (DnResolver *resolver, int listen_fd, uid_t owner_uid)
{
  DnControl *control = &resolver->control;

  control->listener = (DnSource){ .fd = listen_fd, .ready = listener_ready, .data = resolver };
  control->connection = (DnSource){ .fd = -1, .ready = connection_ready, .data = resolver };
  dn_resolver_unblock (listen_fd);
  control->owner_uid = owner_uid;
  control->fds.count = 0;
  return dn_loop_want (&resolver->loop, &control->listener, EPOLLIN);
}

void
dn_control_clear (DnResolver *resolver)
{
  drop_connection (resolver, NULL);
  dn_loop_close (&resolver->loop, &resolver->control.listener);
}
