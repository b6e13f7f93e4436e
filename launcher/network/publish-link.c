/* SPDX-License-Identifier: Apache-2.0 */
#include "publish-link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../guest/identity.h"
#include "publish-process.h"
#include "publish-sockets.h"

#define ANSWER_WAIT_MS 5000

struct DnPublishLink
{
  gint ref_count;
  DnGuest *guest; /* a reference */
  guint slot;
  DnPublishCutFunc cut;
  gpointer data;
  int fd;           /* owned; until the last reference goes */
  GMutex call_lock; /* one call at a time */
  GMutex lock;
  GCond changed;
  /* Under the lock: */
  gboolean is_cut;
  gboolean is_done; /* DONE or LISTED has come */
  guint32 result;   /* its field */
  GArray *ports;    /* owned; of the LIST under way, or NULL */
};

DnPublishLink *
dn_publish_link_ref (DnPublishLink *link)
{
  g_atomic_int_inc (&link->ref_count);
  return link;
}

void
dn_publish_link_unref (DnPublishLink *link)
{
  if (!g_atomic_int_dec_and_test (&link->ref_count))
    return;
  dn_fd_clear (&link->fd);
  dn_guest_unref (link->guest);
  g_mutex_clear (&link->call_lock);
  g_mutex_clear (&link->lock);
  g_cond_clear (&link->changed);
  g_clear_pointer (&link->ports, g_array_unref);
  g_free (link);
}

DnGuest *
dn_publish_link_guest (DnPublishLink *link)
{
  return link->guest;
}

static void
give_dials (DnPublishLink *link, const DnMsgPublishWant *want)
{
  guint left = MIN (want->count, DN_PUBLISH_DIALS_STEP);

  while (left > 0)
    {
      DnMsgPublishDials message = { .is_udp = want->is_udp, .family = want->family };
      guint8 payload[DN_PUBLISH_PACKET_BYTES];
      DnFdList fds = DN_FD_LIST_INIT;
      g_autoptr (GError) error = NULL;
      int r;

      if (!dn_publish_sockets_dial (link->slot, want->is_udp, want->family,
                                    MIN (left, DN_FDPASS_MAX), &fds, &error))
        {
          /* It asks again. */
          g_warning ("guest '%s': published ports: %s", dn_guest_id (link->guest), error->message);
          return;
        }
      left -= MIN (left, fds.count);
      r = dn_publish_send (link->fd, DN_MSG_PUBLISH_DIALS, payload,
                           dn_msg_publish_dials_pack (&message, payload, sizeof payload), &fds);
      dn_fd_list_clear (&fds);
      if (r < 0)
        return; /* its end is read next */
    }
}

static void
take_answer (DnPublishLink *link, guint32 result)
{
  g_mutex_lock (&link->lock);
  link->result = result;
  link->is_done = TRUE;
  g_cond_broadcast (&link->changed);
  g_mutex_unlock (&link->lock);
}

/* danchi-publish has no rights but meets strangers: what it says is checked by form, and believed
 * about its own ports only. */
static gboolean
handle (DnPublishLink *link, const DnFrameHeader *header, const guint8 *payload)
{
  DnMsgPublishDone done;
  DnMsgPublishListed listed;
  DnMsgPublishWant want;
  DnMsgPublishPort port;

  switch (header->type)
    {
    case DN_MSG_PUBLISH_DONE:
      if (dn_msg_publish_done_unpack (payload, header->length, &done) < 0)
        return FALSE;
      take_answer (link, done.error);
      return TRUE;
    case DN_MSG_PUBLISH_LISTED:
      if (dn_msg_publish_listed_unpack (payload, header->length, &listed) < 0)
        return FALSE;
      take_answer (link, listed.count);
      return TRUE;
    case DN_MSG_PUBLISH_PORT:
      if (dn_msg_publish_port_unpack (payload, header->length, &port) < 0
          || (port.host_family != 4 && port.host_family != 6))
        return FALSE;
      g_mutex_lock (&link->lock);
      if (link->ports != NULL && link->ports->len < DN_PUBLISH_PORTS_MAX)
        g_array_append_val (link->ports, port);
      g_mutex_unlock (&link->lock);
      return TRUE;
    case DN_MSG_PUBLISH_WANT:
      if (dn_msg_publish_want_unpack (payload, header->length, &want) < 0
          || (want.family != 4 && want.family != 6))
        return FALSE;
      give_dials (link, &want);
      return TRUE;
    default:
      return FALSE;
    }
}

