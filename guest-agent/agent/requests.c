/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "autofd.h"
#include "console.h"
#include "container.h"
#include "copy.h"
#include "keys.h"
#include "listeners.h"
#include "report.h"
#include "secret-intake.h"
#include "share.h"
#include "unpack.h"
#include "verify.h"
#include "volume.h"

#define SHUTDOWN_MS 250 /* for the last answers and ends of containers to get away */

typedef int (*HandleFunc) (DnAgent *agent, const uint8_t *payload, uint32_t size);

/* Unpacks into `message` and names the request; every handler begins with it. */
#define UNPACK(Noun, noun)                                                                         \
  DnMsg##Noun message;                                                                             \
  DnRequest request;                                                                               \
  if (dn_msg_##noun##_unpack (payload, size, &message) < 0)                                        \
    return -EPROTO;                                                                                \
  request = dn_agent_request (agent, message.request)

/* Likewise for a message about a container, which is found as well. */
#define UNPACK_FOR_CONTAINER(Noun, noun)                                                           \
  UNPACK (Noun, noun);                                                                             \
  DnContainer *container = dn_container_find (agent, message.container);                           \
  if (container == NULL)                                                                           \
  return refuse_unknown (agent, &request, message.container)

static int
refuse_unknown (DnAgent *agent, DnRequest *request, const char *id)
{
  char text[DN_ID_BYTES + 40];

  /* Not -ENOENT, which for START and EXEC means the command. */
  (void) snprintf (text, sizeof text, "container '%s': there is none", id);
  dn_agent_reply (agent, request, -ESRCH, text);
  return 0;
}

static void
clear_parts (DnParts *parts)
{
  free (parts->config);
  free (parts->seccomp);
  dn_disk_layers_clear (&parts->layers);
  *parts = (DnParts){ 0 };
}

void
dn_requests_forget_parts (DnAgent *agent)
{
  for (int i = 0; i < DN_PARTS_MAX; i++)
    clear_parts (&agent->parts[i]);
  dn_secret_intakes_forget (agent, NULL);
  dn_keys_forget (agent);
}

static DnParts *
find_parts (DnAgent *agent, uint32_t request)
{
  for (int i = 0; i < DN_PARTS_MAX; i++)
    if (agent->parts[i].is_used && agent->parts[i].request == request)
      return &agent->parts[i];
  return NULL;
}

static DnParts *
take_free_parts (DnAgent *agent, uint32_t request)
{
  for (int i = 0; i < DN_PARTS_MAX; i++)
    if (!agent->parts[i].is_used)
      {
        agent->parts[i] = (DnParts){ .is_used = true, .request = request };
        return &agent->parts[i];
      }
  return NULL;
}

static int
append (uint8_t **bytes, size_t *used, const uint8_t *more, size_t size)
{
  uint8_t *grown;

  if (*used + size > DN_PART_TOTAL_BYTES)
    return -EPROTO;
  grown = realloc (*bytes, *used + size + 1);
  if (grown == NULL)
    return -EPROTO;
  memcpy (grown + *used, more, size);
  *bytes = grown;
  *used += size;
  return 0;
}

static int
handle_part (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnMsgPart part;
  DnParts *parts;

  if (dn_msg_part_unpack (payload, size, &part) < 0)
    return -EPROTO;
  parts = find_parts (agent, part.request);
  if (parts == NULL)
    parts = take_free_parts (agent, part.request);
  if (parts == NULL)
    return -EPROTO;
  switch (part.kind)
    {
    case DN_PART_CONFIG:
      return append (&parts->config, &parts->config_bytes, part.bytes, part.bytes_bytes);
    case DN_PART_SECCOMP:
      return append (&parts->seccomp, &parts->seccomp_bytes, part.bytes, part.bytes_bytes);
    default:
      return -EPROTO;
    }
}

static int
handle_disk_layer (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnMsgDiskLayer layer;
  DnParts *parts;

  if (dn_msg_disk_layer_unpack (payload, size, &layer) < 0)
    return -EPROTO;
  parts = find_parts (agent, layer.request);
  if (parts == NULL)
    parts = take_free_parts (agent, layer.request);
  return parts == NULL ? -EPROTO : dn_disk_layers_add (&parts->layers, &layer);
}

static void
read_line (const char *path, char *ret_text, size_t size)
{
  dn_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read (fd, ret_text, size - 1);

  ret_text[n > 0 ? n : 0] = '\0';
  ret_text[strcspn (ret_text, "\n")] = '\0';
}

void
dn_requests_link_up (DnAgent *agent)
{
  static bool was_linked;
  DnMsgReady ready = { .agent_version = DN_VERSION };
  struct utsname names;
  struct sysinfo info;

  /* The streams of copies belong to the link they were made on. */
  dn_copies_forget_all (agent);
  read_line ("/proc/sys/kernel/random/boot_id", ready.boot_id, sizeof ready.boot_id);
  if (uname (&names) == 0)
    (void) snprintf (ready.kernel, sizeof ready.kernel, "%s", names.release);
  if (sysinfo (&info) == 0)
    ready.memory_bytes = (uint64_t) info.totalram * info.mem_unit;
  ready.processors = (uint32_t) sysconf (_SC_NPROCESSORS_ONLN);
  DN_AGENT_SEND (agent, READY, ready, &ready);
  if (!was_linked)
    dn_console_milestone (DN_MILESTONE_LINKED);
  was_linked = true;
}

static int
handle_ping (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Ping, ping);
  dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static int
handle_configure (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  struct timespec now;

  UNPACK (Configure, configure);
  now.tv_sec = (time_t) (message.time_ns / 1000000000);
  now.tv_nsec = (long) (message.time_ns % 1000000000);
  if (!agent->options.is_test
      && ((message.time_ns != 0 && clock_settime (CLOCK_REALTIME, &now) < 0)
          || (message.hostname[0] != '\0'
              && sethostname (message.hostname, strlen (message.hostname)) < 0)))
    dn_agent_reply (agent, &request, -errno, "the clock or the hostname cannot be set");
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static void
end_due (DnTimer *timer)
{
  /* The host waits for the end and no longer: what containers wrote is to be there then. */
  dn_volumes_sync (timer->data);
  dn_loop_end (timer->loop, 0);
}

static int
handle_shutdown (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Shutdown, shutdown);
  dn_containers_kill_all (agent);
  dn_agent_reply (agent, &request, 0, "");
  agent->end_timer.fired = end_due;
  dn_timer_set (&agent->end_timer, SHUTDOWN_MS);
  return 0;
}

static int
handle_create (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Create, create);
  dn_container_create (agent, request, &message, find_parts (agent, message.request));
  return 0;
}

