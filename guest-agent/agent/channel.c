/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "console.h"
#include "requests.h"
#include "secret-memory.h"

static void channel_ready (DnWatch *watch, uint32_t events);
static void hello_late (DnTimer *timer);

static void
update_watch (DnChannel *channel)
{
  uint32_t events = 0;

  if (channel->control_end - channel->control_start < DN_CHANNEL_CONTROL_PAUSE_BYTES)
    events |= EPOLLIN;
  if (channel->out_end > channel->out_start)
    events |= EPOLLOUT;
  (void) dn_watch_set (&channel->watch, events);
}

DnChannel *
dn_channel_new (DnAgent *agent, int fd, bool is_serial)
{
  DnChannel *channel = dn_secret_memory_new (sizeof *channel);

  if (channel == NULL)
    {
      (void) close (fd);
      return NULL;
    }
  (void) fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
  channel->agent = agent;
  channel->is_serial = is_serial;
  dn_watch_init (&channel->watch, &agent->loop, fd, channel_ready, channel);
  dn_timer_init (&channel->hello_timer, &agent->loop, hello_late, channel);
  dn_frame_reader_init (&channel->reader, &dn_guest_wire, DN_SENDER_HOST);
  update_watch (channel);
  if (!is_serial)
    dn_timer_set (&channel->hello_timer, DN_CHANNEL_HELLO_MS);
  return channel;
}

/* The link is gone; containers and their streams stay. */
static void
forget_link (DnChannel *channel)
{
  if (channel->is_linked)
    dn_requests_forget_parts (channel->agent);
  if (channel->agent->channel == channel)
    channel->agent->channel = NULL;
  channel->is_linked = false;
}

void
dn_channel_free (DnChannel *channel)
{
  if (channel == NULL)
    return;
  forget_link (channel);
  dn_transport_forget (&channel->agent->transport, channel);
  dn_timer_stop (&channel->hello_timer);
  dn_watch_remove (&channel->watch);
  (void) close (channel->watch.fd);
  free (channel->control);
  dn_secret_memory_free (channel, sizeof *channel);
}

/* When all that was read has been dealt with: what a secret's frames left, where they were and
 * where they were moved from. */
static void
wipe_if_due (DnChannel *channel)
{
  DnFrameReader *reader = &channel->reader;

  if (!channel->must_wipe || reader->start < reader->end)
    return;
  explicit_bzero (reader->bytes, sizeof reader->bytes);
  channel->must_wipe = false;
}

void
dn_channel_restart (DnChannel *channel)
{
  forget_link (channel);
  channel->reader.start = channel->reader.end = 0;
  wipe_if_due (channel);
  channel->skipped = 0;
  channel->control_start = channel->control_end = 0;
  channel->out_start = channel->out_end = 0;
  dn_frame_reader_init (&channel->reader, &dn_guest_wire, DN_SENDER_HOST);
  update_watch (channel);
}

static void
hello_late (DnTimer *timer)
{
  dn_channel_free (timer->data);
}

/* What was heard is not the protocol: a socket is done with, on a serial port a hello may follow
 * in what has been read already. */
static bool
fail (DnChannel *channel, const char *what)
{
  if (channel->is_linked)
    dn_console_log ("the host broke the protocol: %s", what);
  if (!channel->is_serial)
    {
      dn_channel_free (channel);
      return false;
    }
  forget_link (channel);
  channel->control_start = channel->control_end = 0;
  channel->out_start = channel->out_end = 0;
  return true;
}

static void
welcome (DnChannel *channel, const DnLinkHello *hello)
{
  DnAgent *agent = channel->agent;
  uint32_t generation = dn_link_choose_generation (hello);

  channel->control_start = channel->control_end = 0;
  channel->out_start = 0;
  channel->out_end = DN_LINK_BYTES;
  dn_link_encode_welcome (channel->out, generation, hello->nonce, agent->secret);
  dn_timer_stop (&channel->hello_timer);
  /* A host that speaks none of our generations is told so, and nothing more. */
  if (generation == 0)
    {
      dn_channel_flush (channel);
      return;
    }
  if (agent->channel != NULL && agent->channel != channel)
    dn_channel_free (agent->channel);
  agent->channel = channel;
  channel->is_linked = true;
  channel->skipped = 0;
  agent->epoch++;
  agent->generation = generation;
  dn_streams_relink (&agent->streams);
  dn_requests_link_up (agent);
}

/* Looks for a hello in what was read.  Returns: whether the channel still exists. */
static bool
scan (DnChannel *channel)
{
  DnFrameReader *reader = &channel->reader;

  while (!channel->is_linked)
    {
      const uint8_t *bytes = reader->bytes + reader->start;
      size_t size = reader->end - reader->start;
      size_t skip = dn_link_find_start (bytes, size, false);
      DnLinkHello hello;
      int r;

      if (skip > 0 && !channel->is_serial)
        return fail (channel, "no hello");
      reader->start += skip;
      channel->skipped += skip;
      if (reader->end - reader->start < DN_LINK_BYTES)
        return true;
      r = dn_link_decode_hello (reader->bytes + reader->start, channel->agent->secret, &hello);
      if (r < 0 && !channel->is_serial)
        return fail (channel, "not a hello of this guest's host");
      /* A wrong secret gets no answer at all; its record is skipped whole. */
      reader->start += r == -EPROTO ? 1 : DN_LINK_BYTES;
      if (r == 0)
        welcome (channel, &hello);
      if (r == 0 && !channel->is_linked && !channel->is_serial)
        return fail (channel, "no common generation");
    }
  return true;
}

