/* SPDX-License-Identifier: Apache-2.0 */
#include "session-link.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

#include "../../protocol/frame-reader.h"
#include "../base/session.h"
#include "../common/autofd.h"

#define PAYLOAD_BYTES 16

struct DnSessionLink
{
  int fd; /* owned */
  guint source;
  void (*ended) (const DnSessionEnd *end, gpointer user_data);
  gpointer user_data;
  DnFrameReader reader;
};

void
dn_session_link_free (DnSessionLink *link)
{
  if (link == NULL)
    return;
  g_clear_handle_id (&link->source, g_source_remove);
  dn_fd_clear (&link->fd);
  g_free (link);
}

/* Whether there is an end in what came; anything but the two messages of an end is lost, too. */
static gboolean
read_end (DnSessionLink *link, DnSessionEnd *ret_end)
{
  DnFrameHeader header;
  const uint8_t *payload;
  DnMsgSessionExited exited;
  int r = dn_frame_reader_next (&link->reader, &header, &payload);

  if (r == 0)
    return FALSE;
  *ret_end = (DnSessionEnd){ .is_lost = TRUE };
  if (r > 0 && header.type == DN_MSG_SESSION_EXITED
      && dn_msg_session_exited_unpack (payload, header.length, &exited) == 0)
    *ret_end = (DnSessionEnd){ .code = exited.code,
                               .signal = exited.signal,
                               .oom_kills = exited.oom_kills };
  return TRUE;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  DnSessionLink *link = user_data;
  DnSessionEnd end = { .is_lost = TRUE };
  size_t room;
  uint8_t *space = dn_frame_reader_space (&link->reader, &room);
  ssize_t n = recv (fd, space, room, MSG_DONTWAIT);

  (void) condition;
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n > 0)
    dn_frame_reader_added (&link->reader, (size_t) n);
  if (n > 0 && !read_end (link, &end))
    return G_SOURCE_CONTINUE;
  link->source = 0;
  link->ended (&end, link->user_data);
  return G_SOURCE_REMOVE;
}

DnSessionLink *
dn_session_link_new (int fd, void (*ended) (const DnSessionEnd *end, gpointer user_data),
                     gpointer user_data)
{
  DnSessionLink *link = g_new0 (DnSessionLink, 1);

  link->fd = fd;
  link->ended = ended;
  link->user_data = user_data;
  dn_frame_reader_init (&link->reader, &dn_session_wire, DN_SENDER_GUEST);
  link->source = g_unix_fd_add (fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, link);
  return link;
}

static gboolean
send_frame (DnSessionLink *link, guint16 type, const guint8 *payload, int size)
{
  guint8 frame[DN_FRAME_HEADER_BYTES + PAYLOAD_BYTES];

  if (size < 0 || size > PAYLOAD_BYTES)
    return FALSE;
  dn_frame_encode_header (frame, type, 0, (guint32) size);
  memcpy (frame + DN_FRAME_HEADER_BYTES, payload, (gsize) size);
  return send (link->fd, frame, DN_FRAME_HEADER_BYTES + (gsize) size, MSG_NOSIGNAL | MSG_DONTWAIT)
         > 0;
}

gboolean
dn_session_link_signal (DnSessionLink *link, guint32 number)
{
  const DnMsgSessionSignal message = { .signal = number };
  guint8 payload[PAYLOAD_BYTES] = { 0 };

  return send_frame (link, DN_MSG_SESSION_SIGNAL, payload,
                     dn_msg_session_signal_pack (&message, payload, sizeof payload));
}

gboolean
dn_session_link_resize (DnSessionLink *link, guint16 rows, guint16 columns)
{
  const DnMsgSessionResize message = { .rows = rows, .columns = columns };
  guint8 payload[PAYLOAD_BYTES] = { 0 };

  return send_frame (link, DN_MSG_SESSION_RESIZE, payload,
                     dn_msg_session_resize_pack (&message, payload, sizeof payload));
}
