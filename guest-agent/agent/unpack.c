/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../protocol/frame-reader.h"
#include "autofd.h"
#include "unpack-program.h"

/* Disks are there before the guest boots, but for a layer's blob, which is attached just before;
 * this is for a slow probe. */
#define DISK_WAIT_MS 5000
#define DISK_POLL_MS 10

/* Made for the first request, it lives as long as the guest. */
struct DnUnpack
{
  DnAgent *agent;
  bool is_busy;
  bool has_layers; /* one was begun: the scratch disk is in use */
  bool is_spoiled; /* one has failed */
  char base_serial[DN_DISK_SERIAL_BYTES + 1];
  DnDiskLayers base_layers; /* owned */
  DnDisk *base;             /* a reference, or NULL */

  /* Of the request under way. */
  DnRequest request;
  bool is_reading; /* else a layer */
  DnMsgUnpackRead reading;
  DnMsgUnpackLayer layer;
  int64_t deadline_ms;
  DnTimer disk_timer;
  DnWatch output_watch;
  DnWatch pid_watch;
  DnFrameReader reader;
  bool is_done;   /* the message that ends it was seen */
  bool has_fault; /* the unpacker's REPLY was seen */
  DnFault fault;
};

static void
finish (DnUnpack *unpack, const DnFault *fault)
{
  DnAgent *agent = unpack->agent;

  if (fault != NULL)
    dn_agent_reply_fault (agent, &unpack->request, fault);
  else
    dn_agent_reply (agent, &unpack->request, 0, "");
  dn_timer_stop (&unpack->disk_timer);
  dn_watch_remove (&unpack->output_watch);
  dn_fd_clear (&unpack->output_watch.fd);
  dn_watch_remove (&unpack->pid_watch);
  dn_fd_clear (&unpack->pid_watch.fd);
  unpack->is_busy = false;
  if (fault != NULL && !unpack->is_reading)
    unpack->is_spoiled = true;
}

