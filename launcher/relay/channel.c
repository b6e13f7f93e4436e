/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../confined/say.h"
#include "guest-frame.h"
#include "outbox.h"
#include "router.h"
#include "strongbox.h"

bool
dn_channel_is_up (const DnRouter *router)
{
  return router->channel.state == DN_CHANNEL_UP;
}

bool
dn_channel_has_room (const DnRouter *router)
{
  return dn_channel_is_up (router) && !router->channel.is_full && dn_strongbox_is_empty ();
}

/* Closes the channel and tells danchid why; @is_suspect: the guest broke the protocol. */
static void
end_channel (DnRouter *router, bool is_suspect, const char *reason)
{
  DnChannel *channel = &router->channel;
  DnMsgLinkDown down = { .suspect = is_suspect };
  uint8_t payload[512];

  dn_loop_close (&router->loop, &channel->source);
  channel->state = DN_CHANNEL_NONE;
  channel->is_full = false;
  channel->is_throttled = false;
  channel->is_suspect = channel->is_suspect || is_suspect;
  channel->hello_timer.deadline_ns = 0;
  channel->throttle_timer.deadline_ns = 0;
  explicit_bzero (channel->secret, sizeof channel->secret);
  dn_backlog_clear (&channel->outbox);
  dn_strongbox_clear ();
  dn_requests_clear (&channel->requests);
  dn_say ("link down%s: %s", is_suspect ? ", the guest is suspect" : "", reason);
  (void) snprintf (down.reason, sizeof down.reason, "%s", reason);
  dn_router_tell (router, DN_MSG_LINK_DOWN, payload,
                  dn_msg_link_down_pack (&down, payload, sizeof payload));
  dn_router_unlinked (router, is_suspect);
}

static bool
has_output (const DnChannel *channel)
{
  return dn_backlog_length (&channel->outbox) > 0 || !dn_strongbox_is_empty ();
}

static void
adjust (DnRouter *router)
{
  DnChannel *channel = &router->channel;
  uint32_t events = (channel->is_throttled ? 0 : EPOLLIN) | (has_output (channel) ? EPOLLOUT : 0);

  if (channel->source.fd >= 0)
    (void) dn_loop_want (&router->loop, &channel->source, events);
}

/* Whether the other end has read everything we sent: then it is worth saying hello again. */
static bool
is_read (const DnChannel *channel)
{
  int unread = 0;

  return dn_backlog_length (&channel->outbox) == 0
         && (ioctl (channel->source.fd, SIOCOUTQ, &unread) < 0 || unread == 0);
}

/* Says hello with a fresh nonce.  Returns: 0, or -errno. */
static int
say_hello (DnRouter *router)
{
  DnChannel *channel = &router->channel;
  DnLinkHello hello = { .generation_oldest = DN_PROTOCOL_GENERATION_OLDEST,
                        .generation_newest = DN_PROTOCOL_GENERATION };
  uint8_t bytes[DN_LINK_BYTES];
  int r;

  if (getrandom (channel->nonce, sizeof channel->nonce, 0) != sizeof channel->nonce)
    return -EIO;
  memcpy (hello.nonce, channel->nonce, sizeof hello.nonce);
  dn_link_encode_hello (bytes, &hello, channel->secret);
  r = dn_backlog_append (&channel->outbox, bytes, sizeof bytes);
  explicit_bzero (bytes, sizeof bytes);
  channel->hellos++;
  return r;
}

static int
flush_half_a_frame (DnChannel *channel)
{
  uint8_t *at = dn_backlog_reserve (&channel->outbox, DN_CHANNEL_FLUSH_BYTES);

  if (at == NULL)
    return -errno;
  memset (at, 0, DN_CHANNEL_FLUSH_BYTES);
  dn_backlog_added (&channel->outbox, DN_CHANNEL_FLUSH_BYTES);
  return 0;
}

