/* SPDX-License-Identifier: Apache-2.0 */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "autofd.h"

#define ANSWER_BYTES 32768

int
dn_netlink_open (int protocol)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK };
  const struct timeval patience = { .tv_sec = DN_NETLINK_ANSWER_MS / 1000 };
  const int on = 1;
  dn_autofd int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) < 0
      || setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0
      /* An error does not bring the request back. */
      || setsockopt (fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on) < 0)
    return -errno;
  return dn_fd_steal (&fd);
}

void
dn_netlink_clear (DnNetlinkBatch *batch)
{
  batch->used = batch->message = 0;
  batch->answers = 0;
  batch->failed = false;
}

/* Room for @size bytes, up to a boundary of four, zeroed; NULL where there is none. */
static uint8_t *
take_room (DnNetlinkBatch *batch, size_t size)
{
  uint8_t *room = batch->bytes + batch->used;
  size_t whole = NLA_ALIGN (size);

  if (batch->failed || whole > sizeof batch->bytes - batch->used)
    {
      batch->failed = true;
      return NULL;
    }
  memset (room, 0, whole);
  batch->used += whole;
  if (batch->used > batch->message)
    {
      struct nlmsghdr *header = (struct nlmsghdr *) (void *) (batch->bytes + batch->message);

      header->nlmsg_len = (uint32_t) (batch->used - batch->message);
    }
  return room;
}

void
dn_netlink_begin (DnNetlinkBatch *batch, uint16_t type, uint16_t flags, const void *header,
                  size_t size)
{
  struct nlmsghdr *message;
  uint8_t *room;

  batch->message = batch->used;
  message = (struct nlmsghdr *) (void *) take_room (batch, sizeof *message);
  if (message == NULL)
    return;
  message->nlmsg_type = type;
  message->nlmsg_flags = flags | NLM_F_REQUEST;
  message->nlmsg_seq = (flags & NLM_F_ACK) != 0 ? ++batch->answers : 0;
  room = take_room (batch, size);
  if (room != NULL)
    memcpy (room, header, size);
}

void
dn_netlink_append (DnNetlinkBatch *batch, const void *bytes, size_t size)
{
  uint8_t *room = take_room (batch, size);

  if (room != NULL)
    memcpy (room, bytes, size);
}

void
dn_netlink_put (DnNetlinkBatch *batch, uint16_t type, const void *bytes, size_t size)
{
  uint8_t *room = take_room (batch, NLA_HDRLEN + size);
  struct nlattr *attribute = (struct nlattr *) (void *) room;

  if (room == NULL)
    return;
  attribute->nla_type = type;
  attribute->nla_len = (uint16_t) (NLA_HDRLEN + size);
  if (size > 0)
    memcpy (room + NLA_HDRLEN, bytes, size);
}

void
dn_netlink_put_u8 (DnNetlinkBatch *batch, uint16_t type, uint8_t value)
{
  dn_netlink_put (batch, type, &value, sizeof value);
}

void
dn_netlink_put_u32 (DnNetlinkBatch *batch, uint16_t type, uint32_t value)
{
  dn_netlink_put (batch, type, &value, sizeof value);
}

void
dn_netlink_put_be32 (DnNetlinkBatch *batch, uint16_t type, uint32_t value)
{
  dn_netlink_put_u32 (batch, type, htonl (value));
}

void
dn_netlink_put_text (DnNetlinkBatch *batch, uint16_t type, const char *text)
{
  dn_netlink_put (batch, type, text, strlen (text) + 1);
}

size_t
dn_netlink_nest (DnNetlinkBatch *batch, uint16_t type)
{
  size_t nest = batch->used;

  dn_netlink_put (batch, type | NLA_F_NESTED, NULL, 0);
  return nest;
}

void
dn_netlink_end (DnNetlinkBatch *batch, size_t nest)
{
  struct nlattr *attribute = (struct nlattr *) (void *) (batch->bytes + nest);

  if (!batch->failed)
    attribute->nla_len = (uint16_t) (batch->used - nest);
}

/* Returns: bytes, or -errno. */
static ssize_t
receive (int fd, uint8_t *bytes, size_t size)
{
  ssize_t n;

  do
    n = recv (fd, bytes, size, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN ? -ETIMEDOUT : -errno;
  return n;
}

static int
send_batch (int fd, const DnNetlinkBatch *batch)
{
  struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

  if (batch->failed)
    return -EMSGSIZE;
  return sendto (fd, batch->bytes, batch->used, 0, (struct sockaddr *) &kernel, sizeof kernel)
                 == (ssize_t) batch->used
             ? 0
             : -errno;
}

int
dn_netlink_talk (int fd, DnNetlinkBatch *batch)
{
  static uint8_t bytes[ANSWER_BYTES] __attribute__ ((aligned (4)));
  unsigned heard = 0;
  int result = send_batch (fd, batch);

  if (result < 0)
    return result;
  while (heard < batch->answers)
    {
      ssize_t n = receive (fd, bytes, sizeof bytes);
      size_t left = n > 0 ? (size_t) n : 0;

      if (n <= 0)
        return n < 0 ? (int) n : -EIO;
      for (struct nlmsghdr *at = (struct nlmsghdr *) (void *) bytes; NLMSG_OK (at, left);
           at = NLMSG_NEXT (at, left))
        {
          const struct nlmsgerr *answer = NLMSG_DATA (at);

          if (at->nlmsg_type != NLMSG_ERROR)
            continue;
          heard++;
          if (result == 0)
            result = answer->error;
          /* A transaction that is given up as a whole is answered once. */
          if (answer->error != 0 && at->nlmsg_seq == 0)
            return result;
        }
    }
  return result;
}

int
dn_netlink_dump (int fd, DnNetlinkBatch *batch, DnNetlinkFunc take, void *data)
{
  static uint8_t bytes[ANSWER_BYTES] __attribute__ ((aligned (4)));
  int r = send_batch (fd, batch);

  while (r == 0)
    {
      ssize_t n = receive (fd, bytes, sizeof bytes);
      size_t left = n > 0 ? (size_t) n : 0;

      if (n <= 0)
        return n < 0 ? (int) n : -EIO;
      for (struct nlmsghdr *at = (struct nlmsghdr *) (void *) bytes; NLMSG_OK (at, left);
           at = NLMSG_NEXT (at, left))
        {
          if (at->nlmsg_type == NLMSG_DONE)
            return 0;
          if (at->nlmsg_type == NLMSG_ERROR)
            return ((const struct nlmsgerr *) NLMSG_DATA (at))->error;
          take (at, data);
        }
    }
  return r;
}

const struct nlattr *
dn_netlink_find (const void *attributes, size_t size, uint16_t type)
{
  const uint8_t *at = attributes;

  while (size >= (size_t) NLA_HDRLEN)
    {
      const struct nlattr *attribute = (const struct nlattr *) (const void *) at;
      size_t whole = NLA_ALIGN (attribute->nla_len);

      if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > size)
        return NULL;
      if ((attribute->nla_type & NLA_TYPE_MASK) == type)
        return attribute;
      if (whole >= size)
        return NULL;
      at += whole;
      size -= whole;
    }
  return NULL;
}
