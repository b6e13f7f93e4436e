/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to a guest's relay: frames out, frames in. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../protocol/frame-reader.h"
#include "../../protocol/milestone.h"
#include "../../protocol/pack.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "guest-private.h"
#include "transport.h"

typedef struct
{
  DnGuest *guest; /* owned */
  int fd;         /* owned */
} Reading;

static void
take_link_up (DnGuest *guest, const DnMsgLinkUp *up)
{
  g_autofree char *boot_id = dn_guest_escape (up->boot_id);
  g_autofree char *kernel = dn_guest_escape (up->kernel);
  g_autofree char *agent_version = dn_guest_escape (up->agent_version);

  g_mutex_lock (&guest->lock);
  g_free (guest->info.boot_id);
  g_free (guest->info.kernel);
  g_free (guest->info.agent_version);
  guest->info.boot_id = g_steal_pointer (&boot_id);
  guest->info.kernel = g_steal_pointer (&kernel);
  guest->info.agent_version = g_steal_pointer (&agent_version);
  guest->generation = up->generation;
  guest->is_linked = TRUE;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
}

static void
take_link_down (DnGuest *guest, const DnMsgLinkDown *down)
{
  g_autofree char *reason = dn_guest_escape (down->reason);
  gboolean is_running;

  g_mutex_lock (&guest->lock);
  guest->is_linked = FALSE;
  guest->is_suspect = guest->is_suspect || down->suspect != 0;
  g_free (guest->link_problem);
  guest->link_problem = g_strdup (reason);
  is_running = guest->state == DN_GUEST_RUNNING;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  dn_guest_lose_calls (guest);
  /* Of a frozen one nothing is taken away: the thaw sees to it. */
  if (!is_running || dn_guest_is_frozen (guest))
    return;
  if (down->suspect != 0)
    dn_guest_end_soon (guest, TRUE, reason);
  else
    dn_guest_spawn (guest, "guest-mend", dn_guest_mend);
}

static void
take_milestone (DnGuest *guest, guint32 number)
{
  g_mutex_lock (&guest->lock);
  guest->milestone = MAX (guest->milestone, number);
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
}

/* Returns: 0, or -EPROTO */
static int
take_event (DnGuest *guest, guint16 type, const uint8_t *payload, guint32 size)
{
  const DnGuestHandlers *handlers = &guest->handlers;

  if (type == DN_MSG_EXITED)
    {
      DnMsgExited exited;

      if (dn_msg_exited_unpack (payload, size, &exited) < 0)
        return -EPROTO;
      if (!dn_guest_take_listed_exit (guest, &exited) && handlers->exited != NULL)
        handlers->exited (guest, &exited, handlers->data);
    }
  else if (type == DN_MSG_DRAINED)
    {
      DnMsgDrained drained;

      if (dn_msg_drained_unpack (payload, size, &drained) < 0)
        return -EPROTO;
      if (handlers->drained != NULL)
        handlers->drained (guest, drained.container, drained.process, handlers->data);
    }
  else if (type == DN_MSG_OOM)
    {
      DnMsgOom oom;

      if (dn_msg_oom_unpack (payload, size, &oom) < 0)
        return -EPROTO;
      if (handlers->oom != NULL)
        handlers->oom (guest, oom.container, handlers->data);
    }
  else if (type == DN_MSG_OOM_VICTIM)
    {
      DnMsgOomVictim victim;

      if (dn_msg_oom_victim_unpack (payload, size, &victim) < 0)
        return -EPROTO;
      if (handlers->oom_victim != NULL)
        handlers->oom_victim (guest, &victim, handlers->data);
    }
  else if (type == DN_MSG_REFUSED)
    {
      DnMsgRefused refused;

      if (dn_msg_refused_unpack (payload, size, &refused) < 0)
        return -EPROTO;
      if (handlers->refused != NULL)
        handlers->refused (guest, &refused, handlers->data);
    }
  else if (type == DN_MSG_HEALTH)
    {
      DnMsgHealth health;

      if (dn_msg_health_unpack (payload, size, &health) < 0)
        return -EPROTO;
      if (handlers->health != NULL)
        handlers->health (guest, &health, handlers->data);
    }
  else if (type == DN_MSG_DISK_DAMAGE)
    {
      DnMsgDiskDamage damage;

      if (dn_msg_disk_damage_unpack (payload, size, &damage) < 0)
        return -EPROTO;
      if (handlers->disk_damage != NULL)
        handlers->disk_damage (guest, &damage, handlers->data);
    }
  else if (type == DN_MSG_LOG_DROPPED)
    {
      DnMsgLogDropped dropped;

      if (dn_msg_log_dropped_unpack (payload, size, &dropped) < 0)
        return -EPROTO;
      if (handlers->log_dropped != NULL)
        handlers->log_dropped (guest, dropped.container, dropped.lines, dropped.bytes,
                               handlers->data);
    }
  return 0;
}