static void
repeat_hello (void *data)
{
  DnRouter *router = data;
  DnChannel *channel = &router->channel;
  int r = 0;

  if (channel->state != DN_CHANNEL_GREETING)
    return;
  if (is_read (channel))
    {
      if (channel->hellos == DN_CHANNEL_HELLOS_BEFORE_FLUSH)
        r = flush_half_a_frame (channel);
      if (r == 0)
        r = say_hello (router);
      /* Slower from then on: a guest whose answer takes longer than this would never be heard. */
      if (channel->hellos > DN_CHANNEL_HELLOS_BEFORE_FLUSH
          && channel->hello_ns < DN_CHANNEL_HELLO_MAX_NS)
        channel->hello_ns *= 2;
    }
  if (r < 0)
    end_channel (router, false, "the hello cannot be sent");
  else
    dn_loop_set_timer (&router->loop, &channel->hello_timer, channel->hello_ns);
}

/* Looks for the welcome at the front of what was read.
 * Returns: 1: found and taken; 0: more is needed; -1: the channel was ended */
static int
take_welcome (DnRouter *router)
{
  DnChannel *channel = &router->channel;
  DnFrameReader *reader = &channel->reader;

  for (;;)
    {
      size_t size = reader->end - reader->start;
      size_t skip = dn_link_find_start (reader->bytes + reader->start, size, true);
      int r;

      reader->start += skip;
      channel->skipped_bytes += skip;
      if (channel->skipped_bytes > (channel->repeats_hello ? DN_LINK_SKIP_MAX_BYTES : 0))
        {
          end_channel (router, true, "the guest answered the hello with something else");
          return -1;
        }
      if (size - skip < DN_LINK_BYTES)
        return 0;
      r = dn_link_decode_welcome (reader->bytes + reader->start, channel->nonce, channel->secret,
                                  &channel->generation);
      if (r == -EPROTO) /* to an older hello */
        {
          reader->start++;
          channel->skipped_bytes++;
          continue;
        }
      if (r < 0 || channel->generation == 0)
        {
          end_channel (router, r < 0,
                       r < 0 ? "the guest's proof is wrong"
                             : "host and guest have no generation of the protocol in common");
          return -1;
        }
      if (channel->generation < DN_PROTOCOL_GENERATION_OLDEST
          || channel->generation > DN_PROTOCOL_GENERATION)
        {
          end_channel (router, true, "the guest chose a generation it was not offered");
          return -1;
        }
      reader->start += DN_LINK_BYTES;
      channel->state = DN_CHANNEL_WELCOMED;
      return 1;
    }
}

static int
take_ready (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnChannel *channel = &router->channel;
  DnMsgReady *ready = &channel->ready;
  DnMsgLinkUp up = { .generation = channel->generation };
  uint8_t bytes[512];

  if (header->type != DN_MSG_READY || header->stream != 0
      || dn_msg_ready_unpack (payload, header->length, ready) < 0)
    return -EPROTO;
  channel->state = DN_CHANNEL_UP;
  dn_router_linked (router);
  dn_say ("link up, generation %u", channel->generation);
  memcpy (up.boot_id, ready->boot_id, sizeof up.boot_id);
  memcpy (up.kernel, ready->kernel, sizeof up.kernel);
  memcpy (up.agent_version, ready->agent_version, sizeof up.agent_version);
  up.memory_bytes = ready->memory_bytes;
  up.processors = ready->processors;
  dn_router_tell (router, DN_MSG_LINK_UP, bytes, dn_msg_link_up_pack (&up, bytes, sizeof bytes));
  return 0;
}

/* Whether the next frame must wait; sets the timer that goes on. */
static bool
must_wait (DnRouter *router)
{
  DnChannel *channel = &router->channel;

  if (dn_bucket_level (&channel->bucket, router->loop.now_ns) > 0
      && !dn_control_server_is_full (router))
    return false;
  channel->is_throttled = true;
  dn_loop_set_timer (&router->loop, &channel->throttle_timer, DN_CHANNEL_THROTTLE_NS);
  return true;
}

