/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/console-ring.h"
#include "router.h"

/* A pause long enough for a worthwhile read. */
#define PAUSE_NS (20 * 1000000ull)

static void
take_bytes (DnRouter *router, const uint8_t *bytes, size_t size)
{
  DnConsole *console = &router->console;
  uint32_t before = console->scanner.last;
  DnMsgMilestone milestone = { .number = dn_milestone_scan (&console->scanner, bytes, size) };
  uint8_t payload[4];

  /* A ring that cannot be written (no room) costs the console's tail, nothing else. */
  if (dn_console_ring_append (console->ring_fd, &console->total_bytes, bytes, size) < 0)
    errno = 0;
  if (milestone.number > before)
    dn_router_tell (router, DN_MSG_MILESTONE, payload,
                    dn_msg_milestone_pack (&milestone, payload, sizeof payload));
}

static void
connection_ready (void *data, uint32_t events)
{
  DnRouter *router = data;
  DnConsole *console = &router->console;
  uint8_t bytes[DN_CONSOLE_READ_BYTES];
  ssize_t n;

  (void) events;
  if (!dn_bucket_take (&console->bucket, sizeof bytes, router->loop.now_ns))
    {
      (void) dn_loop_want (&router->loop, &console->connection, 0);
      dn_loop_set_timer (&router->loop, &console->timer, PAUSE_NS);
      return;
    }
  n = recv (console->connection.fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (n > 0)
    take_bytes (router, bytes, (size_t) n);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    dn_loop_close (&router->loop, &console->connection);
}

static void
pause_passed (void *data)
{
  DnRouter *router = data;

  if (router->console.connection.fd >= 0)
    (void) dn_loop_want (&router->loop, &router->console.connection, EPOLLIN);
}

static void
listener_ready (void *data, uint32_t events)
{
  DnRouter *router = data;
  DnConsole *console = &router->console;
  int fd = accept4 (console->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

  (void) events;
  if (fd < 0)
    return;
  dn_loop_close (&router->loop, &console->connection);
  console->connection.fd = fd;
  (void) dn_loop_want (&router->loop, &console->connection, EPOLLIN);
}

int
dn_console_init (DnRouter *router, int listen_fd, int ring_fd)
{
  DnConsole *console = &router->console;
  int r;

  *console = (DnConsole){
    .listener = { .fd = listen_fd, .ready = listener_ready, .data = router },
    .connection = { .fd = -1, .ready = connection_ready, .data = router },
    .ring_fd = ring_fd,
    .timer = { .fire = pause_passed, .data = router },
  };
  dn_bucket_init (&console->bucket, DN_CONSOLE_BYTES_PER_S, DN_CONSOLE_BYTES_PER_S / 4,
                  router->loop.now_ns);
  dn_loop_add_timer (&router->loop, &console->timer);
  r = dn_console_ring_read_total (ring_fd, &console->total_bytes);
  if (r == -EPROTO)
    r = dn_console_ring_create (ring_fd);
  return r < 0 ? r : dn_loop_want (&router->loop, &console->listener, EPOLLIN);
}

void
dn_console_clear (DnRouter *router)
{
  DnConsole *console = &router->console;

  dn_loop_close (&router->loop, &console->connection);
  dn_loop_close (&router->loop, &console->listener);
  (void) close (console->ring_fd);
  console->ring_fd = -1;
}
