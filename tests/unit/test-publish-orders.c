/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/publish/*.c !launcher/publish/main.c !launcher/publish/filter.c
   launcher/confined/loop.c launcher/base/*.c protocol/*.c */
/* Packages: glib-2.0 */

/* danchid's orders to danchi-publish; what it carries is in tests/network/test-publish.py. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../launcher/confined/say.h"
#include "../../launcher/publish/publisher.h"

#define WEB "0123456789abcdef0123456789abcdef"
#define DATABASE "fedcba9876543210fedcba9876543210"

static DnPublisher publisher;
static struct sockaddr_un place;
static socklen_t place_size;

void
dn_say (const char *format, ...)
{
  (void) format;
}

static void
begin (uid_t owner)
{
  const DnPublisherLimits limits
      = { .connections_max = 16, .port_connections_max = 12, .flows_max = 16, .port_flows_max = 9 };
  int listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

  /* The kernel chooses an abstract name. */
  place = (struct sockaddr_un){ .sun_family = AF_UNIX };
  place_size = sizeof place;
  g_assert_cmpint (bind (listener, (const struct sockaddr *) &place, sizeof place.sun_family), ==,
                   0);
  g_assert_cmpint (listen (listener, 4), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &place, &place_size), ==, 0);
  g_assert_cmpint (dn_publisher_init (&publisher, &limits, listener, owner), ==, 0);
}

static int
dial (void)
{
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_assert_cmpint (connect (fd, (const struct sockaddr *) &place, place_size), ==, 0);
  g_assert_cmpint (dn_publisher_turn (&publisher), ==, 0);
  return fd;
}