static int
handle_start (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Start, start);
  dn_container_start (container, request);
  return 0;
}

static int
handle_exec (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Exec, exec);
  dn_container_exec (container, request, &message, find_parts (agent, message.request));
  return 0;
}

static int
handle_signal (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Signal, signal);
  dn_container_signal (container, request, &message);
  return 0;
}

static int
handle_pause (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Pause, pause);
  dn_container_pause (container, request, true);
  return 0;
}

static int
handle_resume (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Resume, resume);
  dn_container_pause (container, request, false);
  return 0;
}

static int
handle_delete (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Delete, delete);
  dn_container_delete (container, request);
  return 0;
}

static int
handle_update (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Update, update);
  dn_container_update (container, request, &message);
  return 0;
}

static int
handle_list (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (List, list);
  dn_report_list (agent, &request);
  return 0;
}

static int
handle_stats (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Stats, stats);
  dn_report_stats (container, &request);
  return 0;
}

static int
handle_top (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Top, top);
  dn_report_top (container, &request);
  return 0;
}

static int
handle_listeners (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Listeners, listeners);
  DnContainer *container = dn_container_find (agent, message.container);

  if (container == NULL && message.container[0] != '\0')
    return refuse_unknown (agent, &request, message.container);
  dn_listeners_start (agent, request, container);
  return 0;
}

