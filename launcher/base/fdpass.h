/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes with descriptors over a unix socket.  libc only: the relay uses it after its lockdown.
 *
 * Source: unix(7), cmsg(3); every received descriptor is close-on-exec, and every path that does
 * not hand them over closes them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DN_FDPASS_MAX 8

typedef struct
{
  int fds[DN_FDPASS_MAX];
  size_t count;
} DnFdList;

#define DN_FD_LIST_INIT                                                                            \
  {                                                                                                \
    .count = 0                                                                                     \
  }

/* Closes what is in @list and empties it; keeps errno. */
void dn_fd_list_clear (DnFdList *list);

/* Sends some of @bytes, with @fds on the first; as send(2) with MSG_NOSIGNAL, so -1 and errno, or
 * less than @size.  The descriptors stay the caller's.  Send them again only if -1 came back. */
ssize_t dn_fdpass_send (int socket, const void *bytes, size_t size, const DnFdList *fds);

/* Receives some bytes and appends the descriptors that came with them to @list.  More than fit:
 * all of this call's are closed and -1 with errno EMFILE comes back. */
ssize_t dn_fdpass_receive (int socket, void *bytes, size_t size, DnFdList *list);