/* Bound to the loopback, of the kernel's choice of a port. */
static int
make_socket (int type)
{
  const struct sockaddr_in loopback
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd = socket (AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_assert_cmpint (bind (fd, (const struct sockaddr *) &loopback, sizeof loopback), ==, 0);
  if (type == SOCK_STREAM)
    g_assert_cmpint (listen (fd, 4), ==, 0);
  return fd;
}

/* Takes the descriptors. */
static void
order (int fd, uint16_t type, const uint8_t *payload, int size, DnFdList *fds)
{
  g_assert_cmpint (dn_publish_send (fd, type, payload, size, fds), ==, 0);
  if (fds != NULL)
    dn_fd_list_clear (fds);
  g_assert_cmpint (dn_publisher_turn (&publisher), ==, 0);
}

/* The next frame of that type; others, such as what it wants, are passed over.  0: it is closed */
static int
await (int fd, uint16_t type, uint8_t *bytes, DnFrameHeader *ret_header)
{
  int r;

  do
    {
      DnFdList fds = DN_FD_LIST_INIT;

      r = dn_publish_receive (fd, DN_SENDER_GUEST, bytes, ret_header, &fds);
      g_assert_cmpuint (fds.count, ==, 0);
    }
  while (r == 1 && ret_header->type != type);
  return r;
}

/* What DONE says; -1: the connection was closed */
static int
await_done (int fd)
{
  uint8_t bytes[DN_PUBLISH_PACKET_BYTES];
  DnMsgPublishDone done;
  DnFrameHeader header;

  if (await (fd, DN_MSG_PUBLISH_DONE, bytes, &header) != 1)
    return -1;
  g_assert_cmpint (dn_msg_publish_done_unpack (bytes + DN_FRAME_HEADER_BYTES, header.length, &done),
                   ==, 0);
  return (int) done.error;
}

static int
add (int fd, const char *container, gboolean is_udp, DnFdList *fds)
{
  DnMsgPublishAdd message = { .is_udp = is_udp, .family = 4, .address = { 10, 217, 0, 10 } };
  uint8_t payload[DN_PUBLISH_PACKET_BYTES];

  message.port = 80;
  g_strlcpy (message.container, container, sizeof message.container);
  order (fd, DN_MSG_PUBLISH_ADD, payload,
         dn_msg_publish_add_pack (&message, payload, sizeof payload), fds);
  return await_done (fd);
}

static int
add_one (int fd, const char *container, gboolean is_udp, int socket_fd)
{
  DnFdList fds = { .fds = { socket_fd }, .count = 1 };

  return add (fd, container, is_udp, &fds);
}

/* How many there are; the first of the step in *ret_port where that is not NULL. */
static guint
list (int fd, guint first, guint *ret_step, DnMsgPublishPort *ret_port)
{
  const DnMsgPublishList message = { .first = first };
  uint8_t bytes[DN_PUBLISH_PACKET_BYTES];
  DnMsgPublishListed listed;
  DnMsgPublishPort port;
  DnFrameHeader header;

  *ret_step = 0;
  order (fd, DN_MSG_PUBLISH_LIST, bytes, dn_msg_publish_list_pack (&message, bytes, sizeof bytes),
         NULL);
  for (;;)
    {
      DnFdList fds = DN_FD_LIST_INIT;
      const uint8_t *payload = bytes + DN_FRAME_HEADER_BYTES;

      g_assert_cmpint (dn_publish_receive (fd, DN_SENDER_GUEST, bytes, &header, &fds), ==, 1);
      if (header.type == DN_MSG_PUBLISH_LISTED)
        {
          g_assert_cmpint (dn_msg_publish_listed_unpack (payload, header.length, &listed), ==, 0);
          return listed.count;
        }
      if (header.type != DN_MSG_PUBLISH_PORT)
        continue;
      g_assert_cmpint (dn_msg_publish_port_unpack (payload, header.length, &port), ==, 0);
      if ((*ret_step)++ == 0 && ret_port != NULL)
        *ret_port = port;
    }
}

static void
test_what_is_served_is_listed_and_removed_with_its_container (void)
{
  int fd, web = make_socket (SOCK_STREAM), names = make_socket (SOCK_DGRAM);
  struct sockaddr_in bound;
  socklen_t size = sizeof bound;
  DnMsgPublishRemove removal = { .container = WEB };
  uint8_t payload[DN_PUBLISH_PACKET_BYTES];
  DnMsgPublishPort port;
  guint step;

  g_assert_cmpint (getsockname (names, (struct sockaddr *) &bound, &size), ==, 0);
  begin (getuid ());
  fd = dial ();
  g_assert_cmpint (add_one (fd, WEB, FALSE, web), ==, 0);
  g_assert_cmpint (add_one (fd, DATABASE, TRUE, names), ==, 0);
  g_assert_cmpuint (list (fd, 0, &step, NULL), ==, 2);
  g_assert_cmpuint (step, ==, 2);
  order (fd, DN_MSG_PUBLISH_REMOVE, payload,
         dn_msg_publish_remove_pack (&removal, payload, sizeof payload), NULL);
  g_assert_cmpint (await_done (fd), ==, 0);
  g_assert_cmpuint (list (fd, 0, &step, &port), ==, 1);
  g_assert_cmpstr (port.container, ==, DATABASE);
  g_assert_true (port.is_udp);
  g_assert_cmpuint (port.host_port, ==, ntohs (bound.sin_port));
  g_assert_cmpuint (port.port, ==, 80);
  g_assert_cmpuint (list (fd, 5, &step, NULL), ==, 1);
  g_assert_cmpuint (step, ==, 0);
  (void) close (fd);
  dn_publisher_clear (&publisher);
}

static void
test_a_socket_that_is_none_of_its_kind_is_refused_and_closed (void)
{
  int fd, step_fd = make_socket (SOCK_STREAM), wrong[3], probe[2];
  guint step;

  begin (getuid ());
  fd = dial ();
  wrong[0] = memfd_create ("no socket", MFD_CLOEXEC);
  wrong[1] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* does not listen */
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, probe), ==, 0);
  wrong[2] = probe[1];
  g_assert_cmpint (add_one (fd, WEB, FALSE, wrong[0]), ==, ENOTSOCK);
  g_assert_cmpint (add_one (fd, WEB, FALSE, wrong[1]), ==, EINVAL);
  g_assert_cmpint (add_one (fd, WEB, FALSE, wrong[2]), ==, EINVAL);
  g_assert_cmpint (recv (probe[0], &step, 1, MSG_DONTWAIT), ==, 0); /* closed, not kept */
  g_assert_cmpint (add_one (fd, WEB, TRUE, step_fd), ==, EINVAL);
  g_assert_cmpuint (list (fd, 0, &step, NULL), ==, 0);
  (void) close (probe[0]);
  (void) close (fd);
  dn_publisher_clear (&publisher);
}

