/* SPDX-License-Identifier: Apache-2.0 */
#include "stream-input.h"

#include <errno.h>
#include <termios.h>
#include <unistd.h>

/* Credit is given in pieces of this size, or when nothing is left to consume: not per read. */
#define CREDIT_STEP_BYTES (DN_STREAM_WINDOW_BYTES / 4)

void
dn_stream_input_give_up (DnStream *stream)
{
  dn_stream_close_local_end (stream);
  dn_ring_clear (&stream->ring);
  stream->is_discarded = true;
}

void
dn_stream_input_finish (DnStream *stream)
{
  struct termios settings;

  /* A terminal cannot be half closed; in line mode its end-of-file character says the same. */
  if (stream->is_terminal && stream->watch.fd >= 0 && tcgetattr (stream->watch.fd, &settings) == 0
      && (settings.c_lflag & ICANON) != 0)
    (void) !write (stream->watch.fd, &settings.c_cc[VEOF], 1);
  dn_stream_input_give_up (stream);
}

static void
account_delivered (DnStream *stream, size_t size)
{
  size_t old = size < stream->carried ? size : stream->carried;

  dn_ring_drop (&stream->ring, size);
  stream->carried -= old;
  stream->credit_due += size - old;
  /* Less than a step is kept back: the host still has the rest of its window. */
  if (!stream->has_ended && stream->credit_due >= CREDIT_STEP_BYTES)
    dn_stream_make_ready (stream);
}

/* Without anything to deliver an input is watched for its reader's going only.  Both ends of a
 * terminal are one file: there the output side notices. */
void
dn_stream_input_deliver (DnStream *stream)
{
  if (stream->watch.fd < 0)
    return;
  while (stream->ring.used > 0)
    {
      struct iovec pieces[2];
      int count = dn_ring_pieces (&stream->ring, pieces);
      ssize_t n = writev (stream->watch.fd, pieces, count);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          (void) dn_watch_set (&stream->watch, EPOLLOUT);
          return;
        }
      if (n < 0)
        {
          dn_stream_input_give_up (stream);
          stream->reset_due = !stream->has_ended;
          dn_stream_make_ready (stream);
          return;
        }
      account_delivered (stream, (size_t) n);
    }
  if (stream->has_ended)
    dn_stream_input_finish (stream);
  else
    (void) dn_watch_set (&stream->watch, stream->is_terminal ? DN_WATCH_OFF : 0);
}

void
dn_stream_input_ready (DnWatch *watch, uint32_t events)
{
  DnStream *stream = watch->data;

  if ((events & EPOLLERR) != 0 && !stream->is_terminal)
    {
      /* The last reader of the pipe has gone. */
      dn_stream_input_give_up (stream);
      stream->reset_due = !stream->has_ended;
      dn_stream_make_ready (stream);
      return;
    }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0)
    {
      dn_stream_input_give_up (stream);
      return;
    }
  dn_stream_input_deliver (stream);
}

int
dn_stream_input_take (DnStream *stream, const DnFrameHeader *header, const uint8_t *payload)
{
  if (stream->direction != DN_STREAM_IN)
    return -EPROTO;
  if (stream->is_deaf || stream->is_discarded)
    return 0;
  if (header->length > stream->allowance || stream->has_ended)
    return -EPROTO;
  stream->allowance -= header->length;
  if (dn_ring_put (&stream->ring, payload, header->length) < 0)
    {
      dn_stream_input_give_up (stream);
      stream->reset_due = true;
      dn_stream_make_ready (stream);
      return 0;
    }
  dn_stream_input_deliver (stream);
  return 0;
}

size_t
dn_stream_input_pull (DnStream *stream, uint8_t *ret_bytes)
{
  DnMsgCredit credit = { .bytes = (uint32_t) stream->credit_due };

  if (stream->reset_due)
    {
      stream->reset_due = false;
      stream->credit_due = 0;
      return dn_stream_encode (ret_bytes, DN_MSG_RESET, stream, 0);
    }
  if (stream->credit_due == 0 || stream->has_ended || stream->is_discarded)
    return 0;
  stream->allowance += stream->credit_due;
  stream->credit_due = 0;
  (void) dn_msg_credit_pack (&credit, ret_bytes + DN_FRAME_HEADER_BYTES, 4);
  return dn_stream_encode (ret_bytes, DN_MSG_CREDIT, stream, 4);
}
