/* SPDX-License-Identifier: Apache-2.0 */
#include "stream-input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Output that a hung-up terminal may still give after its process has ended. */
#define TERMINAL_LAST_BYTES (64 * 1024)

static void receive_ready (DnWatch *watch, uint32_t events);

void
dn_streams_init (DnStreams *streams, DnLoop *loop)
{
  *streams = (DnStreams){ .loop = loop };
}

static DnStream **
find_slot (DnStreams *streams, uint32_t number)
{
  DnStream **slot = &streams->buckets[number % DN_STREAM_BUCKETS];

  while (*slot != NULL && (*slot)->number != number)
    slot = &(*slot)->bucket_next;
  return slot;
}

DnStream *
dn_streams_find (DnStreams *streams, uint32_t number)
{
  return *find_slot (streams, number);
}

void
dn_stream_make_ready (DnStream *stream)
{
  DnStreams *streams = stream->streams;

  if (stream->is_ready)
    return;
  stream->is_ready = true;
  stream->ready_next = NULL;
  if (streams->ready_last != NULL)
    streams->ready_last->ready_next = stream;
  else
    streams->ready_first = stream;
  streams->ready_last = stream;
}

static void
leave_ready (DnStream *stream)
{
  DnStreams *streams = stream->streams;
  DnStream *before = NULL;

  if (!stream->is_ready)
    return;
  for (DnStream *at = streams->ready_first; at != NULL; before = at, at = at->ready_next)
    {
      if (at != stream)
        continue;
      if (before != NULL)
        before->ready_next = stream->ready_next;
      else
        streams->ready_first = stream->ready_next;
      if (streams->ready_last == stream)
        streams->ready_last = before;
      break;
    }
  stream->is_ready = false;
}

void
dn_stream_close_local_end (DnStream *stream)
{
  dn_watch_remove (&stream->watch);
  if (stream->watch.fd >= 0)
    (void) close (stream->watch.fd);
  stream->watch.fd = -1;
}

int
dn_stream_open (DnStream *stream, DnStreams *streams, DnStreamDirection direction, uint32_t number,
                bool is_terminal)
{
  bool is_out = direction == DN_STREAM_OUT;

  memset (stream, 0, sizeof *stream);
  if (*find_slot (streams, number) != NULL)
    return -EEXIST;
  dn_watch_init (&stream->watch, streams->loop, -1, is_out ? receive_ready : dn_stream_input_ready,
                 stream);
  stream->streams = streams;
  stream->number = number;
  stream->direction = direction;
  stream->is_terminal = is_terminal;
  stream->allowance = DN_STREAM_WINDOW_BYTES;
  dn_ring_init (&stream->ring, is_out ? DN_STREAM_WINDOW_BYTES : 2 * DN_STREAM_WINDOW_BYTES);
  stream->bucket_next = streams->buckets[number % DN_STREAM_BUCKETS];
  streams->buckets[number % DN_STREAM_BUCKETS] = stream;
  return 0;
}

int
dn_stream_attach (DnStream *stream, int fd)
{
  (void) fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
  if (stream->watch.fd >= 0 || stream->has_local_end || stream->streams == NULL)
    {
      (void) close (fd);
      return -EBUSY;
    }
  stream->has_local_end = true;
  stream->watch.fd = fd;
  if (stream->direction == DN_STREAM_OUT)
    return dn_watch_set (&stream->watch, EPOLLIN);
  if (stream->is_discarded)
    {
      dn_stream_close_local_end (stream); /* the host has reset it already */
      return 0;
    }
  dn_stream_input_deliver (stream);
  return 0;
}

void
dn_stream_close (DnStream *stream)
{
  if (stream->streams == NULL)
    return;
  dn_stream_close_local_end (stream);
  leave_ready (stream);
  *find_slot (stream->streams, stream->number) = stream->bucket_next;
  dn_ring_clear (&stream->ring);
  stream->streams = NULL;
}

static void
end_output (DnStream *stream)
{
  dn_stream_close_local_end (stream);
  stream->has_ended = true;
  dn_stream_make_ready (stream);
}

/* Reads once into the ring.  Returns: bytes; 0 at the end; -EAGAIN; -ENOBUFS for a full ring. */
static ssize_t
read_some (DnStream *stream)
{
  struct iovec pieces[2];
  int count = dn_ring_space (&stream->ring, pieces);
  size_t most = DN_STREAM_READ_BYTES;
  ssize_t n;

  if (count <= 0)
    return -ENOBUFS;
  if (stream->is_ending && stream->last_bytes < most)
    most = stream->last_bytes;
  if (most == 0)
    return 0;
  for (int i = 0; i < count; i++)
    {
      if (pieces[i].iov_len > most)
        pieces[i].iov_len = most;
      most -= pieces[i].iov_len;
    }
  n = readv (stream->watch.fd, pieces, count);
  if (n < 0)
    return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0; /* EIO: the terminal hung up */
  if (stream->is_ending)
    stream->last_bytes -= (size_t) n;
  if (!stream->is_discarded)
    dn_ring_added (&stream->ring, (size_t) n);
  return n;
}

static void
receive_ready (DnWatch *watch, uint32_t events)
{
  DnStream *stream = watch->data;
  ssize_t n = read_some (stream);

  (void) events;
  if (n == -ENOBUFS)
    {
      /* Off, not 0: a hang-up would be reported again and again.  CREDIT turns it on. */
      (void) dn_watch_set (watch, DN_WATCH_OFF);
      return;
    }
  if (n == 0 || (n == -EAGAIN && stream->is_ending))
    end_output (stream);
  else if (n > 0)
    dn_stream_make_ready (stream);
}

