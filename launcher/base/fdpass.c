/* SPDX-License-Identifier: Apache-2.0 */
#include "fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
dn_fd_list_clear (DnFdList *list)
{
  int saved_errno = errno;

  for (size_t i = 0; i < list->count; i++)
    (void) close (list->fds[i]);
  list->count = 0;
  errno = saved_errno;
}

ssize_t
dn_fdpass_send (int socket, const void *bytes, size_t size, const DnFdList *fds)
{
  union
  {
    char bytes[CMSG_SPACE (DN_FDPASS_MAX * sizeof (int))];
    struct cmsghdr alignment;
  } control = { 0 };
  struct iovec vector = { .iov_base = (void *) bytes, .iov_len = size };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

  if (fds != NULL && fds->count > 0)
    {
      struct cmsghdr *header;

      if (fds->count > DN_FDPASS_MAX)
        {
          errno = EINVAL;
          return -1;
        }
      message.msg_control = control.bytes;
      message.msg_controllen = CMSG_SPACE (fds->count * sizeof (int));
      header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN (fds->count * sizeof (int));
      memcpy (CMSG_DATA (header), fds->fds, fds->count * sizeof (int));
    }
  return sendmsg (socket, &message, MSG_NOSIGNAL);
}

/* Moves the descriptors of one control message to @list; what does not fit is closed. */
static int
take_fds (const struct cmsghdr *header, DnFdList *list)
{
  size_t count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
  int result = 0;

  for (size_t i = 0; i < count; i++)
    {
      int fd;

      memcpy (&fd, CMSG_DATA (header) + i * sizeof fd, sizeof fd);
      if (list->count < DN_FDPASS_MAX)
        list->fds[list->count++] = fd;
      else
        {
          (void) close (fd);
          result = -1;
        }
    }
  return result;
}

ssize_t
dn_fdpass_receive (int socket, void *bytes, size_t size, DnFdList *list)
{
  union
  {
    char bytes[CMSG_SPACE (DN_FDPASS_MAX * sizeof (int))];
    struct cmsghdr alignment;
  } control;
  struct iovec vector = { .iov_base = bytes, .iov_len = size };
  struct msghdr message = { .msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes };
  ssize_t n = recvmsg (socket, &message, MSG_CMSG_CLOEXEC);
  int too_many = n >= 0 && (message.msg_flags & MSG_CTRUNC) != 0;

  if (n < 0)
    return -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR (&message); header != NULL;
       header = CMSG_NXTHDR (&message, header))
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS
        && take_fds (header, list) < 0)
      too_many = 1;
  if (too_many)
    {
      dn_fd_list_clear (list);
      errno = EMFILE;
      return -1;
    }
  return n;
}
