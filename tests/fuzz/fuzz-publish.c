/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/publish/*.c !launcher/publish/main.c !launcher/publish/filter.c
   launcher/confined/loop.c launcher/base/*.c protocol/*.c */
/* Orders to danchi-publish, with whatever descriptors: it answers with frames of its own or closes
 * the connection, and what an order brought is used or closed.
 *
 * An input is packets, each: what comes along (two bits for each of up to four descriptors), an
 * order, a length, the payload.  An order beyond the last is no frame: the payload is the packet.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../launcher/confined/say.h"
#include "../../launcher/publish/publisher.h"

#define PACKETS_MAX 32
#define FDS_MAX 4

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static DnPublisher publisher;
static struct sockaddr_un place;
static socklen_t place_size;

/* Silent: libFuzzer's own standard error is for libFuzzer. */
void
dn_say (const char *format, ...)
{
  (void) format;
}

static void
check (bool is_good)
{
  if (!is_good)
    abort ();
}

static int
count_fds (void)
{
  DIR *all = opendir ("/proc/self/fd");
  int count = 0;

  check (all != NULL);
  while (readdir (all) != NULL)
    count++;
  (void) closedir (all);
  return count;
}

/* 0 nothing, 1 a listening socket, 2 one for datagrams, 3 one that is neither. */
static int
make_descriptor (unsigned kind)
{
  const struct sockaddr_in loopback
      = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int fd;

  if (kind == 3)
    return memfd_create ("no socket", MFD_CLOEXEC);
  fd = socket (AF_INET, (kind == 1 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  check (bind (fd, (const struct sockaddr *) &loopback, sizeof loopback) == 0);
  check (kind != 1 || listen (fd, 1) == 0);
  return fd;
}

static int
dial (void)
{
  int fd = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  check (connect (fd, (const struct sockaddr *) &place, place_size) == 0);
  check (dn_publisher_turn (&publisher) == 0);
  check (publisher.control.connection.fd >= 0);
  return fd;
}

static void
read_answers (int fd)
{
  uint8_t bytes[DN_PUBLISH_PACKET_BYTES];
  DnFrameHeader header;
  int r;

  do
    {
      DnFdList fds = DN_FD_LIST_INIT;

      r = dn_publish_receive (fd, DN_SENDER_GUEST, bytes, &header, &fds);
      check (fds.count == 0);
    }
  while (r == 1);
  check (r == 0 || r == -EAGAIN || r == -ECONNRESET);
}

/* Returns: what is left of the input; *ret_is_sent: whether danchi-publish has something to read.
 */
static size_t
send_packet (int fd, const uint8_t *data, size_t size, bool *ret_is_sent)
{
  uint8_t packet[DN_FRAME_HEADER_BYTES + 255];
  size_t length = data[2] < size - 3 ? data[2] : size - 3;
  uint16_t type = (uint16_t) (DN_MSG_PUBLISH_ADD + data[1]);
  DnFdList fds = DN_FD_LIST_INIT;
  size_t header = 0;

  if (type <= DN_MSG_PUBLISH_LISTED)
    {
      dn_frame_encode_header (packet, type, 0, (uint32_t) length);
      header = DN_FRAME_HEADER_BYTES;
    }
  memcpy (packet + header, data + 3, length);
  for (unsigned i = 0; i < FDS_MAX; i++)
    if ((data[0] >> 2 * i & 3) != 0)
      fds.fds[fds.count++] = make_descriptor (data[0] >> 2 * i & 3);
  *ret_is_sent = dn_fdpass_send (fd, packet, header + length, &fds) >= 0;
  dn_fd_list_clear (&fds);
  return size - 3 - length;
}

static void
run (const uint8_t *data, size_t size)
{
  int fd = dial ();
  uint32_t count = 0;

  for (int i = 0; i < PACKETS_MAX && size > 3 && !publisher.is_ending; i++)
    {
      bool is_sent;
      size_t left = send_packet (fd, data, size, &is_sent);

      data += size - left;
      size = left;
      /* An empty packet is the end of a connection, as of one that was closed. */
      check (!is_sent || dn_publisher_turn (&publisher) == 0);
      read_answers (fd);
      if (publisher.control.connection.fd >= 0)
        continue;
      (void) close (fd);
      fd = dial ();
    }
  for (const DnPort *port = publisher.ports; port != NULL; port = port->next)
    count++;
  check (count == publisher.port_count && count <= DN_PUBLISH_PORTS_MAX);
  (void) close (fd);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const DnPublisherLimits limits
      = { .connections_max = 16, .port_connections_max = 12, .flows_max = 16, .port_flows_max = 9 };
  int before = count_fds ();
  int listener = socket (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

  place = (struct sockaddr_un){ .sun_family = AF_UNIX };
  check (bind (listener, (const struct sockaddr *) &place, sizeof place.sun_family) == 0);
  check (listen (listener, 4) == 0);
  place_size = sizeof place;
  check (getsockname (listener, (struct sockaddr *) &place, &place_size) == 0);
  check (dn_publisher_init (&publisher, &limits, listener, getuid ()) == 0);
  run (data, size);
  dn_publisher_clear (&publisher);
  check (count_fds () == before);
  return 0;
}