void
dn_stream_end_soon (DnStream *stream)
{
  int bytes = 0;

  if (stream->streams == NULL || stream->has_ended)
    return;
  if (stream->watch.fd < 0)
    {
      end_output (stream);
      return;
    }
  if (stream->is_terminal)
    bytes = TERMINAL_LAST_BYTES;
  else if (ioctl (stream->watch.fd, FIONREAD, &bytes) < 0 || bytes < 0)
    bytes = 0;
  stream->is_ending = true;
  stream->last_bytes = (size_t) bytes;
  /* What the pipe holds was counted; whoever else keeps writing does not prolong it. */
  while (stream->watch.fd >= 0 && stream->watch.events != DN_WATCH_OFF)
    receive_ready (&stream->watch, EPOLLIN);
}

bool
dn_stream_is_done (const DnStream *stream)
{
  return stream->streams == NULL || (stream->eof_sent && stream->ring.used == 0);
}

static void
relink_one (DnStream *stream)
{
  if (stream->direction == DN_STREAM_OUT)
    {
      stream->sent = 0;
      stream->eof_sent = false;
      stream->is_held = true;
      leave_ready (stream);
      return;
    }
  stream->carried = stream->ring.used;
  stream->allowance = DN_STREAM_WINDOW_BYTES;
  stream->credit_due = 0;
  leave_ready (stream);
  /* Another full window would not fit after more than one; and the new link's host need not know
   * that the old one's had ended the input.  What is in the ring still goes to the process. */
  if (stream->has_ended || stream->is_discarded || stream->ring.used > DN_STREAM_WINDOW_BYTES)
    {
      stream->has_ended = true;
      stream->is_deaf = true;
      stream->reset_due = true;
      dn_stream_make_ready (stream);
    }
}

void
dn_streams_relink (DnStreams *streams)
{
  for (size_t i = 0; i < DN_STREAM_BUCKETS; i++)
    for (DnStream *stream = streams->buckets[i]; stream != NULL; stream = stream->bucket_next)
      relink_one (stream);
}

static int
take_credit (DnStream *stream, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgCredit credit;

  if (stream->direction != DN_STREAM_OUT
      || dn_msg_credit_unpack (payload, header->length, &credit) < 0 || credit.bytes > stream->sent)
    return -EPROTO;
  dn_ring_drop (&stream->ring, credit.bytes);
  stream->sent -= credit.bytes;
  if (stream->is_held)
    {
      stream->is_held = false;
      dn_stream_make_ready (stream);
    }
  if (stream->watch.fd >= 0)
    (void) dn_watch_set (&stream->watch, EPOLLIN);
  return 0;
}

static int
take_end (DnStream *stream, bool is_reset)
{
  if (stream->direction == DN_STREAM_OUT)
    {
      if (!is_reset)
        return -EPROTO;
      stream->is_discarded = true;
      stream->is_held = false;
      dn_ring_clear (&stream->ring);
      stream->sent = 0;
      if (stream->watch.fd >= 0)
        (void) dn_watch_set (&stream->watch, EPOLLIN);
      dn_stream_make_ready (stream);
      return 0;
    }
  stream->has_ended = true;
  if (is_reset)
    dn_stream_input_give_up (stream);
  else if (stream->watch.fd >= 0 && stream->ring.used == 0)
    dn_stream_input_finish (stream);
  return 0;
}

int
dn_streams_receive (DnStreams *streams, const DnFrameHeader *header, const uint8_t *payload)
{
  DnStream *stream = dn_streams_find (streams, header->stream);

  if (stream == NULL)
    return 0;
  switch (header->type)
    {
    case DN_MSG_DATA:
      return dn_stream_input_take (stream, header, payload);
    case DN_MSG_CREDIT:
      return take_credit (stream, header, payload);
    case DN_MSG_EOF:
      return take_end (stream, false);
    case DN_MSG_RESET:
      return take_end (stream, true);
    default:
      return -EPROTO;
    }
}

size_t
dn_stream_encode (uint8_t *ret_bytes, uint16_t type, const DnStream *stream, size_t length)
{
  dn_frame_encode_header (ret_bytes, type, stream->number, (uint32_t) length);
  return DN_FRAME_HEADER_BYTES + length;
}

static size_t
pull_output (DnStream *stream, uint8_t *ret_bytes)
{
  size_t size = stream->ring.used - stream->sent;

  if (stream->is_held)
    return 0;
  if (size > DN_FRAME_PAYLOAD_MAX_BYTES)
    size = DN_FRAME_PAYLOAD_MAX_BYTES;
  if (size > 0)
    {
      dn_ring_peek (&stream->ring, stream->sent, ret_bytes + DN_FRAME_HEADER_BYTES, size);
      stream->sent += size;
      if (stream->ring.used > stream->sent || stream->has_ended)
        dn_stream_make_ready (stream);
      return dn_stream_encode (ret_bytes, DN_MSG_DATA, stream, size);
    }
  if (!stream->has_ended || stream->eof_sent)
    return 0;
  stream->eof_sent = true;
  return dn_stream_encode (ret_bytes, DN_MSG_EOF, stream, 0);
}

size_t
dn_streams_pull (DnStreams *streams, uint8_t *ret_bytes)
{
  while (streams->ready_first != NULL)
    {
      DnStream *stream = streams->ready_first;
      size_t length;

      leave_ready (stream);
      length = stream->direction == DN_STREAM_OUT ? pull_output (stream, ret_bytes)
                                                  : dn_stream_input_pull (stream, ret_bytes);
      if (length == 0)
        continue;
      if (stream->direction == DN_STREAM_OUT && stream->eof_sent && stream->drained != NULL)
        stream->drained (stream, stream->data);
      return length;
    }
  return 0;
}
