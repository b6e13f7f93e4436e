/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "pipe-stock.h"
#include "publisher.h"

/* Bytes of one direction in one turn: others wait for theirs. */
#define TURN_BYTES (1024 * 1024)
#define SPLICE_BYTES (64 * 1024)
#define S_NS 1000000000ull

/* From one side to the other. */
typedef struct
{
  DnPipe pipe;    /* none where it is empty */
  size_t waiting; /* bytes in it */
  bool is_at_end; /* the one side has closed */
  bool is_told;   /* and the other knows */
} Direction;

struct DnStream
{
  DnPort *port;
  DnSource client;
  DnSource server; /* a dial socket */
  Direction in;    /* client to container */
  Direction out;
  bool is_connecting;
  uint64_t active_ns; /* when a byte moved last, or it began */
  DnStream *previous;
  DnStream *next;
};

static void
adjust_side (DnLoop *loop, DnSource *side, const Direction *from_it, const Direction *to_it)
{
  uint32_t events = 0;

  if (!from_it->is_at_end && from_it->waiting == 0)
    events |= EPOLLIN;
  if (to_it->waiting > 0)
    events |= EPOLLOUT;
  /* Nothing to do with it now but to hear of a reset.  Not where we have closed our half: its
   * other half's end would be told again and again, and is read when its turn comes. */
  if (events == 0 && !to_it->is_told)
    events = DN_LOOP_HANGUP;
  (void) dn_loop_want (loop, side, events);
}

static void
adjust (DnStream *stream)
{
  DnLoop *loop = &stream->port->publisher->loop;

  if (stream->is_connecting)
    {
      (void) dn_loop_want (loop, &stream->client, DN_LOOP_HANGUP);
      (void) dn_loop_want (loop, &stream->server, EPOLLOUT);
      return;
    }
  adjust_side (loop, &stream->client, &stream->in, &stream->out);
  adjust_side (loop, &stream->server, &stream->out, &stream->in);
}

/* Takes it out of everything; the descriptors are the caller's. */
static void
take_out (DnStream *stream)
{
  DnPort *port = stream->port;
  DnPublisher *publisher = port->publisher;

  dn_loop_unwatch (&publisher->loop, &stream->client);
  dn_loop_unwatch (&publisher->loop, &stream->server);
  dn_pipe_stock_give (&publisher->pipes, &stream->in.pipe, stream->in.waiting == 0);
  dn_pipe_stock_give (&publisher->pipes, &stream->out.pipe, stream->out.waiting == 0);
  if (stream->previous != NULL)
    stream->previous->next = stream->next;
  else
    port->streams = stream->next;
  if (stream->next != NULL)
    stream->next->previous = stream->previous;
  port->now--;
  publisher->connection_count--;
}

/* A place and a socket are free: of this port and, where the sum was reached, of all. */
static void
finish (DnStream *stream, bool is_over)
{
  DnPort *port = stream->port;
  DnPublisher *publisher = port->publisher;
  bool was_full = publisher->connection_count >= publisher->limits.connections_max;
  DnDialStock *dials = &publisher->dials[port->kind];

  take_out (stream);
  if (!is_over)
    (void) dn_dial_disconnect (stream->client.fd); /* which resets it */
  (void) close (stream->client.fd);
  dn_dial_stock_give (dials, stream->server.fd, is_over, publisher->loop.now_ns);
  free (stream);
  if (was_full || (dials->is_wanted && dials->free_count > 0))
    {
      dials->is_wanted = dials->is_wanted && dials->free_count == 0;
      dn_port_retry (publisher);
    }
  else
    dn_port_adjust (port);
}

void
dn_stream_abort (DnStream *stream)
{
  finish (stream, false);
}

/* Reads into the pipe.  Returns 1 where there is something in it now, 0 where there is nothing to
 * be had, or -errno. */
static int
fill (DnStream *stream, Direction *direction, int from)
{
  DnPipeStock *pipes = &stream->port->publisher->pipes;
  ssize_t n;
  int r = dn_pipe_stock_take (pipes, &direction->pipe);

  if (r < 0)
    return r;
  n = splice (from, NULL, direction->pipe.in, NULL, SPLICE_BYTES,
              SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n <= 0)
    {
      r = n < 0 ? -errno : 0;
      dn_pipe_stock_give (pipes, &direction->pipe, true);
      direction->is_at_end = n == 0;
      return r == -EAGAIN || r == -EINTR ? 0 : r;
    }
  direction->waiting = (size_t) n;
  return 1;
}