/* Returns: whether the channel still exists. */
static bool
take_frames (DnChannel *channel)
{
  DnAgent *agent = channel->agent;

  while (channel->is_linked)
    {
      DnFrameHeader header;
      const uint8_t *payload;
      int r = dn_frame_reader_next (&channel->reader, &header, &payload);

      if (r == 0)
        return true;
      if (r > 0 && dn_requests_receive (agent, &header, payload) == 0)
        continue;
      return fail (channel, r < 0 ? "not a frame" : dn_wire_name (&dn_guest_wire, header.type));
    }
  return true;
}

static void
receive (DnChannel *channel)
{
  size_t room;
  uint8_t *space = dn_frame_reader_space (&channel->reader, &room);
  ssize_t n = read (channel->watch.fd, space, room);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      if (channel->is_serial)
        dn_transport_host_gone (&channel->agent->transport, channel);
      else
        dn_channel_free (channel);
      return;
    }
  dn_frame_reader_added (&channel->reader, (size_t) n);
  /* A violation on a serial port may be the beginning of a new hello, and frames may follow it:
   * round until neither gets any further. */
  for (;;)
    {
      bool was_linked;

      if (!channel->is_linked && !scan (channel))
        return;
      was_linked = channel->is_linked;
      if (!take_frames (channel))
        return;
      if (channel->is_linked || !was_linked)
        break;
    }
  wipe_if_due (channel);
}

static void
channel_ready (DnWatch *watch, uint32_t events)
{
  DnChannel *channel = watch->data;

  if ((events & EPOLLHUP) != 0 && channel->is_serial && (events & EPOLLIN) == 0)
    {
      dn_transport_host_gone (&channel->agent->transport, channel);
      return;
    }
  if ((events & EPOLLOUT) != 0)
    dn_channel_flush (channel);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    receive (channel);
}

int
dn_channel_put (DnChannel *channel, uint16_t type, uint32_t stream, const uint8_t *payload,
                size_t size)
{
  size_t length = DN_FRAME_HEADER_BYTES + size;
  uint8_t *at;

  if (channel->control_start == channel->control_end)
    channel->control_start = channel->control_end = 0;
  if (channel->control_end + length > channel->control_room)
    {
      size_t room = channel->control_room * 2;
      uint8_t *control;

      if (room < channel->control_end + length + 4096)
        room = channel->control_end + length + 4096;
      if (channel->control_end + length > DN_CHANNEL_CONTROL_BYTES)
        return -ENOBUFS;
      control = realloc (channel->control, room);
      if (control == NULL)
        return -ENOBUFS;
      channel->control = control;
      channel->control_room = room;
    }
  at = channel->control + channel->control_end;
  dn_frame_encode_header (at, type, stream, (uint32_t) size);
  if (size > 0)
    memcpy (at + DN_FRAME_HEADER_BYTES, payload, size);
  channel->control_end += length;
  return 0;
}

/* Puts the next bytes into the empty out buffer: control first, then the streams in turn. */
static void
fill (DnChannel *channel)
{
  const size_t frame_bytes = DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES;
  size_t control = channel->control_end - channel->control_start;

  channel->out_start = channel->out_end = 0;
  if (control > frame_bytes)
    control = frame_bytes;
  if (control > 0)
    {
      memcpy (channel->out, channel->control + channel->control_start, control);
      channel->control_start += control;
      channel->out_end = control;
      /* A frame may be cut here; its rest must come next. */
      if (channel->control_start < channel->control_end)
        return;
    }
  while (channel->is_linked && channel->out_end + frame_bytes <= sizeof channel->out)
    {
      size_t length = dn_streams_pull (&channel->agent->streams, channel->out + channel->out_end);

      if (length == 0)
        break;
      channel->out_end += length;
    }
}

bool
dn_channel_is_idle (const DnChannel *channel)
{
  return channel->out_start == channel->out_end && channel->control_start == channel->control_end;
}

void
dn_channel_flush (DnChannel *channel)
{
  for (;;)
    {
      ssize_t n;

      if (channel->out_start == channel->out_end)
        fill (channel);
      if (channel->out_start == channel->out_end)
        break;
      n = write (channel->watch.fd, channel->out + channel->out_start,
                 channel->out_end - channel->out_start);
      if (n < 0 && errno == EINTR)
        continue;
      /* Errors other than a full pipe are left to reading, which sees them as well. */
      if (n <= 0)
        break;
      channel->out_start += (size_t) n;
    }
  update_watch (channel);
}
