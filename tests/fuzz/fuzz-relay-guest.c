/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/relay/*.c !launcher/relay/main.c
 * !launcher/relay/filter.c launcher/confined/bucket.c launcher/confined/loop.c launcher/base/*.c
 * protocol/*.c */
/* The relay as the guest meets it: the whole router, with a container that has a log, an exec,
 * sessions on both and a copy each way, and a guest that says what the fuzzer says.  The first byte
 * chooses whether the link stands already. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../launcher/confined/say.h"
#include "../../launcher/relay/outbox.h"
#include "../../launcher/relay/router.h"

#define CONTAINER "ab"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static DnRouter router;
static int danchid_fd = -1;
static int log_fds[2];
static const uint8_t secret[DN_LINK_SECRET_BYTES];

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

static void
set_up (void)
{
  DnRouterOptions options = { .owner_uid = getuid () };
  int pair[2];

  check (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  options.control_fd = socket (AF_UNIX, SOCK_STREAM, 0);
  options.console_fd = socket (AF_UNIX, SOCK_STREAM, 0);
  check (listen (options.control_fd, 1) < 0); /* nobody ever connects: not bound */
  options.ring_fd = memfd_create ("ring", 0);
  for (int i = 0; i < 2; i++)
    log_fds[i] = memfd_create ("log", 0);
  check (dn_router_init (&router, &options) == 0);
  dn_loop_unwatch (&router.loop, &router.control.listener);
  dn_loop_unwatch (&router.loop, &router.console.listener);
  danchid_fd = pair[0];
  router.control.connection.fd = pair[1];
  router.control.serial = 1;
  dn_frame_reader_init (&router.control.reader, &dn_control_all_wire, DN_SENDER_HOST);
}

static void
drain (int fd)
{
  static uint8_t sink[65536];

  while (recv (fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
    ;
}

static void
add_process (uint32_t number, uint32_t streams)
{
  DnMsgProcess order = { .container = CONTAINER,
                         .process = number,
                         .streams = streams,
                         .flags = DN_PROCESS_STDIN,
                         .log_bytes = 1,
                         .log_rate = 100000 };
  int fds[2] = { dup (log_fds[0]), dup (log_fds[1]) };

  check (dn_process_add (&router, &order, fds) == 0);
}

static void
add_session (uint32_t number, int ret_fds[4])
{
  DnMsgSession order = { .container = CONTAINER, .process = number, .flags = 7 };
  int theirs[4];

  for (int i = 0; i < 4; i++)
    {
      int pair[2];

      check (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
      ret_fds[i] = pair[0];
      theirs[i] = pair[1];
    }
  dn_session_add (&router, &order, theirs);
  check (write (ret_fds[1], "input", 5) == 5);
}

/* The fuzzer is the guest, but knows no secret: this part is said for it. */
static void
link_up (int guest)
{
  DnMsgReady ready = { .processors = 1 };
  uint8_t record[DN_LINK_BYTES], frame[600];
  DnLinkHello hello;
  int size;

  check (dn_router_turn (&router, 0) == 0);
  check (recv (guest, record, sizeof record, 0) == (ssize_t) sizeof record);
  check (dn_link_decode_hello (record, secret, &hello) == 0);
  dn_link_encode_welcome (record, 1, hello.nonce, secret);
  check (write (guest, record, sizeof record) == (ssize_t) sizeof record);
  size = dn_msg_ready_pack (&ready, frame + DN_FRAME_HEADER_BYTES, 512);
  dn_frame_encode_header (frame, DN_MSG_READY, 0, (uint32_t) size);
  check (write (guest, frame, DN_FRAME_HEADER_BYTES + (size_t) size) > 0);
  check (dn_router_turn (&router, 0) == 0);
  check (dn_channel_is_up (&router));
}

static void
speak (int guest, const uint8_t *data, size_t size)
{
  for (int i = 0; size > 0 && i < 100; i++)
    {
      ssize_t n = send (guest, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

      data += n > 0 ? n : 0;
      size -= n > 0 ? (size_t) n : 0;
      check (dn_router_turn (&router, 0) == 0);
      drain (guest);
      drain (danchid_fd);
    }
}

static void
free_process (DnRouter *the_router, DnProcess *process)
{
  dn_process_free (the_router, process, "over");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int pair[2], sessions[2][4], copies[2][2];

  if (size < 1)
    return 0;
  if (danchid_fd < 0)
    set_up ();
  dn_bucket_init (&router.channel.bucket, DN_CHANNEL_FRAMES_PER_S, DN_CHANNEL_FRAMES_PER_S,
                  router.loop.now_ns);
  memset (router.forgotten, 0, sizeof router.forgotten);
  check (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  dn_channel_open (&router, pair[1], secret, (data[0] & 2) != 0);
  add_process (0, 4);
  add_process (1, 8);
  add_session (0, sessions[0]);
  add_session (1, sessions[1]);
  if ((data[0] & 1) == 0)
    {
      link_up (pair[0]);
      for (int i = 0; i < 2; i++)
        {
          check (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, copies[i]) == 0);
          dn_transfer_add (&router, (uint32_t) (12 + 4 * i), i == 1, copies[i][1]);
        }
      (void) dn_requests_number (&router.channel.requests, 1, 7);
    }
  speak (pair[0], data + 1, size - 1);
  (void) close (pair[0]);
  for (int i = 0; i < 4 && router.channel.source.fd >= 0; i++)
    check (dn_router_turn (&router, 0) == 0);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 4; j++)
      (void) close (sessions[i][j]);
  for (int i = 0; (data[0] & 1) == 0 && i < 2; i++)
    (void) close (copies[i][0]);
  check (dn_router_turn (&router, 0) == 0);
  dn_process_for_each (&router, free_process);
  while (router.transfers != NULL)
    dn_transfer_free (router.transfers);
  drain (danchid_fd);
  check (router.session_count == 0 && router.process_count == 0 && router.log_count == 0);
  return 0;
}