/* Returns: 0, or -EPROTO */
static int
take_frame (DnGuest *guest, const DnFrameHeader *header, const uint8_t *payload)
{
  switch (header->type)
    {
    case DN_MSG_LINK_UP:
      {
        DnMsgLinkUp up;

        if (dn_msg_link_up_unpack (payload, header->length, &up) < 0)
          return -EPROTO;
        take_link_up (guest, &up);
        return 0;
      }
    case DN_MSG_LINK_DOWN:
      {
        DnMsgLinkDown down;

        if (dn_msg_link_down_unpack (payload, header->length, &down) < 0)
          return -EPROTO;
        take_link_down (guest, &down);
        return 0;
      }
    case DN_MSG_MILESTONE:
      {
        DnMsgMilestone milestone;

        if (dn_msg_milestone_unpack (payload, header->length, &milestone) < 0)
          return -EPROTO;
        take_milestone (guest, milestone.number);
        return 0;
      }
    case DN_MSG_REPLY:
      {
        DnMsgReply reply;

        if (dn_msg_reply_unpack (payload, header->length, &reply) < 0)
          return -EPROTO;
        dn_guest_take_reply (guest, &reply);
        return 0;
      }
    case DN_MSG_EXITED:
    case DN_MSG_DRAINED:
    case DN_MSG_OOM:
    case DN_MSG_OOM_VICTIM:
    case DN_MSG_REFUSED:
    case DN_MSG_HEALTH:
    case DN_MSG_DISK_DAMAGE:
    case DN_MSG_LOG_DROPPED:
      return take_event (guest, header->type, payload, header->length);
    case DN_MSG_STARTED:
    case DN_MSG_LIST_ENTRY:
    case DN_MSG_STATS_ENTRY:
    case DN_MSG_CARD_STATS:
    case DN_MSG_TOP_ENTRY:
    case DN_MSG_LISTENER_ENTRY:
    case DN_MSG_SECRET_ENTRY:
    case DN_MSG_FACT:
    case DN_MSG_SHARE_USER_ENTRY:
    case DN_MSG_UNPACK_PROGRESS:
    case DN_MSG_UNPACK_FIELD:
    case DN_MSG_UNPACK_ENTRY:
    case DN_MSG_UNPACK_READ_DONE:
    case DN_MSG_UNPACK_LAYER_DONE:
      dn_guest_take_answer (guest, header->type, payload, header->length);
      return 0;
    default:
      /* READY and stream frames are the relay's own business and never come here; PROBED is asked
       * for by nobody. */
      return header->type == DN_MSG_PROBED ? 0 : -EPROTO;
    }
}

/* Until the relay's end closes, or breaks the contract. */
static void
read_frames (DnGuest *guest, int fd, DnFrameReader *reader)
{
  for (;;)
    {
      DnFrameHeader header;
      const uint8_t *payload;
      size_t size;
      uint8_t *space = dn_frame_reader_space (reader, &size);
      DnFdList fds = DN_FD_LIST_INIT;
      ssize_t n = dn_fdpass_receive (fd, space, size, &fds);
      int result;

      dn_fd_list_clear (&fds); /* a relay never sends any */
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      dn_frame_reader_added (reader, (size_t) n);
      while ((result = dn_frame_reader_next (reader, &header, &payload)) > 0)
        if ((result = take_frame (guest, &header, payload)) < 0)
          break;
      if (result < 0)
        {
          g_warning ("guest '%s': the relay broke the protocol, it is replaced", guest->id);
          return;
        }
    }
}

static void
take_channel_loss (DnGuest *guest)
{
  gboolean is_running;

  g_mutex_lock (&guest->lock);
  guest->has_relay = FALSE;
  guest->is_linked = FALSE;
  g_free (guest->link_problem);
  guest->link_problem = g_strdup ("the relay ended");
  is_running = guest->state == DN_GUEST_RUNNING;
  g_cond_broadcast (&guest->changed);
  g_mutex_unlock (&guest->lock);
  dn_guest_lose_calls (guest);
  if (is_running)
    dn_guest_spawn (guest, "guest-mend", dn_guest_mend);
}

static gpointer
run_reader (gpointer data)
{
  Reading *reading = data;
  DnGuest *guest = reading->guest;
  g_autofree DnFrameReader *reader = g_new (DnFrameReader, 1);
  gboolean is_current;

  dn_frame_reader_init (reader, &dn_control_all_wire, DN_SENDER_GUEST);
  read_frames (guest, reading->fd, reader);
  g_mutex_lock (&guest->send_lock);
  is_current = guest->control_fd == reading->fd;
  if (is_current)
    guest->control_fd = -1;
  (void) close (reading->fd);
  g_mutex_unlock (&guest->send_lock);
  if (is_current)
    take_channel_loss (guest);
  dn_guest_unref (guest);
  g_free (reading);
  return NULL;
}