static gpointer
listen_to_it (gpointer data)
{
  g_autoptr (DnPublishLink) link = data;
  gboolean is_good = TRUE;

  while (is_good)
    {
      guint8 bytes[DN_PUBLISH_PACKET_BYTES];
      DnFdList fds = DN_FD_LIST_INIT;
      DnFrameHeader header;
      int r = dn_publish_receive (link->fd, DN_SENDER_GUEST, bytes, &header, &fds);

      dn_fd_list_clear (&fds); /* it has none to give */
      is_good = r == 1 && handle (link, &header, bytes + DN_FRAME_HEADER_BYTES);
    }
  (void) shutdown (link->fd, SHUT_RDWR);
  g_mutex_lock (&link->lock);
  link->is_cut = TRUE;
  g_cond_broadcast (&link->changed);
  g_mutex_unlock (&link->lock);
  link->cut (link, link->data);
  return NULL;
}

static int
connect_or_start (DnGuest *guest, const DnGuestInfo *info, GError **error)
{
  const DnPublishProcess process
      = { .guest = dn_guest_id (guest), .uid = info->uid, .gid = info->gid };

  /* One that was killed holds its lock for a moment after its sockets are closed: what does not
   * take a connection is not alive, and a start waits for the lock. */
  if (dn_publish_process_is_alive (process.guest))
    {
      int fd = dn_publish_process_connect (process.guest, NULL);

      if (fd >= 0)
        return fd;
    }
  if (!dn_publish_process_start (&process, error))
    return -1;
  return dn_publish_process_connect (process.guest, error);
}

DnPublishLink *
dn_publish_link_open (DnGuest *guest, DnPublishCutFunc cut, gpointer data, GError **error)
{
  DnGuestInfo info = { 0 };
  DnPublishLink *link;
  GThread *thread;
  int fd;

  dn_guest_get_info (guest, &info);
  fd = connect_or_start (guest, &info, error);
  if (fd < 0)
    {
      dn_guest_info_clear (&info);
      return NULL;
    }
  link = g_new0 (DnPublishLink, 1);
  *link = (DnPublishLink){ .ref_count = 2, /* the thread has one */
                           .guest = dn_guest_ref (guest),
                           .slot = info.uid - DN_IDENTITY_UID_FIRST,
                           .cut = cut,
                           .data = data,
                           .fd = fd };
  dn_guest_info_clear (&info);
  g_mutex_init (&link->call_lock);
  g_mutex_init (&link->lock);
  g_cond_init (&link->changed);
  thread = g_thread_try_new ("publish", listen_to_it, link, error);
  if (thread == NULL)
    {
      link->ref_count = 1;
      dn_publish_link_unref (link);
      return NULL;
    }
  g_thread_unref (thread);
  return link;
}

/* Under the call lock. */
static gboolean
call (DnPublishLink *link, guint16 type, const guint8 *payload, int size, int fd,
      guint32 *ret_result, GError **error)
{
  gint64 end_us = g_get_monotonic_time () + ANSWER_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  DnFdList fds = { .fds = { fd }, .count = fd >= 0 };
  gboolean is_done;
  int r;

  g_mutex_lock (&link->lock);
  link->is_done = FALSE;
  g_mutex_unlock (&link->lock);
  r = dn_publish_send (link->fd, type, payload, size, &fds);
  if (r < 0)
    return dn_throw (error, DN_ERROR_FAILED, "danchi-publish: %s", g_strerror (-r));
  g_mutex_lock (&link->lock);
  while (!link->is_done && !link->is_cut && g_cond_wait_until (&link->changed, &link->lock, end_us))
    continue;
  is_done = link->is_done;
  *ret_result = link->result;
  g_mutex_unlock (&link->lock);
  return is_done
         || dn_throw (error, DN_ERROR_FAILED, "danchi-publish of guest '%s' does not answer",
                      dn_guest_id (link->guest));
}