static void
test_a_malformed_order_costs_the_connection_and_no_port (void)
{
  static const uint8_t short_text[] = { 0, 32, 'c' }, family[] = { 0, 5 };
  int fd, pair[2];
  guint step;

  begin (getuid ());
  fd = dial ();
  g_assert_cmpint (add_one (fd, WEB, FALSE, make_socket (SOCK_STREAM)), ==, 0);
  for (int kind = 0; kind < 6; kind++)
    {
      DnFdList fds = DN_FD_LIST_INIT;
      char byte;

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
      fds.fds[fds.count++] = pair[1];
      if (kind == 0) /* cut short */
        order (fd, DN_MSG_PUBLISH_ADD, short_text, sizeof short_text, &fds);
      else if (kind == 1) /* of the other side */
        order (fd, DN_MSG_PUBLISH_LISTED, (const uint8_t *) "\0\0\0", 4, &fds);
      else if (kind == 2) /* no frame */
        {
          g_assert_cmpint (dn_fdpass_send (fd, "hello", 5, &fds), ==, 5);
          dn_fd_list_clear (&fds);
          g_assert_cmpint (dn_publisher_turn (&publisher), ==, 0);
        }
      else if (kind == 3) /* two sockets for one port */
        {
          fds.fds[fds.count++] = make_socket (SOCK_STREAM);
          g_assert_cmpint (add (fd, WEB, FALSE, &fds), ==, -1);
        }
      else if (kind == 4) /* no such family */
        order (fd, DN_MSG_PUBLISH_DIALS, family, sizeof family, &fds);
      else /* no socket */
        {
          dn_fd_list_clear (&fds);
          g_assert_cmpint (add (fd, WEB, FALSE, NULL), ==, -1);
        }
      g_assert_cmpint (await_done (fd), ==, -1);
      g_assert_cmpint (publisher.control.connection.fd, ==, -1);
      /* What came along is closed. */
      g_assert_cmpint (recv (pair[0], &byte, 1, MSG_DONTWAIT), ==, 0);
      (void) close (pair[0]);
      (void) close (fd);
      fd = dial ();
      g_assert_cmpuint (list (fd, 0, &step, NULL), ==, 1);
    }
  (void) close (fd);
  dn_publisher_clear (&publisher);
}

static void
test_the_newest_connection_counts_and_nobody_else_s (void)
{
  char byte;
  int first, second;

  begin (getuid ());
  first = dial ();
  second = dial ();
  g_assert_cmpint (recv (first, &byte, 1, MSG_DONTWAIT), ==, 0);
  g_assert_cmpint (add_one (second, WEB, FALSE, make_socket (SOCK_STREAM)), ==, 0);
  (void) close (first);
  (void) close (second);
  dn_publisher_clear (&publisher);

  begin (getuid () + 1);
  first = dial ();
  g_assert_cmpint (recv (first, &byte, 1, MSG_DONTWAIT), ==, 0);
  g_assert_cmpint (publisher.control.connection.fd, ==, -1);
  (void) close (first);
  dn_publisher_clear (&publisher);
}

static void
test_a_guest_s_ports_are_bounded_and_listed_in_steps (void)
{
  guint step, seen = 0;
  int fd;

  begin (getuid ());
  fd = dial ();
  for (guint i = 0; i < DN_PUBLISH_PORTS_MAX; i++)
    g_assert_cmpint (add_one (fd, WEB, TRUE, make_socket (SOCK_DGRAM)), ==, 0);
  g_assert_cmpint (add_one (fd, WEB, TRUE, make_socket (SOCK_DGRAM)), ==, ENOSPC);
  do
    {
      g_assert_cmpuint (list (fd, seen, &step, NULL), ==, DN_PUBLISH_PORTS_MAX);
      g_assert_cmpuint (step, <=, DN_PUBLISH_LIST_STEP);
      seen += step;
    }
  while (step > 0);
  g_assert_cmpuint (seen, ==, DN_PUBLISH_PORTS_MAX);
  order (fd, DN_MSG_PUBLISH_QUIT, NULL, 0, NULL);
  g_assert_true (publisher.is_ending);
  (void) close (fd);
  dn_publisher_clear (&publisher);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/publish/" #name, test_##name)
  TEST (what_is_served_is_listed_and_removed_with_its_container);
  TEST (a_socket_that_is_none_of_its_kind_is_refused_and_closed);
  TEST (a_malformed_order_costs_the_connection_and_no_port);
  TEST (the_newest_connection_counts_and_nobody_else_s);
  TEST (a_guest_s_ports_are_bounded_and_listed_in_steps);
  return g_test_run ();
}