/* Handles one frame.  Returns: 0, or -errno with @ret_why. */
static int
handle_frame (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
              const char **ret_why)
{
  DnChannel *channel = &router->channel;

  if (header->type != DN_MSG_DATA || header->length == 0)
    dn_bucket_charge (&channel->bucket, 1, router->loop.now_ns);
  *ret_why = "the guest's first frame is no good READY";
  if (channel->state == DN_CHANNEL_WELCOMED)
    return take_ready (router, header, payload);
  return dn_guest_frame_handle (router, header, payload, ret_why);
}

/* Takes out of the reader what can be handled now. */
static void
process_input (DnRouter *router)
{
  DnChannel *channel = &router->channel;

  while (channel->source.fd >= 0 && !must_wait (router))
    {
      DnFrameHeader header;
      const uint8_t *payload;
      const char *why = "the guest sent no frame of the protocol";
      char reason[128];
      int r;

      if (channel->state == DN_CHANNEL_GREETING)
        {
          if (take_welcome (router) <= 0)
            return;
          continue;
        }
      r = dn_frame_reader_next (&channel->reader, &header, &payload);
      if (r == 0)
        return;
      if (r < 0)
        {
          end_channel (router, true, why);
          return;
        }
      r = handle_frame (router, &header, payload, &why);
      if (r == -ENOMEM)
        end_channel (router, false, "the relay is out of memory");
      else if (r < 0)
        {
          (void) snprintf (reason, sizeof reason, "%s (%s)", why,
                           dn_wire_name (&dn_guest_wire, header.type));
          end_channel (router, true, reason);
        }
    }
}

static void
throttle_passed (void *data)
{
  DnRouter *router = data;

  router->channel.is_throttled = false;
  process_input (router);
  adjust (router);
}

static void
ready (void *data, uint32_t events)
{
  DnRouter *router = data;
  DnChannel *channel = &router->channel;
  uint8_t *space;
  size_t size;
  ssize_t n;

  if ((events & EPOLLIN) == 0 && (events & (EPOLLHUP | EPOLLERR)) != 0)
    {
      end_channel (router, false, "the guest's end was closed");
      return;
    }
  if ((events & EPOLLIN) == 0 || channel->is_throttled)
    return; /* EPOLLOUT: the end of the turn sends */
  space = dn_frame_reader_space (&channel->reader, &size);
  n = recv (channel->source.fd, space, size, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      end_channel (router, false, "the guest's end was closed");
      return;
    }
  channel->bytes_in += (uint64_t) n;
  dn_frame_reader_added (&channel->reader, (size_t) n);
  process_input (router);
  adjust (router);
}

int
dn_channel_put (DnRouter *router, uint16_t type, uint32_t stream, const void *payload, size_t size)
{
  DnChannel *channel = &router->channel;
  int r;

  if (!dn_channel_is_up (router))
    return -ENOTCONN;
  r = dn_outbox_put (&channel->outbox, type, stream, payload, size);
  if (dn_backlog_length (&channel->outbox) > DN_CHANNEL_OUTBOX_SOFT_BYTES)
    channel->is_full = true;
  return r;
}

int
dn_channel_put_from (DnRouter *router, int fd, uint32_t stream, size_t most)
{
  DnChannel *channel = &router->channel;
  uint8_t *at = dn_backlog_reserve (&channel->outbox, DN_FRAME_HEADER_BYTES + most);
  ssize_t n;

  if (at == NULL)
    return -ENOBUFS;
  n = recv (fd, at + DN_FRAME_HEADER_BYTES, most, MSG_DONTWAIT);
  if (n < 0 && errno == ENOTSOCK) /* a copy's descriptor may be a pipe; it is non-blocking then */
    n = read (fd, at + DN_FRAME_HEADER_BYTES, most);
  if (n <= 0)
    return n < 0 ? -errno : 0;
  dn_frame_encode_header (at, DN_MSG_DATA, stream, (uint32_t) n);
  dn_backlog_added (&channel->outbox, DN_FRAME_HEADER_BYTES + (size_t) n);
  if (dn_backlog_length (&channel->outbox) > DN_CHANNEL_OUTBOX_SOFT_BYTES)
    channel->is_full = true;
  return (int) n;
}

