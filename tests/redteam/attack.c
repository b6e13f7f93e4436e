/* SPDX-License-Identifier: Apache-2.0 */
#include "attack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../protocol/protocol.h"

#define FLOOD_SECONDS 5

typedef struct
{
  const char *name;
  int (*make) (int channel);
} Attack;

/* The host may not read for a while: that is a limit of its own, not an error. */
static int
send_all (int channel, const void *bytes, size_t size)
{
  const uint8_t *at = bytes;

  while (size > 0)
    {
      ssize_t n = write (channel, at, size);
      struct pollfd ready = { .fd = channel, .events = POLLOUT };

      if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -errno;
      if (n < 0 && poll (&ready, 1, FLOOD_SECONDS * 1000) <= 0)
        return 0;
      at += n > 0 ? n : 0;
      size -= n > 0 ? (size_t) n : 0;
    }
  return 0;
}

static int
send_frame (int channel, uint16_t type, uint32_t stream, const void *payload, uint32_t length)
{
  uint8_t bytes[DN_FRAME_HEADER_BYTES + 4096];

  dn_frame_encode_header (bytes, type, stream, length);
  (void) memcpy (bytes + DN_FRAME_HEADER_BYTES, payload, length);
  return send_all (channel, bytes, DN_FRAME_HEADER_BYTES + length);
}

static int
send_unknown (int channel)
{
  return send_frame (channel, 999, 0, "", 0);
}

static int
send_reserved (int channel)
{
  uint8_t header[DN_FRAME_HEADER_BYTES];

  dn_frame_encode_header (header, DN_MSG_EOF, 1, 0);
  header[3] = 1;
  return send_all (channel, header, sizeof header);
}

static int
send_oversized (int channel)
{
  uint8_t header[DN_FRAME_HEADER_BYTES];

  dn_frame_encode_header (header, DN_MSG_DATA, 1, UINT32_MAX);
  return send_all (channel, header, sizeof header);
}

/* An order, which only the host gives. */
static int
send_order (int channel)
{
  return send_frame (channel, DN_MSG_SHUTDOWN, 0, "\0\0\0\1", 4);
}

static int
send_second_ready (int channel)
{
  static const DnMsgReady ready = { .boot_id = "x", .kernel = "y", .agent_version = "z" };
  uint8_t payload[512];
  int length = dn_msg_ready_pack (&ready, payload, sizeof payload);

  return length < 0 ? length : send_frame (channel, DN_MSG_READY, 0, payload, (uint32_t) length);
}

static int
send_foreign_stream (int channel)
{
  return send_frame (channel, DN_MSG_DATA, 77777, "x", 1);
}

static int
send_short_fields (int channel)
{
  return send_frame (channel, DN_MSG_EXITED, 0, "\0\50abc", 5);
}

static int
send_path_as_name (int channel)
{
  static const DnMsgExited exited = { .container = "../../etc/passwd" };
  uint8_t payload[128];
  int length = dn_msg_exited_pack (&exited, payload, sizeof payload);

  return length < 0 ? length : send_frame (channel, DN_MSG_EXITED, 0, payload, (uint32_t) length);
}

/* Megabytes of what is no frame at all. */
static int
send_garbage (int channel)
{
  static uint8_t bytes[65536];
  int r = 0;

  (void) memset (bytes, 0xa5, sizeof bytes);
  for (int i = 0; i < 64 && r == 0; i++)
    r = send_all (channel, bytes, sizeof bytes);
  return r;
}

static time_t
now_s (void)
{
  struct timespec now;

  (void) clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

/* Well-formed answers that nobody asked for, and the ends of containers that nobody has. */
static int
flood_frames (int channel)
{
  const time_t end = now_s () + FLOOD_SECONDS;
  uint32_t number = 0;
  int r = 0;

  while (now_s () < end && r == 0)
    {
      const DnMsgReply reply = { .request = 0x7fff0000u + number, .message = "nobody asked" };
      DnMsgExited exited = { .process = number, .code = 1 };
      uint8_t payload[1024];
      int length = dn_msg_reply_pack (&reply, payload, sizeof payload);

      r = send_frame (channel, DN_MSG_REPLY, 0, payload, (uint32_t) length);
      (void) snprintf (exited.container, sizeof exited.container, "%016x", number++);
      length = dn_msg_exited_pack (&exited, payload, sizeof payload);
      if (r == 0)
        r = send_frame (channel, DN_MSG_EXITED, 0, payload, (uint32_t) length);
    }
  return r;
}

static int
flood_console (int channel)
{
  static const char escape[] = "\033]52;c;cmVkdGVhbQ==\007\n";
  static char line[4096];
  const time_t end = now_s () + FLOOD_SECONDS;
  int fd = open ("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

  (void) channel;
  (void) memset (line, '#', sizeof line);
  /* Escapes that would write to a terminal's clipboard, were it one that reads this. */
  (void) memcpy (line, escape, strlen (escape));
  if (fd < 0)
    return -errno;
  while (now_s () < end)
    if (write (fd, line, sizeof line) < 0)
      return -errno;
  return close (fd);
}

static int
reset_machine (int channel)
{
  (void) channel;
  return reboot (RB_AUTOBOOT);
}

static const Attack attacks[] = {
  { "unknown", send_unknown },     { "reserved", send_reserved },
  { "oversized", send_oversized }, { "order", send_order },
  { "ready", send_second_ready },  { "stream", send_foreign_stream },
  { "fields", send_short_fields }, { "name", send_path_as_name },
  { "garbage", send_garbage },     { "frames", flood_frames },
  { "console", flood_console },    { "reset", reset_machine },
};

/* The agent's channel among its descriptors: a port's file, or a socket to the host. */
static int
borrow_channel (pid_t agent)
{
  int pidfd = (int) syscall (SYS_pidfd_open, agent, 0);

  for (int fd = 3; pidfd >= 0 && fd < 256; fd++)
    {
      char path[64], target[64] = "";
      int domain = 0;
      socklen_t size = sizeof domain;
      uint8_t peer[64];
      socklen_t peer_size = sizeof peer;
      int copy;

      (void) snprintf (path, sizeof path, "/proc/%d/fd/%d", (int) agent, fd);
      if (readlink (path, target, sizeof target - 1) < 0)
        continue;
      if (strncmp (target, "/dev/vport", 10) != 0 && strncmp (target, "socket:", 7) != 0)
        continue;
      copy = (int) syscall (SYS_pidfd_getfd, pidfd, fd, 0);
      if (copy < 0)
        return -errno;
      if (target[0] == '/'
          || (getsockopt (copy, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_VSOCK
              && getpeername (copy, (struct sockaddr *) (void *) peer, &peer_size) == 0))
        return copy;
      (void) close (copy);
    }
  return -ENOTCONN;
}

int
dn_attack_run (const char *name, pid_t agent)
{
  for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
    if (strcmp (attacks[i].name, name) == 0)
      {
        int channel = borrow_channel (agent);

        return channel < 0 ? channel : attacks[i].make (channel);
      }
  return -ENOENT;
}