gboolean
dn_guest_open_channel (DnGuest *guest, GError **error)
{
  g_autofree char *path = g_build_filename (guest->directory, "relay.sock", NULL);
  const struct timeval timeout = { .tv_sec = DN_GUEST_SEND_TIMEOUT_S };
  dn_autofd int fd = dn_transport_connect_unix (path, error);
  Reading *reading;

  if (fd < 0)
    return FALSE;
  if (setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
    return dn_throw_errno (error, "socket '%s'", path);
  reading = g_new0 (Reading, 1);
  reading->guest = dn_guest_ref (guest);
  reading->fd = g_steal_fd (&fd);
  g_mutex_lock (&guest->send_lock);
  guest->control_fd = reading->fd;
  g_mutex_unlock (&guest->send_lock);
  g_mutex_lock (&guest->lock);
  guest->has_relay = TRUE;
  g_mutex_unlock (&guest->lock);
  g_thread_unref (g_thread_new ("guest-reader", run_reader, reading));
  return TRUE;
}

/* The reader closes it, when it wakes. */
void
dn_guest_close_channel (DnGuest *guest)
{
  g_mutex_lock (&guest->send_lock);
  if (guest->control_fd >= 0)
    (void) shutdown (guest->control_fd, SHUT_RDWR);
  g_mutex_unlock (&guest->send_lock);
}

/* Under send_lock. */
static gboolean
send_all (int fd, const guint8 *bytes, gsize size, const DnFdList *fds)
{
  gsize sent = 0;

  while (sent < size)
    {
      ssize_t n = dn_fdpass_send (fd, bytes + sent, size - sent, sent == 0 ? fds : NULL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      sent += (gsize) n;
    }
  return TRUE;
}

gboolean
dn_guest_send (DnGuest *guest, guint16 type, const guint8 *payload, guint32 size,
               const DnFdList *fds, GError **error)
{
  guint8 frame[DN_FRAME_HEADER_BYTES + DN_FRAME_PAYLOAD_MAX_BYTES];
  gboolean is_sent = FALSE;

  g_return_val_if_fail (size <= DN_FRAME_PAYLOAD_MAX_BYTES, FALSE);
  dn_frame_encode_header (frame, type, 0, size);
  if (size > 0)
    memcpy (frame + DN_FRAME_HEADER_BYTES, payload, size);
  g_mutex_lock (&guest->send_lock);
  errno = ENOTCONN;
  if (guest->control_fd >= 0)
    {
      is_sent = send_all (guest->control_fd, frame, DN_FRAME_HEADER_BYTES + (gsize) size, fds);
      /* Part of a frame may be out: the connection is of no use any more. */
      if (!is_sent)
        (void) shutdown (guest->control_fd, SHUT_RDWR);
    }
  g_mutex_unlock (&guest->send_lock);
  explicit_bzero (frame, DN_FRAME_HEADER_BYTES + (gsize) size); /* CHANNEL carries the secret */
  if (!is_sent)
    return dn_throw (error, DN_ERROR_GUEST, "guest '%s': its relay cannot be reached", guest->id);
  return TRUE;
}

gboolean
dn_guest_send_channel (DnGuest *guest, GError **error)
{
  gboolean is_serial = guest->entry->transport == DN_TRANSPORT_SERIAL;
  g_autofree char *path = g_build_filename (guest->directory, "agent.sock", NULL);
  DnMsgChannel channel = { .repeat_hello = is_serial };
  uint8_t payload[DN_LINK_SECRET_BYTES + 16];
  DnFdList fds = DN_FD_LIST_INIT;
  gboolean is_sent;
  int size;
  dn_autofd int fd = is_serial ? dn_transport_connect_unix (path, error)
                               : dn_transport_connect_vsock (guest->entry->vsock_cid,
                                                             DN_GUEST_CONNECT_TIMEOUT_MS, error);

  if (fd < 0)
    return FALSE;
  memcpy (channel.secret, guest->secret, sizeof channel.secret);
  size = dn_msg_channel_pack (&channel, payload, sizeof payload);
  fds.fds[fds.count++] = fd;
  is_sent = size > 0 && dn_guest_send (guest, DN_MSG_CHANNEL, payload, (guint32) size, &fds, error);
  explicit_bzero (payload, sizeof payload);
  explicit_bzero (&channel, sizeof channel);
  return is_sent;
}
