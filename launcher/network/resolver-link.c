/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver-link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "../../protocol/frame-reader.h"
#include "../base/resolver-control.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../guest/process.h"
#include "gateway-server.h"
#include "host-servers.h"
#include "resolver-process.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS 10000
/* One that lived as long is started at once again. */
#define LIVED_US (60 * G_TIME_SPAN_SECOND)
#define ANSWER_WAIT_US (5 * G_TIME_SPAN_SECOND)
#define MESSAGE_MAX_BYTES 512
#define KILL_WAIT_MS 1000
#define STARTS_MAX G_MAXUINT32

struct DnResolverLink
{
  gint ref_count;
  DnGuest *guest; /* a reference */
  char *context;  /* owned */
  char *network;  /* owned; or NULL */
  DnNetworkPolicy policy;
  DnResolverProcess process;
  DnResolverEndFunc end;
  GMutex lock; /* of all below; held while something is told */
  GCond answered;
  int fd; /* -1: the line is cut */
  DnNetworkEnd servers[DN_NETWORK_SERVERS_MAX];
  guint server_count;
  guint32 request;
  DnMsgResolverProbed probed; /* the answer to the last request that has one */
  guint starts;
};

DnResolverLink *
dn_resolver_link_ref (DnResolverLink *link)
{
  g_atomic_int_inc (&link->ref_count);
  return link;
}

void
dn_resolver_link_unref (DnResolverLink *link)
{
  if (link == NULL || !g_atomic_int_dec_and_test (&link->ref_count))
    return;
  dn_fd_clear (&link->fd);
  g_clear_pointer (&link->guest, dn_guest_unref);
  g_free (link->context);
  g_free (link->network);
  dn_network_policy_clear (&link->policy);
  g_mutex_clear (&link->lock);
  g_cond_clear (&link->answered);
  g_free (link);
}

const char *
dn_resolver_link_guest (const DnResolverLink *link)
{
  return dn_guest_id (link->guest);
}

static void
add_frame (GByteArray *frames, guint type, const guint8 *payload, int size)
{
  guint8 header[DN_FRAME_HEADER_BYTES];

  /* Ours are all within their limits. */
  g_return_if_fail (size >= 0);
  dn_frame_encode_header (header, (guint16) type, 0, (guint32) size);
  g_byte_array_append (frames, header, sizeof header);
  g_byte_array_append (frames, payload, (guint) size);
}

static void
add_rules (GByteArray *frames, const GArray *rules, gboolean is_allow)
{
  guint8 payload[MESSAGE_MAX_BYTES];

  for (guint i = 0; i < rules->len; i++)
    {
      const DnNetworkRule *rule = &g_array_index (rules, DnNetworkRule, i);
      DnMsgResolverRule message = { .is_allow = is_allow != FALSE,
                                    .kind = rule->kind,
                                    .is_below = rule->is_below,
                                    .opens_special = rule->opens_special,
                                    .list = is_allow ? rule->list : 0,
                                    .family = rule->family,
                                    .prefix = rule->prefix };

      memcpy (message.address, rule->address, sizeof message.address);
      g_strlcpy (message.domain, rule->domain, sizeof message.domain);
      add_frame (frames, DN_MSG_RESOLVER_RULE, payload,
                 dn_msg_resolver_rule_pack (&message, payload, sizeof payload));
    }
}

/* Whether the guest is to know it by name: a member of its network, or of its own context where
 * these know each other. */
static gboolean
is_known (const DnResolverLink *link, const DnNetworkMember *member)
{
  if (!member->has_card)
    return FALSE;
  return (link->network != NULL && g_strcmp0 (member->network, link->network) == 0)
         || (member->is_named && g_str_equal (member->context, link->context));
}

static void
add_name (GByteArray *frames, const DnResolverLink *link, const DnNetworkMember *member)
{
  guint8 payload[MESSAGE_MAX_BYTES];
  DnMsgResolverName message = { .guest = member->plan.slot,
                                .slot = (guint8) member->slot,
                                .is_own = g_str_equal (member->context, link->context) };

  memcpy (message.address4, &member->address4, sizeof message.address4);
  memcpy (message.address6, &member->address6, sizeof message.address6);
  g_strlcpy (message.name, member->name, sizeof message.name);
  g_strlcpy (message.context, member->context, sizeof message.context);
  add_frame (frames, DN_MSG_RESOLVER_NAME, payload,
             dn_msg_resolver_name_pack (&message, payload, sizeof payload));
}

static void
add_probe (GByteArray *frames, DnResolverLink *link)
{
  guint8 payload[MESSAGE_MAX_BYTES];
  const DnMsgResolverProbe message = { .request = ++link->request };

  add_frame (frames, DN_MSG_RESOLVER_PROBE, payload,
             dn_msg_resolver_probe_pack (&message, payload, sizeof payload));
}

