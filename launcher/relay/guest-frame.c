/* SPDX-License-Identifier: Apache-2.0 */
#include "guest-frame.h"

#include <errno.h>
#include <string.h>

#include "../../protocol/pack.h"
#include "router.h"

/* Unpacks the payload as what it claims to be. */
static int
check_fields (uint16_t type, const uint8_t *payload, size_t size)
{
  switch (type)
    {
#define DN_MSG(NAME, Noun, noun, id, sender, limit, fields)                                        \
  case (id):                                                                                       \
    {                                                                                              \
      DnMsg##Noun message;                                                                         \
      return dn_msg_##noun##_unpack (payload, size, &message);                                     \
    }
#include "../../protocol/protocol.def"
#undef DN_MSG
    default:
      return -EPROTO;
    }
}

static bool
is_id (const char *text)
{
  size_t length = strlen (text);

  return length > 0 && length <= DN_ID_BYTES && strspn (text, "0123456789abcdef") == length;
}

/* What danchid gives disks of images: the beginning of a digest. */
static bool
is_serial (const char *text)
{
  size_t length = strlen (text);

  return length == DN_DISK_SERIAL_BYTES && strspn (text, "0123456789abcdef") == length;
}

static int
handle_exited (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgExited exited;
  DnProcess *process;

  if (dn_msg_exited_unpack (payload, header->length, &exited) < 0 || !is_id (exited.container))
    return -EPROTO;
  dn_router_tell (router, header->type, payload, (int) header->length);
  process = dn_process_find (router, exited.container, exited.process);
  if (process != NULL)
    dn_process_exit (router, process, &exited);
  else
    dn_router_remember_exit (router, &exited);
  return 0;
}

/* Sends an answer on to who asked, with the number they gave. */
static int
handle_answer (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload)
{
  DnChannel *channel = &router->channel;
  DnUnpacker unpacker = { .bytes = payload, .size = header->length };
  uint32_t number = dn_unpack_u32 (&unpacker);
  const DnRequest *request = dn_requests_find (&channel->requests, number);
  uint8_t *own = channel->reader.bytes + (payload - channel->reader.bytes);
  DnPacker packer = { .bytes = own, .size = 4 };

  if (request == NULL) /* asked by a relay or on a link before this one */
    return 0;
  if (request->asker != 0 && request->asker == router->control.serial)
    {
      dn_pack_u32 (&packer, request->asked);
      dn_router_tell (router, header->type, own, (int) header->length);
    }
  if (header->type == DN_MSG_REPLY)
    dn_requests_forget (&channel->requests, number);
  return 0;
}

static int
handle_message (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                const char **ret_why)
{
  DnMsgStarted started;
  DnMsgListEntry entry;
  DnMsgListenerEntry listener;
  DnMsgOom oom;
  DnMsgRefused refused;
  DnMsgDiskDamage damage;
  DnMsgHealth health;
  DnMsgOomVictim victim;

  *ret_why = "the guest named a container that can be none";
  switch (header->type)
    {
    case DN_MSG_READY:
      *ret_why = "the guest said READY twice";
      return -EPROTO;
    case DN_MSG_EXITED:
      return handle_exited (router, header, payload);
    case DN_MSG_OOM:
      if (dn_msg_oom_unpack (payload, header->length, &oom) < 0 || !is_id (oom.container))
        return -EPROTO;
      dn_router_tell (router, header->type, payload, (int) header->length);
      return 0;
    case DN_MSG_OOM_VICTIM:
      if (dn_msg_oom_victim_unpack (payload, header->length, &victim) < 0
          || !is_id (victim.container))
        return -EPROTO;
      dn_router_tell (router, header->type, payload, (int) header->length);
      return 0;
    case DN_MSG_REFUSED:
      if (dn_msg_refused_unpack (payload, header->length, &refused) < 0
          || !is_id (refused.container))
        return -EPROTO;
      dn_router_tell (router, header->type, payload, (int) header->length);
      return 0;
    case DN_MSG_HEALTH:
      if (dn_msg_health_unpack (payload, header->length, &health) < 0 || !is_id (health.container))
        return -EPROTO;
      dn_router_tell (router, header->type, payload, (int) header->length);
      return 0;
    case DN_MSG_DISK_DAMAGE:
      *ret_why = "the guest named a disk that can be none";
      if (dn_msg_disk_damage_unpack (payload, header->length, &damage) < 0
          || !is_serial (damage.disk) || damage.layer >= DN_DISK_LAYERS_MAX)
        return -EPROTO;
      dn_router_tell (router, header->type, payload, (int) header->length);
      return 0;
    case DN_MSG_STARTED:
      if (dn_msg_started_unpack (payload, header->length, &started) < 0
          || !is_id (started.container))
        return -EPROTO;
      break;
    case DN_MSG_LIST_ENTRY:
      if (dn_msg_list_entry_unpack (payload, header->length, &entry) < 0
          || !is_id (entry.container))
        return -EPROTO;
      break;
    case DN_MSG_LISTENER_ENTRY:
      if (dn_msg_listener_entry_unpack (payload, header->length, &listener) < 0
          || !is_id (listener.container))
        return -EPROTO;
      break;
    default:
      break;
    }
  return handle_answer (router, header, payload);
}

static int
handle_stream (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
               const char **ret_why)
{
  DnChannel *channel = &router->channel;
  DnProcess *process = dn_process_find_by_stream (router, header->stream);
  DnTransfer *transfer;

  if (process != NULL)
    return dn_process_receive (router, process, header, payload, ret_why);
  transfer = dn_transfer_find (router, header->stream);
  if (transfer != NULL)
    return dn_transfer_receive (transfer, header, payload, ret_why);
  *ret_why = "the guest used a stream that nobody made";
  if (!dn_router_was_forgotten (router, header->stream))
    return -EPROTO;
  /* Ignored, but not for free: no window holds back what comes on a forgotten stream. */
  dn_bucket_charge (&channel->bucket, 1 + header->length / 1024, router->loop.now_ns);
  return 0;
}

int
dn_guest_frame_handle (DnRouter *router, const DnFrameHeader *header, const uint8_t *payload,
                       const char **ret_why)
{
  bool is_of_stream = header->type >= DN_MSG_DATA && header->type <= DN_MSG_RESIZE;

  *ret_why = "the guest sent fields that are no good";
  if (check_fields (header->type, payload, header->length) < 0)
    return -EPROTO;
  *ret_why = "the guest put a frame on the wrong stream";
  if (is_of_stream != (header->stream != 0))
    return -EPROTO;
  return is_of_stream ? handle_stream (router, header, payload, ret_why)
                      : handle_message (router, header, payload, ret_why);
}