/* Unpacks and packs anew, so that what reaches the host is well formed and for its request. */
#define PASS_ON(NAME, Noun, noun)                                                                  \
  case DN_MSG_##NAME:                                                                              \
    {                                                                                              \
      static uint8_t bytes[DN_FRAME_PAYLOAD_MAX_BYTES];                                            \
      DnMsg##Noun message;                                                                         \
      int packed;                                                                                  \
      if (dn_msg_##noun##_unpack (payload, header->length, &message) < 0 || message.request != 0)  \
        return -EPROTO;                                                                            \
      message.request = unpack->request.number;                                                    \
      packed = dn_msg_##noun##_pack (&message, bytes, sizeof bytes);                               \
      if (dn_request_is_current (unpack->agent, &unpack->request))                                 \
        dn_agent_send (unpack->agent, DN_MSG_##NAME, bytes, packed);                               \
      break;                                                                                       \
    }

static int
take_reply (DnUnpack *unpack, const DnFrameHeader *header, const uint8_t *payload)
{
  DnMsgReply reply;

  if (dn_msg_reply_unpack (payload, header->length, &reply) < 0 || reply.status >= 0)
    return -EPROTO;
  unpack->has_fault = true;
  unpack->fault.status = reply.status;
  strcpy (unpack->fault.message, reply.message);
  return 0;
}

static int
take_reading (DnUnpack *unpack, const DnFrameHeader *header, const uint8_t *payload)
{
  switch (header->type)
    {
      PASS_ON (UNPACK_PROGRESS, UnpackProgress, unpack_progress)
      PASS_ON (UNPACK_FIELD, UnpackField, unpack_field)
      PASS_ON (UNPACK_ENTRY, UnpackEntry, unpack_entry)
      PASS_ON (UNPACK_READ_DONE, UnpackReadDone, unpack_read_done)
    case DN_MSG_REPLY:
      return take_reply (unpack, header, payload);
    default:
      return -EPROTO;
    }
  unpack->is_done = header->type == DN_MSG_UNPACK_READ_DONE;
  return 0;
}

static int
take_layer (DnUnpack *unpack, const DnFrameHeader *header, const uint8_t *payload)
{
  switch (header->type)
    {
      PASS_ON (UNPACK_PROGRESS, UnpackProgress, unpack_progress)
      PASS_ON (UNPACK_LAYER_DONE, UnpackLayerDone, unpack_layer_done)
    case DN_MSG_REPLY:
      return take_reply (unpack, header, payload);
    default:
      return -EPROTO;
    }
  unpack->is_done = header->type == DN_MSG_UNPACK_LAYER_DONE;
  return 0;
}

static int
take_frame (DnUnpack *unpack, const DnFrameHeader *header, const uint8_t *payload)
{
  if (header->stream != 0 || unpack->is_done || unpack->has_fault)
    return -EPROTO;
  return unpack->is_reading ? take_reading (unpack, header, payload)
                            : take_layer (unpack, header, payload);
}

/* Reads once.  Returns: bytes; 0 at the end; -EAGAIN; -EPROTO */
static ssize_t
read_output (DnUnpack *unpack)
{
  size_t room;
  uint8_t *space = dn_frame_reader_space (&unpack->reader, &room);
  ssize_t n = read (unpack->output_watch.fd, space, room);
  DnFrameHeader header;
  const uint8_t *payload;
  int r;

  if (n <= 0)
    return n < 0 ? -EAGAIN : 0;
  dn_frame_reader_added (&unpack->reader, (size_t) n);
  while ((r = dn_frame_reader_next (&unpack->reader, &header, &payload)) > 0)
    if (take_frame (unpack, &header, payload) < 0)
      return -EPROTO;
  return r < 0 ? -EPROTO : n;
}

static void
output_ready (DnWatch *watch, uint32_t events)
{
  DnUnpack *unpack = watch->data;
  ssize_t n = read_output (unpack);

  (void) events;
  if (n == -EPROTO && !unpack->has_fault)
    {
      unpack->has_fault = true;
      (void) dn_fault_set (&unpack->fault, -EPROTO, "the unpacker does not speak the protocol");
    }
  if (n == -EPROTO)
    (void) syscall (SYS_pidfd_send_signal, unpack->pid_watch.fd, SIGKILL, NULL, 0);
  if (n == 0 || n == -EPROTO)
    dn_watch_remove (watch);
}

static void
unpacker_ended (DnWatch *watch, uint32_t events)
{
  DnUnpack *unpack = watch->data;
  siginfo_t info = { 0 };

  (void) events;
  if (waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
    return;
  /* What it said last may still be in the pipe. */
  while (unpack->output_watch.events != DN_WATCH_OFF && read_output (unpack) > 0)
    continue;
  if (unpack->has_fault)
    finish (unpack, &unpack->fault);
  else if (unpack->is_done && info.si_code == CLD_EXITED && info.si_status == 0)
    finish (unpack, NULL);
  else
    {
      (void) dn_fault_set (&unpack->fault, -EIO, "the unpacker ended without a result (%s %d)",
                           info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
      finish (unpack, &unpack->fault);
    }
}

static bool
find (const DnUnpack *unpack, const char *serial, char ret_path[DN_UNPACK_DEVICE_BYTES])
{
  return dn_disk_find (&unpack->agent->disks, serial, ret_path, DN_UNPACK_DEVICE_BYTES) == 0;
}

/* 0; -ENOENT where one is not there (yet); or another with @fault. */
static int
find_disks (DnUnpack *unpack, DnUnpackDevices *devices, DnFault *fault)
{
  if (unpack->is_reading)
    return find (unpack, unpack->reading.archive_disk, devices->input)
                   && find (unpack, unpack->reading.output_disk, devices->output)
               ? 0
               : -ENOENT;
  if (!find (unpack, unpack->layer.blob_disk, devices->input)
      || !find (unpack, unpack->layer.scratch_disk, devices->scratch)
      || !find (unpack, unpack->layer.output_disk, devices->output))
    return -ENOENT;
  if (unpack->base_serial[0] == '\0' || unpack->base != NULL)
    return 0;
  return dn_disk_take (&unpack->agent->disks, unpack->base_serial, &unpack->base_layers,
                       &unpack->base, fault);
}

static int
spawn (DnUnpack *unpack, const DnUnpackDevices *devices, DnFault *fault)
{
  char **words = unpack->is_reading ? dn_unpack_words_read (&unpack->reading, devices)
                                    : dn_unpack_words_layer (&unpack->layer, devices,
                                                             &unpack->agent->disks, unpack->base);
  int r;

  if (words == NULL)
    return dn_fault_set (fault, -ENOMEM, "unpack: no memory");
  r = dn_unpack_spawn (words, &unpack->output_watch.fd, &unpack->pid_watch.fd, fault);
  dn_unpack_words_free (words);
  if (r < 0)
    return r;
  (void) dn_watch_set (&unpack->output_watch, EPOLLIN);
  return dn_watch_set (&unpack->pid_watch, EPOLLIN);
}

static void
look_for_disks (DnTimer *timer)
{
  DnUnpack *unpack = timer->data;
  DnUnpackDevices devices;
  DnFault fault;
  int r = find_disks (unpack, &devices, &fault);

  if (r == -ENOENT && dn_loop_now_ms () < unpack->deadline_ms)
    {
      dn_timer_set (timer, DISK_POLL_MS);
      return;
    }
  if (r == -ENOENT)
    (void) dn_fault_set (&fault, -ENODEV, "unpack: a disk is not in this guest");
  if (r < 0 || spawn (unpack, &devices, &fault) < 0)
    finish (unpack, &fault);
}

static DnUnpack *
unpack_new (DnAgent *agent)
{
  DnUnpack *unpack = calloc (1, sizeof *unpack);

  if (unpack == NULL)
    return NULL;
  unpack->agent = agent;
  dn_timer_init (&unpack->disk_timer, &agent->loop, look_for_disks, unpack);
  dn_watch_init (&unpack->output_watch, &agent->loop, -1, output_ready, unpack);
  dn_watch_init (&unpack->pid_watch, &agent->loop, -1, unpacker_ended, unpack);
  return unpack;
}

/* The guest's unpacker, free for a new request; or NULL, and the request has its answer. */
static DnUnpack *
begin (DnAgent *agent, DnRequest *request)
{
  if (access (DN_UNPACK_PROGRAM, X_OK) < 0)
    {
      dn_agent_reply (agent, request, -ENOSYS, "this guest has no unpacker");
      return NULL;
    }
  if (agent->unpack == NULL)
    agent->unpack = unpack_new (agent);
  if (agent->unpack == NULL || agent->unpack->is_busy)
    {
      dn_agent_reply (agent, request, -EBUSY, "an image is being unpacked already");
      return NULL;
    }
  return agent->unpack;
}

static void
run (DnUnpack *unpack, DnRequest request, bool is_reading)
{
  unpack->is_busy = true;
  unpack->request = request;
  unpack->is_reading = is_reading;
  unpack->is_done = unpack->has_fault = false;
  unpack->deadline_ms = dn_loop_now_ms () + DISK_WAIT_MS;
  dn_frame_reader_init (&unpack->reader, &dn_guest_wire, DN_SENDER_GUEST);
  look_for_disks (&unpack->disk_timer);
}

void
dn_unpack_read (DnAgent *agent, DnRequest request, const DnMsgUnpackRead *message)
{
  DnUnpack *unpack = begin (agent, &request);

  if (unpack == NULL)
    return;
  unpack->reading = *message;
  run (unpack, request, true);
}

/* Why this layer cannot be unpacked here; NULL: it can. */
static const char *
find_objection (const DnUnpack *unpack, const DnMsgUnpackLayer *message, const DnDiskLayers *layers)
{
  if (unpack->is_spoiled)
    return "an earlier layer failed in this guest: it unpacks no other";
  if (unpack->has_layers && strcmp (unpack->base_serial, message->base_disk) != 0)
    return "the layers below are on another disk than the first time";
  if (unpack->has_layers && layers->count > 0)
    return "the layers below have been told already";
  if (!unpack->has_layers && (message->base_disk[0] != '\0') != (layers->count > 0))
    return "a base disk and its layers come together";
  return NULL;
}

void
dn_unpack_layer (DnAgent *agent, DnRequest request, const DnMsgUnpackLayer *message,
                 const DnDiskLayers *layers)
{
  DnUnpack *unpack = begin (agent, &request);
  const char *objection;

  if (unpack == NULL)
    return;
  objection = find_objection (unpack, message, layers);
  if (objection != NULL)
    {
      dn_agent_reply (agent, &request, -EINVAL, objection);
      return;
    }
  if (!unpack->has_layers && dn_disk_layers_copy (layers, &unpack->base_layers) < 0)
    {
      dn_agent_reply (agent, &request, -ENOMEM, "no memory");
      return;
    }
  unpack->has_layers = true;
  strcpy (unpack->base_serial, message->base_disk);
  unpack->layer = *message;
  run (unpack, request, false);
}