/* Under the lock: rules, and whoever is there now. */
static void
add_table (GByteArray *frames, DnResolverLink *link)
{
  g_autoptr (GPtrArray) members = dn_network_registry_list (dn_network_registry_get ());
  guint8 payload[MESSAGE_MAX_BYTES];
  const DnMsgResolverBegin begin = { .has_public = dn_network_policy_has_egress (&link->policy),
                                     .servers = (guint8) link->server_count };

  add_frame (frames, DN_MSG_RESOLVER_BEGIN, payload,
             dn_msg_resolver_begin_pack (&begin, payload, sizeof payload));
  add_rules (frames, link->policy.allow_rules, TRUE);
  add_rules (frames, link->policy.deny_rules, FALSE);
  for (guint i = 0; i < members->len; i++)
    if (is_known (link, members->pdata[i]))
      add_name (frames, link, members->pdata[i]);
  add_frame (frames, DN_MSG_RESOLVER_COMMIT, payload, 0);
}

static gboolean
send_all (int fd, const GByteArray *frames)
{
  for (guint sent = 0; sent < frames->len;)
    {
      ssize_t n = send (fd, frames->data + sent, frames->len - sent, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      sent += (guint) n;
    }
  return TRUE;
}

/* Under the lock.  The thread, which reads, notices and begins anew. */
static void
cut (DnResolverLink *link)
{
  if (link->fd >= 0)
    (void) shutdown (link->fd, SHUT_RDWR);
}

static void
say (DnResolverLink *link, const GByteArray *frames)
{
  if (link->fd >= 0 && !send_all (link->fd, frames))
    cut (link);
}

/* Under the lock. */
static void
choose_servers (DnResolverLink *link)
{
  const GArray *own = link->policy.servers;

  if (own->len == 0)
    {
      link->server_count = dn_host_servers_read (link->servers);
      return;
    }
  link->server_count = MIN (own->len, DN_NETWORK_SERVERS_MAX);
  memcpy (link->servers, own->data, link->server_count * sizeof (DnNetworkEnd));
}

/* Where pins and dials go.  Under the lock: servers are numbers for it. */
static gboolean
give_gateway (DnResolverLink *link, int fd, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  guint8 frame[DN_FRAME_HEADER_BYTES];
  int pair[2];
  gboolean is_fine;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
    return dn_throw_errno (error, "socketpair()");
  order->type = DN_GATEWAY_PIN;
  order->resolver.slot = link->process.slot;
  order->resolver.server_count = link->server_count;
  memcpy (order->resolver.servers, link->servers, sizeof order->resolver.servers);
  is_fine
      = dn_gateway_order (order, &(DnFdList){ .fds = { pair[1] }, .count = 1 }, NULL, NULL, error);
  dn_frame_encode_header (frame, DN_MSG_RESOLVER_GATEWAY, 0, 0);
  if (is_fine
      && dn_fdpass_send (fd, frame, sizeof frame, &(DnFdList){ .fds = { pair[0] }, .count = 1 })
             != sizeof frame)
    is_fine = dn_throw (error, DN_ERROR_FAILED, "resolver: does not read");
  (void) close (pair[0]);
  (void) close (pair[1]);
  return is_fine;
}

/* The gateway's end, the servers that it dials, the whole table.  Under the lock. */
static gboolean
tell_all (DnResolverLink *link, int fd, GError **error)
{
  g_autoptr (GByteArray) frames = g_byte_array_new ();

  choose_servers (link);
  if (!give_gateway (link, fd, error))
    return FALSE;
  add_table (frames, link);
  add_probe (frames, link);
  return send_all (fd, frames) || dn_throw (error, DN_ERROR_FAILED, "resolver: does not read");
}

/* @payload of one frame of the resolver's, which may be in its guest's hands: numbers, for people.
 */
static gboolean
handle (DnResolverLink *link, const DnFrameHeader *header, const guint8 *payload)
{
  DnMsgResolverProbed probed;
  g_autoptr (GError) error = NULL;

  if (header->type == DN_MSG_RESOLVER_PROBED)
    {
      if (dn_msg_resolver_probed_unpack (payload, header->length, &probed) < 0)
        return FALSE;
      g_mutex_lock (&link->lock);
      link->probed = probed;
      g_cond_broadcast (&link->answered);
      g_mutex_unlock (&link->lock);
      return TRUE;
    }
  /* RESOLVER_WANT: the gateway was started anew. */
  g_mutex_lock (&link->lock);
  if (link->fd >= 0 && !give_gateway (link, link->fd, &error))
    {
      g_warning ("guest '%s': %s", dn_guest_id (link->guest), error->message);
      cut (link);
    }
  g_mutex_unlock (&link->lock);
  return TRUE;
}

/* Until the line is cut, by whomever. */
static void
listen_to (DnResolverLink *link, int fd)
{
  g_autofree DnFrameReader *reader = g_new (DnFrameReader, 1);

  dn_frame_reader_init (reader, &dn_resolver_wire, DN_SENDER_GUEST);
  for (;;)
    {
      DnFrameHeader header;
      const guint8 *payload;
      gsize room;
      guint8 *space = dn_frame_reader_space (reader, &room);
      ssize_t n = recv (fd, space, room, 0);
      int r;

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      dn_frame_reader_added (reader, (gsize) n);
      while ((r = dn_frame_reader_next (reader, &header, &payload)) > 0)
        if (!handle (link, &header, payload))
          return;
      if (r < 0)
        return;
    }
}

/* Connects, or starts one first; and tells it all.  Without the lock. */
static gboolean
set_up (DnResolverLink *link, GError **error)
{
  const char *guest = dn_guest_id (link->guest);
  gboolean is_fine;
  int fd;

  if (!dn_resolver_process_is_alive (guest))
    {
      if (!dn_resolver_process_start (&link->process, error))
        return FALSE;
      link->starts = MIN (link->starts, STARTS_MAX - 1) + 1;
    }
  fd = dn_resolver_process_connect (guest, error);
  if (fd < 0)
    return FALSE;
  g_mutex_lock (&link->lock);
  is_fine = tell_all (link, fd, error);
  if (is_fine)
    link->fd = fd;
  else
    (void) close (fd);
  g_mutex_unlock (&link->lock);
  return is_fine;
}

static void
hang_up (DnResolverLink *link)
{
  g_mutex_lock (&link->lock);
  dn_fd_clear (&link->fd);
  g_cond_broadcast (&link->answered);
  g_mutex_unlock (&link->lock);
}

/* One that was started while its guest ended is of nobody. */
static void
quit (DnResolverLink *link)
{
  g_autoptr (GByteArray) frames = g_byte_array_new ();

  add_frame (frames, DN_MSG_RESOLVER_QUIT, NULL, 0);
  g_mutex_lock (&link->lock);
  say (link, frames);
  g_mutex_unlock (&link->lock);
}

/* One that lives and does not take what it is told. */
static void
end_stray (DnResolverLink *link)
{
  gint pid = dn_process_find (link->process.uid, "danchi-resolver");

  if (pid > 0)
    (void) dn_process_kill (pid, dn_process_start_ticks (pid), KILL_WAIT_MS);
}

static gpointer
run (gpointer data)
{
  DnResolverLink *link = data;
  guint pause_ms = PAUSE_FIRST_MS;

  while (dn_guest_is_running (link->guest))
    {
      gint64 begun_us = g_get_monotonic_time ();
      g_autoptr (GError) error = NULL;

      if (link->fd >= 0)
        listen_to (link, link->fd);
      hang_up (link);
      pause_ms = g_get_monotonic_time () - begun_us > LIVED_US ? PAUSE_FIRST_MS
                                                               : MIN (pause_ms * 2, PAUSE_MOST_MS);
      /* With its guest it ends, too, and that may be a moment before the guest is known to. */
      g_usleep (pause_ms * 1000);
      if (!dn_guest_is_running (link->guest))
        break;
      if (!set_up (link, &error))
        {
          g_warning ("guest '%s': names: %s", dn_guest_id (link->guest), error->message);
          end_stray (link);
        }
      else
        g_message ("guest '%s': names: danchi-resolver is there again", dn_guest_id (link->guest));
    }
  quit (link);
  hang_up (link);
  link->end (link);
  dn_resolver_link_unref (link);
  return NULL;
}

/* Whether the last request is answered; else waits for it.  Under the lock. */
static gboolean
wait_for_answer (DnResolverLink *link, guint32 request)
{
  gint64 end_us = g_get_monotonic_time () + ANSWER_WAIT_US;

  while (link->probed.request != request && link->fd >= 0)
    if (!g_cond_wait_until (&link->answered, &link->lock, end_us))
      return FALSE;
  return link->probed.request == request;
}

DnResolverLink *
dn_resolver_link_open (const DnResolverPlan *plan, DnResolverEndFunc end, GError **error)
{
  g_autoptr (DnResolverLink) link = g_new0 (DnResolverLink, 1);
  DnGuestInfo info = { 0 };
  gboolean is_fine;

  dn_guest_get_info (plan->guest, &info);
  *link = (DnResolverLink){ .ref_count = 1,
                            .guest = dn_guest_ref (plan->guest),
                            .context = g_strdup (plan->context),
                            .network = g_strdup (plan->network),
                            .end = end,
                            .fd = -1 };
  link->process = (DnResolverProcess){ .guest = dn_guest_id (link->guest),
                                       .uid = info.uid,
                                       .gid = info.gid,
                                       .slot = info.uid - DN_NETWORK_UID_FIRST,
                                       .pool = plan->pool };
  dn_guest_info_clear (&info);
  g_mutex_init (&link->lock);
  g_cond_init (&link->answered);
  dn_network_policy_copy (plan->policy, &link->policy);
  if (!set_up (link, error))
    return NULL;
  g_thread_unref (g_thread_new ("resolver", run, dn_resolver_link_ref (link)));
  g_mutex_lock (&link->lock);
  is_fine = wait_for_answer (link, link->request);
  g_mutex_unlock (&link->lock);
  if (!is_fine)
    g_warning ("guest '%s': names: danchi-resolver does not answer yet", link->process.guest);
  return g_steal_pointer (&link);
}

/* Who has that place now, or NULL. */
static const DnNetworkMember *
find_at (const GPtrArray *members, const DnNetworkMember *place)
{
  for (guint i = 0; i < members->len; i++)
    {
      const DnNetworkMember *member = members->pdata[i];

      if (member->has_card && member->plan.slot == place->plan.slot && member->slot == place->slot)
        return member;
    }
  return NULL;
}

void
dn_resolver_link_tell (DnResolverLink *link, DnNetworkRegistry *registry,
                       const DnNetworkMember *member)
{
  g_autoptr (GByteArray) frames = g_byte_array_new ();
  g_autoptr (GPtrArray) members = NULL;
  const DnNetworkMember *now;
  guint8 payload[MESSAGE_MAX_BYTES];

  if (!is_known (link, member))
    return;
  g_mutex_lock (&link->lock);
  /* What is now, and not what it was when this call began: another may have overtaken it. */
  members = dn_network_registry_list (registry);
  now = find_at (members, member);
  if (now != NULL && is_known (link, now))
    add_name (frames, link, now);
  else
    {
      const DnMsgResolverUnname message
          = { .guest = member->plan.slot, .slot = (guint8) member->slot };

      add_frame (frames, DN_MSG_RESOLVER_UNNAME, payload,
                 dn_msg_resolver_unname_pack (&message, payload, sizeof payload));
    }
  say (link, frames);
  g_mutex_unlock (&link->lock);
}

void
dn_resolver_link_check_servers (DnResolverLink *link)
{
  DnNetworkEnd servers[DN_NETWORK_SERVERS_MAX] = { 0 };
  guint count;

  if (link->policy.servers->len > 0)
    return;
  count = dn_host_servers_read (servers);
  g_mutex_lock (&link->lock);
  if (link->fd >= 0
      && (count != link->server_count
          || memcmp (servers, link->servers, count * sizeof servers[0]) != 0))
    {
      g_autoptr (GError) error = NULL;

      if (!tell_all (link, link->fd, &error))
        {
          g_warning ("guest '%s': names: %s", link->process.guest, error->message);
          cut (link);
        }
    }
  g_mutex_unlock (&link->lock);
}

static JsonArray *
list_servers (const DnResolverLink *link)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < link->server_count; i++)
    {
      const DnNetworkEnd *server = &link->servers[i];
      char address[DN_ADDRESS_TEXT_BYTES];
      g_autofree char *text = NULL;

      dn_address_print (server->family, server->address, address);
      text = g_strdup_printf (server->family == 4 ? "%s:%u" : "[%s]:%u", address, server->port);
      json_array_add_string_element (array, text);
    }
  return array;
}

