/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <stdio.h>
#include <string.h>

#include "container.h"
#include "keys.h"
#include "request-handlers.h"
#include "secret-intake.h"

void
dn_requests_forget_parts (DnAgent *agent)
{
  dn_parts_forget_all (&agent->parts);
  dn_secret_intakes_forget (agent, NULL);
  dn_keys_forget (agent);
}

int
dn_handle_unknown (DnAgent *agent, DnRequest *request, const char *container)
{
  char text[DN_ID_BYTES + 40];

  /* Not -ENOENT, which for START and EXEC means the command. */
  (void) snprintf (text, sizeof text, "container '%s': there is none", container);
  dn_agent_reply (agent, request, -ESRCH, text);
  return 0;
}

static int
handle_part (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnMsgPart part;

  return dn_msg_part_unpack (payload, size, &part) < 0 ? -EPROTO
                                                       : dn_parts_add (&agent->parts, &part);
}

static int
handle_disk_layer (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnMsgDiskLayer layer;

  return dn_msg_disk_layer_unpack (payload, size, &layer) < 0
             ? -EPROTO
             : dn_parts_add_layer (&agent->parts, &layer);
}

static const struct
{
  uint16_t type;
  DnHandler *handle;
} handlers[] = {
  { DN_MSG_PING, dn_handle_ping },
  { DN_MSG_CONFIGURE, dn_handle_configure },
  { DN_MSG_PART, handle_part },
  { DN_MSG_SHUTDOWN, dn_handle_shutdown },
  { DN_MSG_CREATE, dn_handle_create },
  { DN_MSG_START, dn_handle_start },
  { DN_MSG_EXEC, dn_handle_exec },
  { DN_MSG_SIGNAL, dn_handle_signal },
  { DN_MSG_PAUSE, dn_handle_pause },
  { DN_MSG_RESUME, dn_handle_resume },
  { DN_MSG_DELETE, dn_handle_delete },
  { DN_MSG_UPDATE, dn_handle_update },
  { DN_MSG_LIST, dn_handle_list },
  { DN_MSG_STATS, dn_handle_stats },
  { DN_MSG_TOP, dn_handle_top },
  { DN_MSG_COPY_OUT, dn_handle_copy_out },
  { DN_MSG_COPY_IN, dn_handle_copy_in },
  { DN_MSG_UNPACK_READ, dn_handle_unpack_read },
  { DN_MSG_UNPACK_LAYER, dn_handle_unpack_layer },
  { DN_MSG_VERIFY, dn_handle_verify },
  { DN_MSG_LISTENERS, dn_handle_listeners },
  { DN_MSG_DISK_LAYER, handle_disk_layer },
  { DN_MSG_SHARE_USER, dn_handle_share_user },
  { DN_MSG_SHARE_MOUNT, dn_handle_share_mount },
  { DN_MSG_SHARE_MOUNTED, dn_handle_share_mounted },
  { DN_MSG_SHARE_LOST, dn_handle_share_lost },
  { DN_MSG_NETWORK, dn_handle_network },
  { DN_MSG_POD_NETWORK, dn_handle_pod_network },
  { DN_MSG_CARD, dn_handle_card },
  { DN_MSG_CARD_FILE, dn_handle_card_file },
  { DN_MSG_SECRET, dn_handle_secret },
  { DN_MSG_SECRET_KEEP, dn_handle_secret_keep },
  { DN_MSG_SECRET_LIST, dn_handle_secret_list },
  { DN_MSG_KEY, dn_handle_key },
  { DN_MSG_HEALTH_CHECK, dn_handle_health_check },
  { DN_MSG_VOLUME_OPEN, dn_handle_volume_open },
  { DN_MSG_VOLUME_CLOSE, dn_handle_volume_close },
  { DN_MSG_LIMITS, dn_handle_limits },
};

static int
handle_resize (DnAgent *agent, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgResize resize;

  if (dn_msg_resize_unpack (payload, header->length, &resize) < 0)
    return -EPROTO;
  for (DnContainer *container = agent->containers; container != NULL; container = container->next)
    for (DnProcess *process = container->processes; process != NULL; process = process->next)
      if (process->stream_base == header->stream - header->stream % DN_STREAMS_PER_PROCESS)
        dn_process_resize (process, resize.rows, resize.columns);
  return 0;
}

/* A frame of group 4.  The channel's buffer is the agent's own, so what was a secret in it can be
 * zeroed; what comes for a stream that nobody has any more may have been one. */
static int
receive_on_stream (DnAgent *agent, const DnFrameHeader *header, const uint8_t *payload)
{
  DnSecretIntake *intake;
  uint8_t *own = agent->channel->reader.bytes + (payload - agent->channel->reader.bytes);

  if (header->stream == 0)
    return -EPROTO;
  if (dn_streams_find (&agent->streams, header->stream) != NULL)
    return dn_streams_receive (&agent->streams, header, payload);
  agent->channel->must_wipe = true;
  intake = dn_secret_intake_find (agent, header->stream);
  if (intake != NULL)
    return dn_secret_intake_receive (agent, intake, header, own);
  explicit_bzero (own, header->length);
  return 0;
}

int
dn_requests_receive (DnAgent *agent, const DnFrameHeader *header, const uint8_t *payload)
{
  if (header->type == DN_MSG_RESIZE)
    return handle_resize (agent, header, payload);
  if (header->type >= DN_MSG_DATA && header->type <= DN_MSG_RESET)
    return receive_on_stream (agent, header, payload);
  if (header->stream != 0)
    return -EPROTO;
  for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
    if (handlers[i].type == header->type)
      {
        int r = handlers[i].handle (agent, payload, header->length);

        /* The parts were for this request, whatever became of it.  Requests begin with their
         * number. */
        if (r == 0 && header->type != DN_MSG_PART && header->type != DN_MSG_DISK_LAYER
            && header->length >= 4)
          dn_parts_forget (&agent->parts, (uint32_t) payload[0] << 24 | payload[1] << 16
                                              | payload[2] << 8 | payload[3]);
        return r;
      }
  return -EPROTO;
}
