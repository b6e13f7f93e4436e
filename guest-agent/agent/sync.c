/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
dn_sync_make (int ret_fds[2])
{
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
    return -errno;
  (void) fcntl (ret_fds[0], F_SETFL, O_NONBLOCK);
  return 0;
}

static int
send_record (int fd, const void *record, size_t size, int passed)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec piece = { (void *) record, size };
  struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
  struct cmsghdr *header;

  /* write(2) where it will do: after the filter is loaded nothing else need be allowed. */
  if (passed < 0)
    return write (fd, record, size) == (ssize_t) size ? 0 : -errno;

  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  header = CMSG_FIRSTHDR (&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (header), &passed, sizeof passed);
  return sendmsg (fd, &message, MSG_NOSIGNAL) == (ssize_t) size ? 0 : -errno;
}

static int
receive_record (int fd, void *ret_record, size_t size, int *ret_passed)
{
  union
  {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec piece = { ret_record, size };
  struct msghdr message = { .msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  struct cmsghdr *header;
  ssize_t n;

  *ret_passed = -1;
  do
    n = recvmsg (fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  header = CMSG_FIRSTHDR (&message);
  if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
      && header->cmsg_len == CMSG_LEN (sizeof (int)))
    memcpy (ret_passed, CMSG_DATA (header), sizeof *ret_passed);
  if (n == 0)
    return -EPIPE;
  return n == (ssize_t) size ? 0 : -EPROTO;
}

int
dn_sync_order (int fd, char order, int passed)
{
  return send_record (fd, &order, 1, passed);
}

int
dn_sync_report (int fd, const DnSyncReport *report, int passed)
{
  return send_record (fd, report, sizeof *report, passed);
}

int
dn_sync_await_order (int fd, char order, int *ret_passed)
{
  char heard = 0;
  int r;

  /* Without a wish for a descriptor plain read(2), for the filter's sake as above. */
  if (ret_passed == NULL)
    {
      ssize_t n;

      do
        n = read (fd, &heard, 1);
      while (n < 0 && errno == EINTR);
      return n == 1 && heard == order ? 0 : -EPIPE;
    }
  r = receive_record (fd, &heard, 1, ret_passed);
  return r == 0 && heard != order ? -EPROTO : r;
}

int
dn_sync_take_report (int fd, DnSyncReport *ret_report, int *ret_passed)
{
  int r = receive_record (fd, ret_report, sizeof *ret_report, ret_passed);

  if (r < 0)
    return r;
  ret_report->fault.message[DN_MESSAGE_BYTES] = '\0';
  if (ret_report->kind < DN_SYNC_TERMINAL || ret_report->kind > DN_SYNC_USER
      || ret_report->ids.group_count > DN_CONFIG_GROUPS_MAX)
    return -EPROTO;
  return 0;
}