JsonObject *
dn_resolver_link_to_json (DnResolverLink *link)
{
  g_autoptr (GByteArray) frames = g_byte_array_new ();
  JsonObject *object = json_object_new ();
  const DnMsgResolverProbed *probed = &link->probed;
  gboolean is_running;

  g_mutex_lock (&link->lock);
  add_probe (frames, link);
  say (link, frames);
  is_running = wait_for_answer (link, link->request);
  json_object_set_boolean_member (object, "is_running", is_running);
  json_object_set_int_member (object, "starts", link->starts);
  json_object_set_array_member (object, "servers", list_servers (link));
  json_object_set_int_member (object, "rules", probed->rules);
  json_object_set_int_member (object, "names", probed->names);
  json_object_set_int_member (object, "queries", (gint64) probed->queries);
  json_object_set_int_member (object, "refused", (gint64) probed->refused);
  json_object_set_int_member (object, "dropped", (gint64) probed->dropped);
  json_object_set_int_member (object, "asked", (gint64) probed->asked);
  json_object_set_int_member (object, "failed", (gint64) probed->failed);
  json_object_set_int_member (object, "rebound", (gint64) probed->rebound);
  json_object_set_int_member (object, "pinned", (gint64) probed->pinned);
  g_mutex_unlock (&link->lock);
  return object;
}
