/* SPDX-License-Identifier: Apache-2.0 */
#include "pod-network.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../common/autofd.h"
#include "../common/error.h"
#include "../daemon/container-call.h"
#include "gateway-server.h"

static gboolean
order_slot (DnGatewayOrderType type, guint slot, int netns_fd, char **ret_text, GError **error)
{
  g_autofree DnGatewayOrder *order = g_new0 (DnGatewayOrder, 1);
  const DnFdList fds = { .fds = { netns_fd }, .count = netns_fd >= 0 ? 1 : 0 };

  order->type = type;
  order->slot = slot;
  return dn_gateway_order (order, &fds, NULL, ret_text, error);
}

int
dn_pod_network_open (const char *path, GError **error)
{
  /* Not one that waits for somebody, whatever is there. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd >= 0)
    return fd;
  if (errno == ENOENT)
    (void) dn_throw (error, DN_ERROR_NOT_FOUND, "the pod's network namespace '%s' is not there",
                     path);
  else
    (void) dn_throw_errno (error, "the pod's network namespace '%s'", path);
  return -1;
}

gboolean
dn_pod_network_look (int netns_fd, GError **error)
{
  return order_slot (DN_GATEWAY_POD_LOOK, 0, netns_fd, NULL, error);
}

gboolean
dn_pod_network_open_tap (guint slot, gpointer data, GError **error)
{
  (void) data;
  return order_slot (DN_GATEWAY_POD_TAP, slot, -1, NULL, error);
}

/* As plan.h has it for every guest's card. */
static void
fill_card_mac (guint slot, guint8 ret_mac[DN_MAC_BYTES])
{
  const guint8 mac[DN_MAC_BYTES] = { 0x02, 0x64, 0x6e, 0x00, (guint8) (slot >> 8), (guint8) slot };

  memcpy (ret_mac, mac, sizeof mac);
}

static guint
slot_of (DnGuest *guest)
{
  DnGuestInfo info = { 0 };
  guint slot;

  dn_guest_get_info (guest, &info);
  slot = info.uid - DN_NETWORK_UID_FIRST;
  dn_guest_info_clear (&info);
  return slot;
}

gboolean
dn_pod_network_join (int netns_fd, DnGuest *guest, GError **error)
{
  g_autofree guint8 *records = g_malloc (DN_POD_RECORDS_MAX * DN_POD_RECORD_BYTES);
  g_autofree char *lines = NULL;
  DnMsgPodNetwork message;
  const guint slot = slot_of (guest);

  if (!order_slot (DN_GATEWAY_POD_JOIN, slot, netns_fd, &lines, error)
      || !dn_pod_network_parse (lines, records, &message, error))
    return FALSE;
  message.request = 0;
  fill_card_mac (slot, message.card_mac);
  return dn_container_call (guest, DN_MSG_POD_NETWORK, &message,
                            (DnPackFunc) dn_msg_pod_network_pack, DN_CALL_TIMEOUT_MS, error);
}

gboolean
dn_pod_network_leave (const char *path, guint slot, GError **error)
{
  g_autoptr (GError) reason = NULL;
  dn_autofd int fd = dn_pod_network_open (path, &reason);

  if (fd >= 0)
    return order_slot (DN_GATEWAY_POD_LEAVE, slot, fd, NULL, error);
  if (g_error_matches (reason, DN_ERROR, DN_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

char *
dn_pod_network_verify (const char *path, DnGuest *guest, GError **error)
{
  dn_autofd int fd = dn_pod_network_open (path, error);
  char *text = NULL;

  return fd >= 0 && order_slot (DN_GATEWAY_POD_VERIFY, slot_of (guest), fd, &text, error) ? text
                                                                                          : NULL;
}

gboolean
dn_pod_network_promise (const char *path, DnPodPromise *ret_promise, GError **error)
{
  dn_autofd int fd = dn_pod_network_open (path, error);
  g_autofree char *lines = NULL;

  return fd >= 0 && order_slot (DN_GATEWAY_POD_LOOK, 0, fd, &lines, error)
         && dn_pod_network_promise_parse (lines, ret_promise, error);
}
