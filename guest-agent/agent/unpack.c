/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../protocol/frame-reader.h"
#include "autofd.h"

/* Disks are there before the guest boots; this is for a slow probe of the last one. */
#define DISK_WAIT_MS 5000
#define DISK_POLL_MS 10

struct DnUnpack
{
  DnAgent *agent;
  DnRequest request;
  DnMsgUnpack message;
  int64_t deadline_ms;
  DnTimer disk_timer;
  DnWatch output_watch;
  DnWatch pid_watch;
  DnFrameReader reader;
  bool is_done;   /* UNPACK_DONE was seen */
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
  agent->unpack = NULL;
  free (unpack);
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
take_frame (DnUnpack *unpack, const DnFrameHeader *header, const uint8_t *payload)
{
  if (header->stream != 0 || unpack->is_done || unpack->has_fault)
    return -EPROTO;
  switch (header->type)
    {
      PASS_ON (UNPACK_PROGRESS, UnpackProgress, unpack_progress)
      PASS_ON (UNPACK_FIELD, UnpackField, unpack_field)
      PASS_ON (UNPACK_DONE, UnpackDone, unpack_done)
    case DN_MSG_REPLY:
      {
        DnMsgReply reply;

        if (dn_msg_reply_unpack (payload, header->length, &reply) < 0 || reply.status >= 0)
          return -EPROTO;
        unpack->has_fault = true;
        unpack->fault.status = reply.status;
        strcpy (unpack->fault.message, reply.message);
        break;
      }
    default:
      return -EPROTO;
    }
  unpack->is_done = header->type == DN_MSG_UNPACK_DONE;
  return 0;
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

typedef struct
{
  char archive[64];
  char scratch[64];
  char output[64];
} Devices;

_Noreturn static void
run_unpacker (const DnMsgUnpack *message, const Devices *devices, int output)
{
  char archive_bytes[24];
  char files_limit[24];
  char unpacked_limit[24];
  const char *args[] = { DN_UNPACK_PROGRAM,
                         "--archive",
                         devices->archive,
                         "--archive-bytes",
                         archive_bytes,
                         "--scratch",
                         devices->scratch,
                         "--output",
                         devices->output,
                         "--files-limit",
                         files_limit,
                         "--unpacked-limit",
                         unpacked_limit,
                         NULL,
                         NULL,
                         NULL };
  char *const env[] = { (char *) "PATH=/sbin:/bin:/usr/sbin:/usr/bin", NULL };
  sigset_t none;

  (void) snprintf (archive_bytes, sizeof archive_bytes, "%" PRIu64, message->archive_bytes);
  (void) snprintf (files_limit, sizeof files_limit, "%" PRIu64, message->files_limit);
  (void) snprintf (unpacked_limit, sizeof unpacked_limit, "%" PRIu64,
                   message->unpacked_limit_bytes);
  if (message->reference[0] != '\0')
    {
      args[13] = "--reference";
      args[14] = message->reference;
    }
  (void) sigemptyset (&none);
  (void) sigprocmask (SIG_SETMASK, &none, NULL);
  (void) signal (SIGPIPE, SIG_DFL);
  if (dup2 (output, 1) >= 0 && close_range (3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    (void) execve (DN_UNPACK_PROGRAM, (char *const *) args, env);
  _exit (127);
}

static int
spawn (DnUnpack *unpack, const Devices *devices, DnFault *fault)
{
  int ends[2];
  int pidfd = -1;
  struct clone_args args
      = { .flags = CLONE_PIDFD, .pidfd = (uint64_t) (uintptr_t) &pidfd, .exit_signal = SIGCHLD };
  long pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return dn_fault_set_errno (fault, "make a pipe");
  pid = syscall (SYS_clone3, &args, sizeof args);
  if (pid == 0)
    run_unpacker (&unpack->message, devices, ends[1]);
  (void) close (ends[1]);
  unpack->output_watch.fd = ends[0];
  if (pid < 0)
    return dn_fault_set_errno (fault, "start the unpacker");
  unpack->pid_watch.fd = pidfd;
  (void) fcntl (ends[0], F_SETFL, O_NONBLOCK);
  (void) dn_watch_set (&unpack->output_watch, EPOLLIN);
  return dn_watch_set (&unpack->pid_watch, EPOLLIN);
}

static void
look_for_disks (DnTimer *timer)
{
  DnUnpack *unpack = timer->data;
  const DnDisks *disks = &unpack->agent->disks;
  const DnMsgUnpack *message = &unpack->message;
  Devices devices;
  DnFault fault;

  if (dn_disk_find (disks, message->archive_disk, devices.archive, sizeof devices.archive) < 0
      || dn_disk_find (disks, message->scratch_disk, devices.scratch, sizeof devices.scratch) < 0
      || dn_disk_find (disks, message->output_disk, devices.output, sizeof devices.output) < 0)
    {
      if (dn_loop_now_ms () < unpack->deadline_ms)
        {
          dn_timer_set (timer, DISK_POLL_MS);
          return;
        }
      (void) dn_fault_set (&fault, -ENODEV, "unpack: a disk is not in this guest");
      finish (unpack, &fault);
      return;
    }
  if (spawn (unpack, &devices, &fault) < 0)
    finish (unpack, &fault);
}

void
dn_unpack_start (DnAgent *agent, DnRequest request, const DnMsgUnpack *message)
{
  DnUnpack *unpack;

  if (access (DN_UNPACK_PROGRAM, X_OK) < 0)
    {
      dn_agent_reply (agent, &request, -ENOSYS, "this guest has no unpacker");
      return;
    }
  if (agent->unpack != NULL || (unpack = calloc (1, sizeof *unpack)) == NULL)
    {
      dn_agent_reply (agent, &request, -EBUSY, "an image is being unpacked already");
      return;
    }
  agent->unpack = unpack;
  unpack->agent = agent;
  unpack->request = request;
  unpack->message = *message;
  unpack->deadline_ms = dn_loop_now_ms () + DISK_WAIT_MS;
  dn_timer_init (&unpack->disk_timer, &agent->loop, look_for_disks, unpack);
  dn_watch_init (&unpack->output_watch, &agent->loop, -1, output_ready, unpack);
  dn_watch_init (&unpack->pid_watch, &agent->loop, -1, unpacker_ended, unpack);
  dn_frame_reader_init (&unpack->reader, &dn_guest_wire, DN_SENDER_GUEST);
  look_for_disks (&unpack->disk_timer);
}
