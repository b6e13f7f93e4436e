/* SPDX-License-Identifier: Apache-2.0 */
/* Takes danchid's orders, and gives each a process of its own that becomes a jail. */
#pragma once

#include <stdbool.h>

#define DN_SERVE_LISTEN_FD 3 /* sd_listen_fds(3) */

typedef struct
{
  int fd; /* SOCK_SEQPACKET */
  bool is_listening;
  const char *config; /* danchi.conf's directory; its containers/ counts in place of the host's */
} DnServePlan;

/* Serves until the other end is closed, or for ever on a listening socket.  Returns: the exit
 * status */
int dn_serve (const DnServePlan *plan);