static int
handle_network (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;

  UNPACK (Network, network);
  if (dn_network_apply (&agent->network, &message, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static int
handle_pod_network (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;

  UNPACK (PodNetwork, pod_network);
  if (dn_pod_card_set (&agent->pod_card, &message, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

/* The card of that container, or what waits for it; NULL without memory, or for a container that
 * was made without one. */
static DnCard *
find_card (DnAgent *agent, const char *id)
{
  DnContainer *container = dn_container_find (agent, id);

  return container != NULL ? container->card : dn_cards_wait (&agent->cards, id);
}

static int
handle_card (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  DnCard *card;

  UNPACK (Card, card);
  card = find_card (agent, message.container);
  if (card == NULL)
    (void) dn_fault_set (&fault, -ENODEV, "the container has no card");
  if (card == NULL || dn_card_set (card, &message, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static int
handle_card_file (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  DnFault fault;
  DnCard *card;

  UNPACK (CardFile, card_file);
  card = find_card (agent, message.container);
  if (card == NULL)
    (void) dn_fault_set (&fault, -ENODEV, "the container has no card");
  if (card == NULL || dn_card_set_file (card, &message, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static int
handle_limits (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Limits, limits);
  dn_container_limits (container, request, &message);
  return 0;
}

static int
handle_copy_out (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (CopyOut, copy_out);
  dn_copy_start (agent, request, container, message.stream, message.path, true);
  return 0;
}

static int
handle_copy_in (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (CopyIn, copy_in);
  dn_copy_start (agent, request, container, message.stream, message.path, false);
  return 0;
}

static int
handle_secret (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (Secret, secret);
  dn_secret_take (agent, request, container, &message);
  return 0;
}

/* Its container need not be there any more, as in the next two. */
static int
handle_secret_keep (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (SecretKeep, secret_keep);
  dn_secret_keep (agent, request, &message);
  return 0;
}

static int
handle_secret_list (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (SecretList, secret_list);
  dn_secret_list (agent, request, message.container);
  return 0;
}

static int
handle_key (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Key, key);
  dn_secret_take_key (agent, request, &message);
  return 0;
}

static int
handle_verify (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (Verify, verify);
  DnContainer *container = dn_container_find (agent, message.container);

  if (container == NULL && message.container[0] != '\0')
    dn_agent_reply (agent, &request, -ENOENT, "no such container");
  else
    dn_verify_start (agent, request, container);
  return 0;
}

static int
handle_volume_open (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (VolumeOpen, volume_open);
  dn_volume_open (agent, request, &message);
  return 0;
}

static int
handle_volume_close (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (VolumeClose, volume_close);
  dn_volume_close (agent, request, &message);
  return 0;
}

static int
handle_health_check (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (HealthCheck, health_check);
  const DnParts *parts = find_parts (agent, message.request);
  DnFault fault;

  if (parts == NULL || parts->config == NULL)
    dn_agent_reply (agent, &request, -EINVAL, "health check: the process object is missing");
  else if (dn_health_set (container, &message, parts->config, parts->config_bytes, &fault) < 0)
    dn_agent_reply_fault (agent, &request, &fault);
  else
    dn_agent_reply (agent, &request, 0, "");
  return 0;
}

static int
handle_unpack_read (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (UnpackRead, unpack_read);
  dn_unpack_read (agent, request, &message);
  return 0;
}

static int
handle_unpack_layer (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  static const DnDiskLayers none;
  UNPACK (UnpackLayer, unpack_layer);
  const DnParts *parts = find_parts (agent, message.request);

  dn_unpack_layer (agent, request, &message, parts != NULL ? &parts->layers : &none);
  return 0;
}

static int
handle_share_user (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (ShareUser, share_user);
  dn_share_tell_user (container, request);
  return 0;
}

static int
handle_share_mount (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (ShareMount, share_mount);
  dn_share_mount (container, request, &message);
  return 0;
}

static int
handle_share_mounted (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK_FOR_CONTAINER (ShareMounted, share_mounted);
  dn_share_end_mounts (container, request);
  return 0;
}

static int
handle_share_lost (DnAgent *agent, const uint8_t *payload, uint32_t size)
{
  UNPACK (ShareLost, share_lost);
  dn_share_lose (agent, request);
  return 0;
}

static const struct
{
  uint16_t type;
  HandleFunc handle;
} handlers[] = {
  { DN_MSG_PING, handle_ping },
  { DN_MSG_CONFIGURE, handle_configure },
  { DN_MSG_PART, handle_part },
  { DN_MSG_SHUTDOWN, handle_shutdown },
  { DN_MSG_CREATE, handle_create },
  { DN_MSG_START, handle_start },
  { DN_MSG_EXEC, handle_exec },
  { DN_MSG_SIGNAL, handle_signal },
  { DN_MSG_PAUSE, handle_pause },
  { DN_MSG_RESUME, handle_resume },
  { DN_MSG_DELETE, handle_delete },
  { DN_MSG_UPDATE, handle_update },
  { DN_MSG_LIST, handle_list },
  { DN_MSG_STATS, handle_stats },
  { DN_MSG_TOP, handle_top },
  { DN_MSG_COPY_OUT, handle_copy_out },
  { DN_MSG_COPY_IN, handle_copy_in },
  { DN_MSG_UNPACK_READ, handle_unpack_read },
  { DN_MSG_UNPACK_LAYER, handle_unpack_layer },
  { DN_MSG_VERIFY, handle_verify },
  { DN_MSG_LISTENERS, handle_listeners },
  { DN_MSG_DISK_LAYER, handle_disk_layer },
  { DN_MSG_SHARE_USER, handle_share_user },
  { DN_MSG_SHARE_MOUNT, handle_share_mount },
  { DN_MSG_SHARE_MOUNTED, handle_share_mounted },
  { DN_MSG_SHARE_LOST, handle_share_lost },
  { DN_MSG_NETWORK, handle_network },
  { DN_MSG_POD_NETWORK, handle_pod_network },
  { DN_MSG_CARD, handle_card },
  { DN_MSG_CARD_FILE, handle_card_file },
  { DN_MSG_SECRET, handle_secret },
  { DN_MSG_SECRET_KEEP, handle_secret_keep },
  { DN_MSG_SECRET_LIST, handle_secret_list },
  { DN_MSG_KEY, handle_key },
  { DN_MSG_HEALTH_CHECK, handle_health_check },
  { DN_MSG_VOLUME_OPEN, handle_volume_open },
  { DN_MSG_VOLUME_CLOSE, handle_volume_close },
  { DN_MSG_LIMITS, handle_limits },
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
          {
            DnParts *parts = find_parts (agent, (uint32_t) payload[0] << 24 | payload[1] << 16
                                                    | payload[2] << 8 | payload[3]);

            if (parts != NULL)
              clear_parts (parts);
          }
        return r;
      }
  return -EPROTO;
}