int
dn_channel_put_secret_from (DnRouter *router, int fd, uint32_t stream, size_t most)
{
  return dn_channel_has_room (router) ? dn_strongbox_fill (fd, stream, most) : -ENOBUFS;
}

/* A secret's frame goes between those of the outbox: after them all, and whole before the next.
 * Returns: bytes sent, or -errno. */
static int64_t
send_all (DnChannel *channel)
{
  int64_t sent = dn_strongbox_is_begun () ? dn_strongbox_flush (channel->source.fd) : 0;
  int64_t n = 0;

  if (sent >= 0 && !dn_strongbox_is_begun ())
    n = dn_outbox_flush (&channel->outbox, channel->source.fd);
  if (sent < 0 || n < 0)
    return sent < 0 ? sent : n;
  sent += n;
  if (dn_backlog_length (&channel->outbox) > 0)
    return sent;
  n = dn_strongbox_flush (channel->source.fd);
  return n < 0 ? n : sent + n;
}

void
dn_channel_flush (DnRouter *router)
{
  DnChannel *channel = &router->channel;
  bool had_secret = !dn_strongbox_is_empty ();
  int64_t sent;

  if (channel->source.fd < 0)
    return;
  sent = send_all (channel);
  if (sent < 0)
    {
      end_channel (router, false, "the guest's end was closed");
      return;
    }
  channel->bytes_out += (uint64_t) sent;
  if (channel->is_full && dn_backlog_length (&channel->outbox) < DN_CHANNEL_OUTBOX_LOW_BYTES)
    {
      channel->is_full = false;
      had_secret = true;
    }
  if (had_secret && dn_channel_has_room (router))
    dn_router_resume (router);
  adjust (router);
}

int
dn_channel_init (DnRouter *router)
{
  DnChannel *channel = &router->channel;
  uint32_t first;

  memset (channel, 0, offsetof (DnChannel, reader));
  channel->source = (DnSource){ .fd = -1, .ready = ready, .data = router };
  channel->outbox = (DnBacklog) DN_BACKLOG_INIT (DN_CHANNEL_OUTBOX_MAX_BYTES);
  if (getrandom (&first, sizeof first, 0) != sizeof first)
    return -EIO;
  dn_requests_init (&channel->requests, first);
  dn_bucket_init (&channel->bucket, DN_CHANNEL_FRAMES_PER_S, DN_CHANNEL_FRAMES_PER_S,
                  router->loop.now_ns);
  channel->is_throttled = channel->is_full = false;
  channel->bytes_in = channel->bytes_out = 0;
  channel->hello_timer = (DnTimer){ .fire = repeat_hello, .data = router };
  channel->throttle_timer = (DnTimer){ .fire = throttle_passed, .data = router };
  dn_loop_add_timer (&router->loop, &channel->hello_timer);
  dn_loop_add_timer (&router->loop, &channel->throttle_timer);
  return 0;
}

void
dn_channel_clear (DnRouter *router)
{
  DnChannel *channel = &router->channel;

  dn_loop_close (&router->loop, &channel->source);
  dn_backlog_clear (&channel->outbox);
  dn_strongbox_clear ();
  explicit_bzero (channel->secret, sizeof channel->secret);
}

void
dn_channel_open (DnRouter *router, int fd, const uint8_t *secret, bool repeats_hello)
{
  DnChannel *channel = &router->channel;

  if (channel->source.fd >= 0)
    end_channel (router, false, "a new connection took its place");
  channel->source.fd = fd;
  channel->state = DN_CHANNEL_GREETING;
  channel->repeats_hello = repeats_hello;
  channel->hellos = 0;
  channel->hello_ns = DN_CHANNEL_HELLO_NS;
  channel->skipped_bytes = 0;
  memcpy (channel->secret, secret, sizeof channel->secret);
  dn_frame_reader_init (&channel->reader, &dn_guest_wire, DN_SENDER_GUEST);
  if (say_hello (router) < 0)
    {
      end_channel (router, false, "the hello cannot be sent");
      return;
    }
  if (repeats_hello)
    dn_loop_set_timer (&router->loop, &channel->hello_timer, channel->hello_ns);
  adjust (router);
}