static gboolean
call_simply (DnPublishLink *link, guint16 type, const guint8 *payload, int size, int fd,
             GError **error)
{
  guint32 result = 0;
  gboolean is_done;

  g_mutex_lock (&link->call_lock);
  is_done = call (link, type, payload, size, fd, &result, error);
  g_mutex_unlock (&link->call_lock);
  if (is_done && result == ENOSPC)
    return dn_throw (error, DN_ERROR_LIMIT, "--publish: one guest has %d ports at most",
                     DN_PUBLISH_PORTS_MAX);
  return is_done
         && (result == 0
             || dn_throw (error, DN_ERROR_FAILED, "danchi-publish: %s", g_strerror ((int) result)));
}

gboolean
dn_publish_link_add (DnPublishLink *link, const DnMsgPublishAdd *order, int fd, GError **error)
{
  guint8 payload[DN_PUBLISH_PACKET_BYTES];

  return call_simply (link, DN_MSG_PUBLISH_ADD, payload,
                      dn_msg_publish_add_pack (order, payload, sizeof payload), fd, error);
}

gboolean
dn_publish_link_remove (DnPublishLink *link, const char *container, GError **error)
{
  guint8 payload[DN_PUBLISH_PACKET_BYTES];
  DnMsgPublishRemove order = { 0 };

  g_strlcpy (order.container, container, sizeof order.container);
  return call_simply (link, DN_MSG_PUBLISH_REMOVE, payload,
                      dn_msg_publish_remove_pack (&order, payload, sizeof payload), -1, error);
}

/* A step at a time, as danchi-publish has it. */
static gboolean
list_all (DnPublishLink *link, GArray *ports, GError **error)
{
  guint32 count = 1;

  for (guint32 first = 0; first < count; first += DN_PUBLISH_LIST_STEP)
    {
      guint8 payload[DN_PUBLISH_PACKET_BYTES];
      DnMsgPublishList order = { .first = first };

      if (!call (link, DN_MSG_PUBLISH_LIST, payload,
                 dn_msg_publish_list_pack (&order, payload, sizeof payload), -1, &count, error))
        return FALSE;
      if (count > DN_PUBLISH_PORTS_MAX)
        return dn_throw (error, DN_ERROR_PROTOCOL, "danchi-publish: %u ports", count);
    }
  return ports->len == count
         || dn_throw (error, DN_ERROR_PROTOCOL, "danchi-publish: its list is not whole");
}

GArray *
dn_publish_link_list (DnPublishLink *link, GError **error)
{
  g_autoptr (GArray) ports = g_array_new (FALSE, FALSE, sizeof (DnMsgPublishPort));
  gboolean is_whole;

  g_mutex_lock (&link->call_lock);
  g_mutex_lock (&link->lock);
  link->ports = g_array_ref (ports);
  g_mutex_unlock (&link->lock);
  is_whole = list_all (link, ports, error);
  g_mutex_lock (&link->lock);
  g_clear_pointer (&link->ports, g_array_unref);
  g_mutex_unlock (&link->lock);
  g_mutex_unlock (&link->call_lock);
  return is_whole ? g_steal_pointer (&ports) : NULL;
}

void
dn_publish_link_quit (DnPublishLink *link)
{
  (void) dn_publish_send (link->fd, DN_MSG_PUBLISH_QUIT, NULL, 0, NULL);
}