/* Returns 1 where the pipe is empty now, 0 where the reader takes no more, or -errno. */
static int
empty (DnStream *stream, Direction *direction, int to, uint64_t *bytes)
{
  while (direction->waiting > 0)
    {
      ssize_t n = splice (direction->pipe.out, NULL, to, NULL, direction->waiting,
                          SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return n < 0 && errno == EAGAIN ? 0 : n < 0 ? -errno : -EPIPE;
      direction->waiting -= (size_t) n;
      *bytes += (uint64_t) n;
      stream->active_ns = stream->port->publisher->loop.now_ns;
    }
  dn_pipe_stock_give (&stream->port->publisher->pipes, &direction->pipe, true);
  return 1;
}

/* Returns 0 or -errno: the connection is broken. */
static int
move (DnStream *stream, Direction *direction, int from, int to, uint64_t *bytes)
{
  const uint64_t most = *bytes + TURN_BYTES;
  int r = 1;

  if (direction->waiting > 0)
    r = empty (stream, direction, to, bytes);
  while (r > 0 && !direction->is_at_end && *bytes < most)
    {
      r = fill (stream, direction, from);
      if (r > 0)
        r = empty (stream, direction, to, bytes);
    }
  if (r < 0)
    return r;
  if (direction->is_at_end && direction->waiting == 0 && !direction->is_told)
    {
      direction->is_told = true;
      stream->active_ns = stream->port->publisher->loop.now_ns;
      /* ENOTCONN: it is gone altogether, which its own event says. */
      if (shutdown (to, SHUT_WR) < 0 && errno != ENOTCONN)
        return -errno;
    }
  return 0;
}

static int
move_both (DnStream *stream)
{
  DnPort *port = stream->port;
  int r = move (stream, &stream->in, stream->client.fd, stream->server.fd, &port->bytes_in);

  return r < 0
             ? r
             : move (stream, &stream->out, stream->server.fd, stream->client.fd, &port->bytes_out);
}

static void
progress (DnStream *stream)
{
  if (move_both (stream) < 0)
    dn_stream_abort (stream);
  else if (stream->in.is_told && stream->out.is_told)
    finish (stream, true);
  else
    adjust (stream);
}

static void
finish_connecting (DnStream *stream)
{
  int problem = 0;
  socklen_t size = sizeof problem;

  if (getsockopt (stream->server.fd, SOL_SOCKET, SO_ERROR, &problem, &size) < 0 || problem != 0)
    {
      stream->port->refused++;
      dn_stream_abort (stream);
      return;
    }
  stream->is_connecting = false;
  stream->active_ns = stream->port->publisher->loop.now_ns;
  progress (stream);
}

static void
side_ready (void *data, uint32_t events)
{
  DnStream *stream = data;

  if (stream->is_connecting)
    {
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) /* the client's: it has gone already */
        dn_stream_abort (stream);
      return;
    }
  /* A reset: what it had sent before it is lost, as between any two. */
  if ((events & EPOLLERR) != 0)
    dn_stream_abort (stream);
  else
    progress (stream);
}

static void
server_ready (void *data, uint32_t events)
{
  DnStream *stream = data;

  if (stream->is_connecting)
    finish_connecting (stream);
  else
    side_ready (data, events);
}

void
dn_stream_start (DnPort *port, int client, int dial)
{
  DnPublisher *publisher = port->publisher;
  DnStream *stream = calloc (1, sizeof *stream);

  if (stream == NULL)
    {
      (void) close (client);
      dn_dial_stock_give (&publisher->dials[port->kind], dial, false, publisher->loop.now_ns);
      return;
    }
  stream->port = port;
  stream->client = (DnSource){ .fd = client, .ready = side_ready, .data = stream };
  stream->server = (DnSource){ .fd = dial, .ready = server_ready, .data = stream };
  stream->in.pipe = stream->out.pipe = DN_PIPE_NONE;
  stream->active_ns = publisher->loop.now_ns;
  stream->next = port->streams;
  if (port->streams != NULL)
    port->streams->previous = stream;
  port->streams = stream;
  port->now++;
  port->total++;
  publisher->connection_count++;

  if (connect (dial, &port->to.any, port->to_bytes) < 0 && errno != EINPROGRESS)
    {
      port->refused++;
      dn_stream_abort (stream);
      return;
    }
  stream->is_connecting = true;
  adjust (stream);
}

void
dn_stream_expire (DnPort *port)
{
  const DnPublisher *publisher = port->publisher;

  for (DnStream *stream = port->streams, *next; stream != NULL; stream = next)
    {
      bool is_half = stream->in.is_told || stream->out.is_told;
      uint64_t idle_ns = publisher->loop.now_ns - stream->active_ns;
      uint64_t most_s = stream->is_connecting ? publisher->limits.connect_s
                        : is_half             ? publisher->limits.half_closed_s
                                              : publisher->limits.idle_s;

      next = stream->next;
      if (idle_ns > most_s * S_NS)
        {
          port->refused += stream->is_connecting;
          dn_stream_abort (stream);
        }
    }
}
