/* SPDX-License-Identifier: Apache-2.0 */
#include "orphan.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void
orphan_ended (DnWatch *watch, uint32_t events)
{
  siginfo_t info;

  (void) events;
  (void) waitid (P_PIDFD, (id_t) watch->fd, &info, WEXITED | WNOHANG);
  dn_watch_remove (watch);
  (void) close (watch->fd);
  free (watch);
}

void
dn_orphan_adopt (DnLoop *loop, int pidfd)
{
  DnWatch *watch = malloc (sizeof *watch);

  (void) syscall (SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  if (watch == NULL)
    {
      (void) close (pidfd); /* stays a zombie until the agent ends */
      return;
    }
  dn_watch_init (watch, loop, pidfd, orphan_ended, NULL);
  if (dn_watch_set (watch, EPOLLIN) < 0)
    orphan_ended (watch, 0);
}
