/* SPDX-License-Identifier: Apache-2.0 */
#include "orders.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../protocol/pack.h"
#include "router.h"

/* Takes the first @count descriptors of @fds; they are the caller's then. */
static int
take_fds (DnFdList *fds, size_t count, int *ret_fds)
{
  if (fds->count < count)
    return -EPROTO;
  memcpy (ret_fds, fds->fds, count * sizeof *ret_fds);
  fds->count -= count;
  memmove (fds->fds, fds->fds + count, fds->count * sizeof *fds->fds);
  return 0;
}

static int
order_channel (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload, DnFdList *fds)
{
  DnMsgChannel order;
  int fd;

  if (dn_msg_channel_unpack (payload, header->length, &order) < 0 || take_fds (fds, 1, &fd) < 0)
    return -EPROTO;
  dn_channel_open (router, fd, order.secret, order.repeat_hello != 0);
  explicit_bzero (&order, sizeof order);
  return 0;
}

static int
order_process (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload, DnFdList *fds)
{
  DnMsgProcess order;
  int log_fds[2];

  if (dn_msg_process_unpack (payload, header->length, &order) < 0)
    return -EPROTO;
  if (order.process != 0)
    return dn_process_add (router, &order, NULL);
  if (take_fds (fds, 2, log_fds) < 0)
    return -EPROTO;
  return dn_process_add (router, &order, log_fds);
}

static int
order_session (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload, DnFdList *fds)
{
  DnMsgSession order;
  int session_fds[DN_SESSION_FDS];

  if (dn_msg_session_unpack (payload, header->length, &order) < 0
      || take_fds (fds, DN_SESSION_FDS, session_fds) < 0)
    return -EPROTO;
  dn_session_add (router, &order, session_fds);
  return 0;
}

static int
order_forget (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgForget order;
  DnProcess *process;

  if (dn_msg_forget_unpack (payload, header->length, &order) < 0)
    return -EPROTO;
  process = dn_process_find (router, order.container, order.process);
  if (process != NULL)
    dn_process_free (router, process, "the process was removed");
  return 0;
}

static int
order_transfer (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                DnFdList *fds)
{
  DnMsgTransfer order;
  int fd;

  if (dn_msg_transfer_unpack (payload, header->length, &order) < 0 || take_fds (fds, 1, &fd) < 0)
    return -EPROTO;
  dn_transfer_add (router, order.stream,
                   order.to_guest != 0 ? DN_TRANSFER_TO_GUEST : DN_TRANSFER_FROM_GUEST, fd);
  return 0;
}

static int
order_secret_transfer (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                       DnFdList *fds)
{
  DnMsgSecretTransfer order;
  int fd;

  if (dn_msg_secret_transfer_unpack (payload, header->length, &order) < 0
      || take_fds (fds, 1, &fd) < 0)
    return -EPROTO;
  dn_transfer_add (router, order.stream, DN_TRANSFER_SECRET, fd);
  return 0;
}

static int
order_probe (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgProbe order;
  DnMsgProbed probed;
  uint8_t bytes[128];

  if (dn_msg_probe_unpack (payload, header->length, &order) < 0)
    return -EPROTO;
  probed = (DnMsgProbed){ .request = order.request,
                          .linked = dn_channel_is_up (router),
                          .suspect = router->channel.is_suspect,
                          .milestone = router->console.scanner.last,
                          .processes = (uint32_t) router->process_count,
                          .sessions = (uint32_t) router->session_count,
                          .guest_bytes_in = router->channel.bytes_in,
                          .guest_bytes_out = router->channel.bytes_out,
                          .console_bytes = router->console.total_bytes };
  dn_router_tell (router, DN_MSG_PROBED, bytes, dn_msg_probed_pack (&probed, bytes, sizeof bytes));
  return 0;
}

/* Answers in the guest's place. */
static void
refuse_request (DnRouter *router, uint32_t asked, int status, const char *message)
{
  DnMsgReply reply = { .request = asked, .status = status };
  uint8_t bytes[1024];

  memcpy (reply.message, message, strlen (message));
  dn_router_tell (router, DN_MSG_REPLY, bytes, dn_msg_reply_pack (&reply, bytes, sizeof bytes));
}

/* Every message of the host's outside group 4 begins with its request. */
static int
forward_request (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnControlServer *control = &router->control;
  DnRequests *requests = &router->channel.requests;
  DnUnpacker unpacker = { .bytes = payload, .size = header->length };
  uint32_t asked = dn_unpack_u32 (&unpacker);
  uint8_t *own = control->reader.bytes + (payload - control->reader.bytes);
  DnPacker packer = { .bytes = own, .size = 4 };
  uint32_t number;

  if (unpacker.failed || header->stream != 0
      || (header->type >= DN_MSG_DATA && header->type <= DN_MSG_RESIZE))
    return -EPROTO; /* streams are the relay's */
  if (!dn_channel_is_up (router))
    {
      if (header->type != DN_MSG_PART)
        refuse_request (router, asked, -ENOTCONN, "the guest is not connected");
      return 0;
    }
  number = dn_requests_number (requests, control->serial, asked);
  if (number != 0)
    {
      dn_pack_u32 (&packer, number);
      if (dn_channel_put (router, header->type, 0, own, header->length) == 0)
        return 0;
      dn_requests_forget (requests, number);
    }
  if (header->type != DN_MSG_PART)
    refuse_request (router, asked, -EBUSY, "the guest does not answer what it was asked before");
  return 0;
}

int
dn_order_handle (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                 DnFdList *fds)
{
  if (header->type >= DN_CONTROL_TYPE_FIRST && header->stream != 0)
    return -EPROTO;
  switch (header->type)
    {
    case DN_MSG_CHANNEL:
      return order_channel (router, header, payload, fds);
    case DN_MSG_PROCESS:
      return order_process (router, header, payload, fds);
    case DN_MSG_SESSION:
      return order_session (router, header, payload, fds);
    case DN_MSG_FORGET:
      return order_forget (router, header, payload);
    case DN_MSG_TRANSFER:
      return order_transfer (router, header, payload, fds);
    case DN_MSG_SECRET_TRANSFER:
      return order_secret_transfer (router, header, payload, fds);
    case DN_MSG_PROBE:
      return order_probe (router, header, payload);
    case DN_MSG_QUIT:
      router->is_ending = true;
      return 0;
    default:
      return forward_request (router, header, payload);
    }
}
